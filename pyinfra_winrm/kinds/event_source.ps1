function Get-EventLogOf($name) {
    $logs = 'HKLM\SYSTEM\CurrentControlSet\Services\EventLog'
    foreach ($log in Get-HostRegistryChild $logs) {
        if ($name -in (Get-HostRegistryChild "$logs\$log")) { return $log }
    }
}

function Read-EventSource($key) {
    $log = Get-EventLogOf $key.name
    if (-not $log) { return @{ state = 'absent' } }
    $file = Get-HostValue "HKLM\SYSTEM\CurrentControlSet\Services\EventLog\$log\$($key.name)" 'EventMessageFile' ''
    return @{ state = 'present'; value = @{ log = $log; message_file = $file } }
}

function Set-EventSource($desired) {
    $log = Get-EventLogOf $desired.name
    $gone = $desired.state -eq 'absent'
    if ($log -and ($gone -or $log -ne $desired.log)) { Remove-EventLog -Source $desired.name; $log = '' }
    if ($gone) { return }
    if ($log) {
        $key = "HKLM\SYSTEM\CurrentControlSet\Services\EventLog\$log\$($desired.name)"
        Set-HostRegistry $key 'EventMessageFile' 'ExpandString' $desired.message_file
    } else {
        New-EventLog -LogName $desired.log -Source $desired.name -MessageResourceFile $desired.message_file
    }
}
