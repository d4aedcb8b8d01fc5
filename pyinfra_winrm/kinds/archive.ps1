function Read-Archive($key) {
    $item = Get-HostItem $key.path
    if (-not $item) { return @{ state = 'absent' } }
    if ($item.type -ne 'directory') { return @{ state = 'unknown'; reason = "a $($item.type) is in its place" } }
    $record = "$($key.path)\.archive.json"
    $value = Measure-HostTree $key.path '.archive.json'
    $value.record = @{}
    if (Get-HostItem $record) { $value.record = ConvertFrom-Json (ConvertFrom-Utf8 (Read-HostFile $record)) }
    return @{ state = 'present'; value = $value }
}

function Set-Archive($desired) {
    $path = $desired.path
    $fresh = "$path.new"
    if ($desired.state -eq 'absent') { Remove-HostItem $path; return }
    $archive = Receive-HostDownload $desired.download
    Remove-HostItem $fresh
    Expand-HostArchive $archive $fresh '' $desired.strip
    if ($desired.signed) { Confirm-HostSigner "$fresh\$($desired.signed)" $desired.download.publisher }
    $measured = Measure-HostTree $fresh '.archive.json'
    $record = [ordered]@{
        sha256 = $desired.download.sha256; publisher = $desired.download.publisher
        strip = $desired.strip; signed = $desired.signed; files = $measured.files; bytes = $measured.bytes
    }
    Write-HostFile "$fresh\.archive.json" (ConvertTo-Utf8 (ConvertTo-Json -InputObject $record -Compress)) ''
    Remove-HostItem $path
    Move-HostItem $fresh $path
    Remove-HostItem $archive
}
