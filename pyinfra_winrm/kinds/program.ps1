function Read-Program($key) {
    $version = Get-HostValue $key.detect_key $key.detect_value $null
    if ($null -eq $version) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = @{ version = [string]$version } }
}

function Set-Program($desired) {
    if ($desired.state -eq 'absent' -and (Read-Program $desired).state -eq 'absent') { return }
    $installer = Receive-HostDownload $desired.download
    Confirm-HostSigner $installer $desired.download.publisher
    $done = Invoke-HostProgram $installer $desired.arguments '' 1800
    Remove-HostItem $installer
    # done; done, restart needed; done, restarting; a later version is there
    if ($done.rc -notin 0, 3010, 1641, 1638) {
        throw (New-HostError 'other' "The installer of $($desired.name) ended with $($done.rc)." $desired.name)
    }
}
