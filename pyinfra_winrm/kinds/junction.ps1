function Read-Junction($key) {
    $item = Get-HostItem $key.path
    if (-not $item) { return @{ state = 'absent' } }
    if ($item.type -ne 'junction') { return @{ state = 'unknown'; reason = "a $($item.type) is in its place" } }
    return @{ state = 'present'; value = @{ target = $item.target } }
}

function Set-Junction($desired) {
    $item = Get-HostItem $desired.path
    if ($item -and $item.type -ne 'junction') { throw (New-HostError 'other' "'$($desired.path)' is a $($item.type)." $desired.path) }
    if ($desired.state -eq 'absent') { Remove-HostItem $desired.path }
    else { Set-HostJunction $desired.path $desired.target }
}
