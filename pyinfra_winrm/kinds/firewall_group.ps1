function Get-GroupRule($group) {
    $rules = @{}
    $policy = 'HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules'
    $values = Get-HostRegistry $policy
    if (-not $values) { return $rules }
    foreach ($name in $values.Keys) {
        if ($values[$name].data.Contains("|EmbedCtxt=$group|")) { $rules[$name] = $values[$name].data }
    }
    return $rules
}

function Read-FirewallGroup($key) {
    $rules = Get-GroupRule $key.name
    if (-not $rules.Count) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = @{ rules = $rules } }
}

function Set-FirewallGroup($desired) {
    $before = @((Get-GroupRule $desired.name).Keys)
    $wanted = @($desired.rules | ForEach-Object { $_.id })
    foreach ($name in $before) { if ($name -notin $wanted) { Remove-NetFirewallRule -Name $name } }
    foreach ($rule in $desired.rules) {
        $fields = @{
            Name = $rule.id; Protocol = $rule.protocol; LocalPort = @($rule.ports)
            RemoteAddress = 'Any'; Program = 'Any'; Service = 'Any'; Profile = 'Any'; Direction = 'Inbound'
            Action = $rule.action; Enabled = [string]$rule.enabled
        }
        if (@($rule.remote_addresses).Count) { $fields.RemoteAddress = @($rule.remote_addresses) }
        if (@($rule.profiles).Count) { $fields.Profile = @($rule.profiles) -join ',' }
        if ($rule.description -or $rule.id -in $before) { $fields.Description = $rule.description }
        if ($rule.program) { $fields.Program = $rule.program }
        if ($rule.service) { $fields.Service = $rule.service }
        if ($rule.id -in $before) { Set-NetFirewallRule @fields -NewDisplayName $rule.display_name }
        else { [void](New-NetFirewallRule @fields -DisplayName $rule.display_name -Group $desired.name) }
    }
}
