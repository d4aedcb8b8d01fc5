function Read-Manifest($path) {
    if (-not (Get-HostItem "$path\manifest.json")) { return $null }
    return ConvertFrom-Json (ConvertFrom-Utf8 (Read-HostFile "$path\manifest.json"))
}

function Read-PythonRelease($key) {
    $path = "$($key.folder)\$($key.id)"
    if (-not (Get-HostItem $path)) { return @{ state = 'absent' } }
    $manifest = Read-Manifest $path
    if (-not $manifest) { $manifest = @{} }
    $surplus = @(Get-Surplus $key)
    $held = @($surplus | Where-Object { Test-HostHeld "$($key.folder)\$_" })
    $value = @{
        manifest = $manifest
        files = (Measure-HostTree $path 'manifest.json').files
        surplus = @($surplus | Where-Object { $_ -notin $held })
        held = $held
    }
    return @{ state = 'present'; value = $value }
}

# Older releases beyond the ones to keep, and what a run that was cut off left.
function Get-Surplus($key) {
    $older = New-Object System.Collections.ArrayList
    foreach ($name in Get-HostChild $key.folder) {
        if ($name -eq $key.id -or (Get-HostItem "$($key.folder)\$name").type -ne 'directory') { continue }
        $manifest = Read-Manifest "$($key.folder)\$name"
        if ($manifest) { [void]$older.Add(@{ name = $name; installed = [string]$manifest.installed }) } else { $name }
    }
    $older | Sort-Object { $_.installed }, { $_.name } -Descending | Select-Object -Skip ($key.keep - 1) | ForEach-Object { $_.name }
}

function Test-Whole($path, $record) {
    $manifest = Read-Manifest $path
    if (-not $manifest -or (Measure-HostTree $path 'manifest.json').files -ne $manifest.files) { return $false }
    foreach ($field in $record.PSObject.Properties) { if ($manifest.($field.Name) -ne $field.Value) { return $false } }
    return $true
}

function Set-PythonRelease($desired) {
    $path = "$($desired.folder)\$($desired.id)"
    if ($desired.state -eq 'absent') { Remove-HostItem $path; return }
    if (-not (Test-Whole $path $desired.record)) { New-Release $desired $path }
    Remove-HostItem $desired.wheels
    Remove-HostItem $desired.python.staged
    foreach ($name in @(Get-Surplus $desired)) {
        if (-not (Test-HostHeld "$($desired.folder)\$name")) { Remove-HostItem "$($desired.folder)\$name" }
    }
}

function New-Release($desired, $path) {
    $archive = Receive-HostDownload $desired.python
    foreach ($folder in "$path.new", "$path.old", "$path.wheels") { Remove-HostItem $folder }
    Expand-HostInterpreter $archive "$path.new" $desired.inside $desired.python.publisher
    Expand-HostArchive $desired.wheels "$path.wheels" '' $false
    Write-HostFile "$path.wheels\requirements.txt" (ConvertTo-Utf8 $desired.requirements) ''
    Install-HostPackage "$path.new" "$path.wheels"
    Remove-HostItem "$path.wheels"
    $manifest = @{ files = (Measure-HostTree "$path.new" 'manifest.json').files; installed = [System.DateTime]::UtcNow.ToString('o') }
    foreach ($field in $desired.record.PSObject.Properties) { $manifest[$field.Name] = $field.Value }
    Write-HostFile "$path.new\manifest.json" (ConvertTo-Utf8 (ConvertTo-Json -InputObject $manifest -Compress)) ''
    if (Get-HostItem $path) { Move-HostItem $path "$path.old" }
    Move-HostItem "$path.new" $path
    Remove-HostItem "$path.old"
}
