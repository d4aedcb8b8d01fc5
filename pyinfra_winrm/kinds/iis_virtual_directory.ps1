function Read-IisVirtualDirectory($key) {
    $folder = Get-HostWebFolder $key.site $key.path
    if (-not $folder) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = @{ folder = [string]$folder } }
}

function Set-IisVirtualDirectory($desired) {
    if ($desired.state -eq 'absent') { Remove-HostWebFolder $desired.site $desired.path }
    else { Set-HostWebFolder $desired.site $desired.path $desired.folder }
}
