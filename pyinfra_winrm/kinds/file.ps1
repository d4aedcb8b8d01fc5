function Read-File($key) {
    $item = Get-HostItem $key.path
    if (-not $item) { return @{ state = 'absent' } }
    if ($item.type -ne 'file') { return @{ state = 'unknown'; reason = "a $($item.type) is in its place" } }
    return @{ state = 'present'; value = @{ sha256 = (Get-HostHash $key.path); sddl = (Get-HostAccess $key.path) } }
}

function Set-File($desired) {
    $there = Get-HostItem $desired.path
    if ($there -and $there.type -eq 'directory') { throw (New-HostError 'other' "'$($desired.path)' is a folder." $desired.path) }
    if ($desired.state -eq 'absent') { Remove-HostItem $desired.path; return }
    if ($there -and $there.type -ne 'file') { throw (New-HostError 'other' "'$($desired.path)' is a $($there.type)." $desired.path) }
    $stale = -not $there -or (-not $desired.once -and (Get-HostHash $desired.path) -ne $desired.sha256)
    if ($stale -and $desired.staged) { Move-HostFile $desired.staged $desired.path }
    elseif ($stale) { Write-HostFile $desired.path ([System.Convert]::FromBase64String($desired.content)) $desired.sddl }
    if ($desired.staged) { Remove-HostItem $desired.staged }
    if ($desired.sddl) { Set-HostAccess $desired.path $desired.sddl }
}
