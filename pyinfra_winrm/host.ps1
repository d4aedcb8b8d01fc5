# The host script: answers the requests of one session. Everything that only Windows can do is a seam function.

$hostState = @{ upload = $null; lock = $null; lease = $null }

function Get-Failure($record) {
    $exception = $record.Exception
    while ($exception.InnerException) { $exception = $exception.InnerException }
    $what = ''
    if ($record.TargetObject -is [string]) { $what = $record.TargetObject }
    if ($exception.PSObject.Properties['FileName'] -and $exception.FileName) { $what = [string]$exception.FileName }
    if ($exception.Data.Contains('what')) { $what = [string]$exception.Data['what'] }
    return @{ code = (Get-FailureCode $exception); message = [string]$exception.Message; what = $what }
}

function Get-FailureCode($exception) {
    if ($exception.Data.Contains('code')) { return [string]$exception.Data['code'] }
    # The low half of an HRESULT made from a Win32 error is that error.
    switch ($exception.HResult -band 0xFFFF) {
        5 { return 'access-denied' }
        28 { return 'disk-full' } # what .NET gives on a file system that is not Windows'
        32 { return 'sharing-violation' }
        33 { return 'sharing-violation' }
        39 { return 'disk-full' }
        112 { return 'disk-full' }
        1450 { return 'quota' }
        1816 { return 'quota' }
    }
    if ($exception -is [System.UnauthorizedAccessException]) { return 'access-denied' }
    if ($exception -is [System.OutOfMemoryException]) { return 'quota' }
    if ($exception -is [System.IO.FileNotFoundException]) { return 'not-found' }
    if ($exception -is [System.IO.DirectoryNotFoundException]) { return 'not-found' }
    if ($exception -is [System.Management.Automation.ItemNotFoundException]) { return 'not-found' }
    return 'other'
}

function New-HostError($code, $message, $what) {
    $exception = New-Object System.InvalidOperationException ([string]$message)
    $exception.Data['code'] = $code
    $exception.Data['what'] = [string]$what
    return $exception
}

function ConvertTo-KindName($kind) {
    return -join ($kind.Split('_') | ForEach-Object { $_.Substring(0, 1).ToUpperInvariant() + $_.Substring(1) })
}

function Invoke-Request($request) {
    if ($hostState.lease) { $hostState.lease.busy = $true }
    try {
        $reply = switch ($request.verb) {
            'read' { Read-Resource $request }
            'apply' { Set-Resource $request }
            'run' { Invoke-Script $request }
            'upload.begin' { Start-Upload $request }
            'upload.end' { Complete-Upload $request }
            'download' { Read-Piece $request }
            'lock' { Lock-Run $request }
            'unlock' { Unlock-Run }
            'facts' { @{ facts = (Read-Facts) } }
            'ping' { @{} }
            default { throw (New-HostError 'other' "the host script has no verb $($request.verb)" $request.verb) }
        }
        $reply['ok'] = $true
    } catch {
        $reply = @{ ok = $false; error = (Get-Failure $_) }
    }
    if ($hostState.lease) {
        $hostState.lease.used = [DateTime]::UtcNow
        $hostState.lease.busy = $false
    }
    Write-Reply $request.id $reply
}

function Read-Resource($request) {
    $items = New-Object System.Collections.ArrayList
    foreach ($item in $request.items) {
        try {
            $state = & "Read-$(ConvertTo-KindName $item.kind)" $item.key
        } catch {
            $state = @{ state = 'unknown'; reason = [string]$_.Exception.Message }
        }
        [void]$items.Add($state)
    }
    return @{ items = $items; held = (Get-RunHolder) }
}

function Set-Resource($request) {
    $kind = ConvertTo-KindName $request.kind
    & "Set-$kind" $request.desired | Out-Null
    return @{ state = (& "Read-$kind" $request.key) }
}

# A nested pipeline: `exit` ends it and not the session, and each stream stays apart.
function Invoke-Script($request) {
    $before = @{}
    $shell = [PowerShell]::Create('CurrentRunspace')
    Push-Location
    try {
        if ($request.cwd) { Set-Location -LiteralPath (Resolve-HostPath $request.cwd) }
        foreach ($variable in $request.env.PSObject.Properties) {
            $before[$variable.Name] = [Environment]::GetEnvironmentVariable($variable.Name)
            [Environment]::SetEnvironmentVariable($variable.Name, [string]$variable.Value)
        }
        $global:LASTEXITCODE = 0
        $block = [scriptblock]::Create("`$ErrorActionPreference = 'Continue'`n" + $request.script)
        [void]$shell.AddScript('param($block) & { try { & $block 2>&1 } catch { $_ } }')
        [void]$shell.AddArgument($block)
        return Invoke-Shell $shell
    } finally {
        $shell.Dispose()
        Pop-Location
        foreach ($name in $before.Keys) { [Environment]::SetEnvironmentVariable($name, $before[$name]) }
    }
}

function Invoke-Shell($shell) {
    $out = New-Object System.Collections.ArrayList
    $err = New-Object System.Collections.ArrayList
    $objects = New-Object System.Collections.ArrayList
    $failed = $false
    foreach ($record in $shell.Invoke()) {
        if ($null -eq $record) { continue }
        $plain = $record.PSObject.BaseObject
        if ($plain -isnot [string] -and $plain -isnot [System.Management.Automation.ErrorRecord]) {
            [void]$objects.Add($record)
            continue
        }
        Add-Formatted $objects $out
        if ($plain -is [string]) {
            [void]$out.Add($plain)
            continue
        }
        [void]$err.Add([string]$plain)
        # What a native program writes to its error stream is no failure; its exit code is.
        if ($plain.FullyQualifiedErrorId -notlike 'NativeCommandError*') { $failed = $true }
    }
    Add-Formatted $objects $out
    $rc = $global:LASTEXITCODE
    if ($failed -and -not $rc) { $rc = 1 }
    return @{ rc = [int]$rc; out = $out; err = $err }
}

# Objects that follow each other share one table, as on a console.
function Add-Formatted($objects, $out) {
    if (-not $objects.Count) { return }
    foreach ($line in ($objects | Out-String -Stream -Width 200)) { [void]$out.Add($line.TrimEnd()) }
    $objects.Clear()
}

function Start-Upload($request) {
    if ($hostState.upload) { Stop-Upload }
    $path = Resolve-HostPath $request.path
    # In the folder of the target, so that it inherits the rights the file will have.
    $part = "$path.mailhost-part"
    $hostState.upload = @{
        path = $path; part = $part; next = 0; failure = $null
        hash = [System.Security.Cryptography.SHA256]::Create()
        stream = (Open-HostWriter $part)
    }
    return @{}
}

# Chunks are not answered one by one; a failure is kept for the end. A text of 85,000 bytes or more would be left to a
# full collection, each copy of it: the sender's lines are shorter.
function Receive-Chunk($line) {
    $upload = $hostState.upload
    if (-not $upload -or $upload.failure) { return }
    try {
        $colon = $line.IndexOf([char]':')
        $number = [int]$line.Substring(1, $colon - 1)
        # A chunk sent twice after a lost answer is taken once.
        if ($number -lt $upload.next) { return }
        if ($number -gt $upload.next) { throw (New-HostError 'other' "chunk $($upload.next) did not arrive" $upload.path) }
        $bytes = [Convert]::FromBase64String($line.Substring($colon + 1))
        $upload.stream.Write($bytes, 0, $bytes.Length)
        [void]$upload.hash.TransformBlock($bytes, 0, $bytes.Length, $null, 0)
        $upload.next = $number + 1
        if ($hostState.lease) { $hostState.lease.used = [DateTime]::UtcNow }
    } catch {
        $upload.failure = $_
    }
}

function Complete-Upload($request) {
    $upload = $hostState.upload
    if (-not $upload) { throw (New-HostError 'other' 'no upload was begun' '') }
    try {
        if ($upload.failure) { throw $upload.failure }
        $upload.stream.Flush($true)
        $upload.stream.Dispose()
        [void]$upload.hash.TransformFinalBlock((New-Object byte[] 0), 0, 0)
        $sha256 = -join ($upload.hash.Hash | ForEach-Object { $_.ToString('x2') })
        if ($sha256 -ne $request.sha256) { throw (New-HostError 'other' 'what arrived is not what was sent' $upload.path) }
        Move-Part $upload.part $upload.path ([int]$request.patience)
        return @{ sha256 = $sha256 }
    } finally {
        Stop-Upload
    }
}

function Stop-Upload {
    $upload = $hostState.upload
    $hostState.upload = $null
    $upload.stream.Dispose()
    $upload.hash.Dispose()
    Remove-HostItem $upload.part
}

# Virus scanners and indexers hold a new file for a moment; only a sharing violation is waited for.
function Move-Part($part, $path, $patience) {
    $until = [DateTime]::UtcNow.AddSeconds($patience)
    while ($true) {
        try {
            Move-HostFile $part $path
            return
        } catch {
            if ((Get-Failure $_).code -ne 'sharing-violation' -or [DateTime]::UtcNow -ge $until) { throw }
        }
        Start-Sleep -Milliseconds 250
    }
}

function Read-Piece($request) {
    $path = Resolve-HostPath $request.path
    $stream = Open-HostReader $path
    try {
        $buffer = New-Object byte[] ([int]$request.length)
        [void]$stream.Seek([long]$request.offset, 'Begin')
        $count = $stream.Read($buffer, 0, $buffer.Length)
        return @{ data = [Convert]::ToBase64String($buffer, 0, $count); size = $stream.Length }
    } finally {
        $stream.Dispose()
    }
}

# One run at a time changes a host. The handle is the lock: it goes with the process, however that ends.
function Lock-Run($request) {
    if ($hostState.lock) { return @{} }
    $holder = @{ run = $request.run; user = $request.user; start = $request.start }
    $text = ConvertTo-Json -InputObject $holder -Compress
    $path = Get-RunLockPath
    New-HostDirectory ([System.IO.Path]::GetDirectoryName($path)) ''
    try {
        $hostState.lock = Open-RunLock $path $text
    } catch {
        if ((Get-Failure $_).code -ne 'sharing-violation') { throw }
        return @{ held = (Read-Holder $path) }
    }
    Start-Lease ([int]$request.lease)
    return @{}
}

function Get-RunLockPath {
    return [System.IO.Path]::Combine([System.IO.Path]::Combine($env:ProgramData, 'Mailhost'), 'run.lock')
}

# $null, or which other run holds the lock; asking takes nothing.
function Get-RunHolder {
    $path = Get-RunLockPath
    if ($hostState.lock -or -not (Test-RunLock $path)) { return $null }
    return Read-Holder $path
}

function Read-Holder($path) {
    try {
        return ConvertFrom-Json (ConvertFrom-Utf8 (Read-HostFile $path))
    } catch {
        return @{ run = ''; user = ''; start = '' }
    }
}

# A controller that was killed sends nothing any more: once its last request has finished, the session ends by itself.
function Start-Lease($seconds) {
    $lease = [System.Collections.Hashtable]::Synchronized(@{
            used = [DateTime]::UtcNow; busy = $true; seconds = $seconds; lock = $hostState.lock
        })
    $hostState.lease = $lease
    $watch = [PowerShell]::Create()
    [void]$watch.AddScript({
            param($lease)
            while ($lease.lock) {
                [System.Threading.Thread]::Sleep(250)
                if (-not $lease.busy -and ([DateTime]::UtcNow - $lease.used).TotalSeconds -gt $lease.seconds) {
                    $lease.lock.Dispose()
                    [Environment]::Exit(3)
                }
            }
        }).AddArgument($lease)
    [void]$watch.BeginInvoke()
}

function Unlock-Run {
    if ($hostState.lease) { $hostState.lease.lock = $null }
    if ($hostState.lock) { $hostState.lock.Dispose() }
    $hostState.lock = $null
    $hostState.lease = $null
    return @{}
}

function Stop-Host {
    if ($hostState.upload) { Stop-Upload }
    Unlock-Run | Out-Null
}
