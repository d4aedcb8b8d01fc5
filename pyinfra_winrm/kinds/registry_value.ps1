function Read-RegistryValue($key) {
    $values = Get-HostRegistry $key.key
    if (-not $values -or -not $values.ContainsKey($key.name)) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = $values[$key.name] }
}

function Set-RegistryValue($desired) {
    if ($desired.state -eq 'absent') { Remove-HostRegistry $desired.key $desired.name; return }
    Set-HostRegistry $desired.key $desired.name $desired.type $desired.data
}
