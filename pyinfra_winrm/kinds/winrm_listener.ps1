function Read-WinrmListener($key) {
    $listener = Get-HostListener $key.address $key.transport
    if (-not $listener) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = $listener }
}

function Set-WinrmListener($desired) {
    $there = Get-HostListener $desired.address $desired.transport
    $which = @{ ResourceURI = 'winrm/config/Listener'; SelectorSet = @{ Address = $desired.address; Transport = $desired.transport } }
    if ($desired.state -eq 'absent') {
        if ($there) { Remove-WSManInstance @which }
        return
    }
    $values = @{ Port = [string]$desired.port }
    if ($desired.transport -eq 'HTTPS') {
        $values.Hostname = $desired.hostname
        $values.CertificateThumbprint = $desired.thumbprint
    }
    if ($there) { [void](Set-WSManInstance @which -ValueSet $values) }
    else { [void](New-WSManInstance @which -ValueSet $values) }
}
