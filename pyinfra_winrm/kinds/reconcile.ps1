function Invoke-Reconcile($key, $dry) {
    $given = "$($key.folder)\desired-$($key.name).json"
    Write-HostFile $given (ConvertTo-Utf8 $key.desired) 'O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)'
    try { $done = Invoke-HostProgram $key.program "$($key.arguments)$dry --json --desired `"$given`"" '' $key.timeout }
    finally { Remove-HostItem $given }
    $found = $null
    # in step, or findings
    if ($done.rc -in 0, 2) { try { $found = ConvertFrom-Json $done.out } catch { $null = $_ } }
    if (-not $found) { throw (New-HostError 'other' (Get-LastLine @{ out = ''; err = $done.err; rc = $done.rc }) $key.name) }
    return $found
}

function Read-Reconcile($key) {
    if (-not (Get-HostItem $key.program)) {
        # What is not there has made nothing that could be left.
        if ($key.absent) { return @{ state = 'absent' } }
        return @{ state = 'unknown'; reason = "'$($key.program)' is not there yet" }
    }
    $found = Invoke-Reconcile $key ' --dry'
    if ($key.absent -and -not @($found.changes).Count) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = @{ changes = @($found.changes); not_managed = @($found.not_managed); report = $found.report } }
}

function Set-Reconcile($desired) {
    if ($desired.absent -and -not (Get-HostItem $desired.program)) { return }
    [void](Invoke-Reconcile $desired '')
}
