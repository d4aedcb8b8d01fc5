function Invoke-Reconcile($key, $dry) {
    $given = "$($key.folder)\desired-$($key.name).json"
    Write-HostFile $given (ConvertTo-Utf8 $key.desired) 'O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)'
    try { $done = Invoke-HostProgram $key.program "$($key.arguments)$dry --json --desired `"$given`"" '' $key.timeout }
    finally { Remove-HostItem $given }
    # in step, or findings
    if ($done.rc -notin 0, 2) { throw (New-HostError 'other' (Get-LastLine @{ out = ''; err = $done.err; rc = $done.rc }) $key.name) }
    return ConvertFrom-Json $done.out
}

function Read-Reconcile($key) {
    if (-not (Get-HostItem $key.program)) { return @{ state = 'unknown'; reason = "'$($key.program)' is not there yet" } }
    $found = Invoke-Reconcile $key ' --dry'
    return @{ state = 'present'; value = @{ changes = @($found.changes); not_managed = @($found.not_managed); report = $found.report } }
}

function Set-Reconcile($desired) {
    [void](Invoke-Reconcile $desired '')
}
