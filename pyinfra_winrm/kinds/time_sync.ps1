function Read-TimeSync($key) {
    $service = "HKLM\SYSTEM\CurrentControlSet\Services\$($key.name)"
    if ((Get-HostValue "$service\Parameters" 'Type' '') -ne 'NTP') { return @{ state = 'absent' } }
    $value = @{
        peers = Get-HostValue "$service\Parameters" 'NtpServer' ''
        start = Get-HostValue $service 'Start' 3
        status = ([string](Get-Service -Name $key.name).Status).ToLowerInvariant()
    }
    return @{ state = 'present'; value = $value }
}

function Set-TimeSync($desired) {
    $flags = if ($desired.state -eq 'absent') { '/syncfromflags:domhier' } else { "/manualpeerlist:`"$($desired.peers)`" /syncfromflags:manual" }
    if ($desired.state -ne 'absent') {
        $done = Invoke-HostProgram 'sc.exe' "config $($desired.name) start= auto" '' 60
        if ($done.rc) { throw (New-HostError 'other' "sc config: $(Get-LastLine $done)" $desired.name) }
        Start-Service -Name $desired.name
    }
    # Only a service that runs can be told to read it anew.
    if ([string](Get-Service -Name $desired.name).Status -eq 'Running') { $flags += ' /update' }
    $done = Invoke-HostProgram 'w32tm.exe' "/config $flags" '' 60
    if ($done.rc) { throw (New-HostError 'other' "w32tm /config: $(Get-LastLine $done)" $desired.name) }
}
