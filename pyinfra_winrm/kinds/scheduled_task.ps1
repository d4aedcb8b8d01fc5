function Read-ScheduledTask($key) {
    $task = Get-HostTask $key.path
    if (-not $task) { return @{ state = 'absent' } }
    $recorded = Get-HostValue 'HKLM\SOFTWARE\pyinfra-winrm\Tasks' $key.path ''
    return @{ state = 'present'; value = @{ xml = $task.xml; last_result = $task.last_result; recorded = $recorded } }
}

function Set-ScheduledTask($desired) {
    $records = 'HKLM\SOFTWARE\pyinfra-winrm\Tasks'
    $cut = $desired.path.LastIndexOf('\') + 1
    $folder = $desired.path.Substring(0, $cut)
    $name = $desired.path.Substring($cut)
    $before = Get-HostTask $desired.path
    if ($desired.state -eq 'absent') {
        if ($before) { Unregister-ScheduledTask -TaskPath $folder -TaskName $name -Confirm:$false }
        Remove-HostRegistry $records $desired.path
        return
    }
    [void](Register-ScheduledTask -TaskPath $folder -TaskName $name -Xml $desired.xml -Force)
    # Windows rewrites what it is given: both what was given and what it made of that are remembered.
    $made = Get-TextHash (Get-HostTask $desired.path).xml
    Set-HostRegistry $records $desired.path 'String' "$(Get-TextHash $desired.xml) $made"
    # succeeded, ready, running, has not run yet
    if ($desired.rerun_failed -and $before -and $before.last_result -notin 0, 0x41300, 0x41301, 0x41303) {
        Start-ScheduledTask -TaskPath $folder -TaskName $name
    }
}
