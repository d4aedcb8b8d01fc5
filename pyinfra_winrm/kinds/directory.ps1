function Read-Directory($key) {
    $item = Get-HostItem $key.path
    if (-not $item) { return @{ state = 'absent' } }
    if ($item.type -ne 'directory') { return @{ state = 'unknown'; reason = "a $($item.type) is in its place" } }
    return @{ state = 'present'; value = @{ sddl = (Get-HostAccess $key.path) } }
}

function Set-Directory($desired) {
    $there = Get-HostItem $desired.path
    if ($there -and $there.type -eq 'file') { throw (New-HostError 'other' "'$($desired.path)' is a file." $desired.path) }
    if ($desired.state -eq 'absent') {
        if ($there -and $desired.purge) { Remove-HostItem $desired.path }
        elseif ($there) { Remove-HostFolder $desired.path }
        return
    }
    # What a junction points to is somebody else's: its rights are not touched through it.
    if ($there -and $there.type -ne 'directory') { throw (New-HostError 'other' "'$($desired.path)' is a $($there.type)." $desired.path) }
    if (-not $there) { New-HostDirectory $desired.path $desired.sddl; return }
    if (-not $desired.sddl) { return }
    $owner = '^O:(S-1-[0-9-]+|[A-Z]{2})'
    if (-not $desired.adopt -and (Get-HostOwner $desired.path) -ne [regex]::Match($desired.sddl, $owner).Groups[1].Value) {
        $message = "'$($desired.path)' belongs to $(Get-HostOwner $desired.path), who can change every right on it."
        throw (New-HostError 'access-denied' $message $desired.path)
    }
    Set-HostAccess $desired.path $desired.sddl
}
