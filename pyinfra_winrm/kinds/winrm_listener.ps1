function Read-WinrmListener($key) {
    $listener = Get-HostListener $key.address $key.transport
    $fingerprint = ''
    if ($key.thumbprint) { $fingerprint = [string](Get-HostCertificate $key.thumbprint) }
    if (-not $listener) { return @{ state = 'absent'; fingerprint = $fingerprint } }
    return @{ state = 'present'; fingerprint = $fingerprint; value = $listener }
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
        # A listener without its certificate lets nobody in.
        if ($null -eq (Get-HostCertificate $desired.thumbprint)) { throw (New-HostError 'not-found' "The certificate '$($desired.thumbprint)' is not in the machine's store." $desired.thumbprint) }
        $values.Hostname = $desired.hostname
        $values.CertificateThumbprint = $desired.thumbprint
    }
    if ($desired.later) { Set-ListenerLater $desired $there $values; return }
    if ($there) { [void](Set-WSManInstance @which -ValueSet $values) }
    else { [void](New-WSManInstance @which -ValueSet $values) }
}

# By a task that outlives the session which the change cuts.
function Set-ListenerLater($desired, $there, $values) {
    $command = if ($there) { 'Set-WSManInstance' } else { 'New-WSManInstance' }
    $pairs = @($values.Keys | ForEach-Object { "$_ = $(ConvertTo-Literal $values[$_])" }) -join '; '
    $selectors = "Address = $(ConvertTo-Literal $desired.address); Transport = $(ConvertTo-Literal $desired.transport)"
    Start-HostTask 'pyinfra-winrm-listener' "Start-Sleep -Seconds $($desired.later)
$command -ResourceURI winrm/config/Listener -SelectorSet @{ $selectors } -ValueSet @{ $pairs }"
}
