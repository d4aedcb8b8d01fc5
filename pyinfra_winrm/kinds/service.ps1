function Read-Service($key) {
    $place = "HKLM\SYSTEM\CurrentControlSet\Services\$($key.name)"
    $values = Get-HostRegistry $place
    if (-not $values -or -not $values.ContainsKey('ImagePath')) { return @{ state = 'absent' } }
    $value = @{
        image_path = ''; display_name = ''; description = ''; account = ''; start = 3; delayed = 0; depends_on = @()
        failure_actions = ''; failure_flag = 0; sid_type = 0; environment = @()
    }
    $names = @{
        image_path = 'ImagePath'; display_name = 'DisplayName'; description = 'Description'; account = 'ObjectName'
        start = 'Start'; delayed = 'DelayedAutostart'; depends_on = 'DependOnService'; environment = 'Environment'
        failure_actions = 'FailureActions'; failure_flag = 'FailureActionsOnNonCrashFailures'; sid_type = 'ServiceSidType'
    }
    foreach ($field in $names.Keys) {
        if ($values.ContainsKey($names[$field])) { $value[$field] = $values[$names[$field]].data }
    }
    foreach ($field in 'depends_on', 'environment') { $value[$field] = @($value[$field]) }
    $value.status = ([string](Get-Service -Name $key.name).Status).ToLowerInvariant()
    $value.started_with = Get-HostValue "$place\Parameters" 'StartedWith' ''
    return @{ state = 'present'; value = $value }
}

function Invoke-Sc($name, $verb, $arguments) {
    $done = Invoke-HostProgram 'sc.exe' "$verb `"$name`" $arguments" '' 60
    if ($done.rc) { throw (New-HostError 'other' "sc $verb ${name}: $(Get-LastLine $done)" $name) }
}

# One argument as programs take it apart again.
function ConvertTo-Argument($text) {
    return '"' + (([string]$text -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
}

function Set-Service($desired) {
    $name = $desired.name
    $place = "HKLM\SYSTEM\CurrentControlSet\Services\$name"
    $before = Read-Service $desired
    if ($desired.state -eq 'absent') {
        if ($before.state -eq 'absent') { return }
        if ($before.value.status -ne 'stopped') { Stop-Service -Name $name -Force }
        Invoke-Sc $name 'delete' ''
        return
    }
    if ($before.state -eq 'absent') { [void](New-Service -Name $name -BinaryPathName $desired.image_path -StartupType Manual) }
    $start = @{ automatic = 'auto'; delayed = 'delayed-auto'; manual = 'demand'; disabled = 'disabled' }[$desired.start]
    $depends = if (@($desired.depends_on).Count) { @($desired.depends_on) -join '/' } else { '/' }
    Invoke-Sc $name 'config' "start= $start obj= $(ConvertTo-Argument $desired.account) depend= $(ConvertTo-Argument $depends) displayname= $(ConvertTo-Argument $desired.display_name) binpath= $(ConvertTo-Argument $desired.image_path)"
    Invoke-Sc $name 'description' (ConvertTo-Argument $desired.description)
    Invoke-Sc $name 'failure' "reset= $($desired.failure_reset) actions= $(ConvertTo-Argument $desired.failure_actions)"
    Invoke-Sc $name 'failureflag' ([int][bool]$desired.failure_flag)
    Invoke-Sc $name 'sidtype' $desired.sid_type
    if (@($desired.environment).Count) { Set-HostRegistry $place 'Environment' 'MultiString' @($desired.environment) }
    else { Remove-HostRegistry $place 'Environment' }
    Update-Process $desired $before (Read-Service $desired)
}

# A running process keeps what it was started with.
function Update-Process($desired, $before, $after) {
    $name = $desired.name
    $running = $after.value.status -ne 'stopped'
    $stale = [bool]$desired.restart_on -and $after.value.started_with -ne $desired.restart_on
    foreach ($field in 'image_path', 'account', 'sid_type', 'environment') {
        if ($before.value -and "$($before.value[$field])" -ne "$($after.value[$field])") { $stale = $true }
    }
    if ($running -and $desired.status -eq 'stopped') { Stop-Service -Name $name -Force }
    elseif ($running -and $stale) { Restart-Service -Name $name -Force }
    elseif (-not $running -and $desired.status -eq 'running') { Start-Service -Name $name }
    if ($desired.status -eq 'running') { Wait-Running $name $desired.start_timeout }
    if ($desired.restart_on -and [string](Get-Service -Name $name).Status -eq 'Running') {
        Set-HostRegistry "HKLM\SYSTEM\CurrentControlSet\Services\$name\Parameters" 'StartedWith' 'String' $desired.restart_on
    }
}

function Wait-Running($name, $timeout) {
    $until = [System.DateTime]::UtcNow.AddSeconds($timeout)
    while ([string](Get-Service -Name $name).Status -ne 'Running') {
        if ([System.DateTime]::UtcNow -gt $until) { throw (New-HostError 'other' "'$name' does not run after $timeout s." $name) }
        Start-Sleep -Milliseconds 200
    }
}
