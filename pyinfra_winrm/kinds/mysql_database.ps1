# What the client prints; passwords go in an option file that only administrators read and that is gone afterwards.
function Invoke-Mysql($key, $user, $password, $statements) {
    $file = $key.admin_file
    if ($password) {
        $file = "$($key.password_file).client"
        $text = "[client]`nuser=$user`npassword=`"$password`"`nhost=127.0.0.1`nport=$($key.port)`n"
        Write-HostFile $file (ConvertTo-Utf8 $text) 'O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)'
    }
    if (-not (Get-HostItem $file)) { throw (New-HostError 'not-found' "'$file' is not there yet" $file) }
    try {
        $options = "`"--defaults-extra-file=$file`" --connect-timeout=5 --port=$($key.port) --batch --skip-column-names"
        $done = Invoke-HostProgram "$($key.program)\bin\mysql.exe" $options $statements 60
    } finally {
        if ($password) { Remove-HostItem $file }
    }
    if ($done.rc) { throw (New-HostError 'other' (Get-LastLine $done) $key.name) }
    return $done.out
}

# Whether the password in the file lets the user in.
function Test-Login($key) {
    if (-not (Get-HostItem $key.password_file)) { return $false }
    $password = (ConvertFrom-Utf8 (Read-HostFile $key.password_file)).Trim()
    if (-not $password) { return $false }
    try { [void](Invoke-Mysql $key $key.user $password "SELECT 1;`n"); return $true } catch { return $false }
}

function Read-MysqlDatabase($key) {
    try { $answer = Invoke-Mysql $key $key.admin_user $key.admin_password $key.query }
    catch { return @{ state = 'unknown'; reason = "MySQL does not answer: $($_.Exception.Message)" } }
    $value = @{ database = ''; user = ''; privileges = New-Object System.Collections.ArrayList }
    foreach ($line in $answer -split '\r?\n') {
        $word, $name = $line.Split("`t")
        if ($word -eq 'privilege') { [void]$value.privileges.Add($name) }
        elseif ($word) { $value[$word] = $name }
    }
    if (-not $value.database -and -not $value.user) { return @{ state = 'absent' } }
    $value.login = Test-Login $key
    return @{ state = 'present'; value = $value }
}

function Set-MysqlDatabase($desired) {
    $statements = @($desired.statements)
    if ($desired.state -eq 'present' -and -not (Test-Login $desired)) {
        $password = New-HostPassword
        $closed = if (Get-HostItem $desired.password_file) { '' } else { 'O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)' }
        Write-HostFile $desired.password_file (ConvertTo-Utf8 $password) $closed
        $statements = @($desired.password_statements | ForEach-Object { $_.Replace('{password}', $password) }) + $statements
    }
    [void](Invoke-Mysql $desired $desired.admin_user $desired.admin_password (($statements -join ";`n") + ";`n"))
    if ($desired.state -eq 'absent') { Remove-HostItem $desired.password_file }
}
