function Read-Greeting($key) {
    $value = @{ said = ''; failure = '' }
    $failures = @()
    foreach ($name in $key.hosts) {
        try { $value.said = [string](Get-HostGreeting $name $key.port $key.timeout) }
        catch { $failures += "${name}: $($_.Exception.GetBaseException().Message)" }
        if ($value.said.StartsWith($key.expects)) { return @{ state = 'present'; value = $value } }
    }
    $value.failure = $failures -join '; '
    return @{ state = 'present'; value = $value }
}

# What another machine says is its own affair.
function Set-Greeting($desired) { [void]$desired }
