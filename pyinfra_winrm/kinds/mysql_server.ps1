function Read-MysqlServer($key) {
    $config = Get-HostItem $key.config_file
    $data = Get-HostItem $key.data
    if (-not $config -and -not $data) { return @{ state = 'absent' } }
    $value = @{
        config_sha256 = if ($config) { Get-HostHash $key.config_file } else { '' }
        initialised = [bool]$data
        admin_port = Get-AdminPort $key.admin_file
        sddl = if ($data) { Get-HostAccess $key.data } else { '' }
    }
    return @{ state = 'present'; value = $value }
}

# The port that the administrator's option file names; 0 without such a file.
function Get-AdminPort($path) {
    if (-not (Get-HostItem $path)) { return 0 }
    $found = [regex]::Match((ConvertFrom-Utf8 (Read-HostFile $path)), '(?m)^port=(\d+)')
    if ($found.Success) { return [int]$found.Groups[1].Value }
    return 0
}

function Set-MysqlServer($desired) {
    $data = $desired.data
    if ($desired.state -eq 'absent') {
        if ((Get-HostItem $data) -and -not $desired.purge) { throw (New-HostError 'other' "'$data' holds data: it is removed only with purge." $data) }
        foreach ($path in $data, $desired.config_file, $desired.admin_file) { Remove-HostItem $path }
        return
    }
    if (-not (Get-HostItem $desired.config_file) -or (Get-HostHash $desired.config_file) -ne (Get-TextHash $desired.config)) {
        Write-HostFile $desired.config_file (ConvertTo-Utf8 $desired.config) ''
    }
    if (-not (Get-HostItem $data)) { Initialize-Mysql $desired }
    elseif (-not (Get-HostItem $desired.admin_file)) {
        $message = "'$data' is there without its administrator's password in '$($desired.admin_file)': put it there, or remove the data."
        throw (New-HostError 'other' $message $desired.admin_file)
    } elseif ((Get-AdminPort $desired.admin_file) -ne $desired.port) {
        $text = (ConvertFrom-Utf8 (Read-HostFile $desired.admin_file)) -replace '(?m)^port=\d+', "port=$($desired.port)"
        Write-HostFile $desired.admin_file (ConvertTo-Utf8 $text) ''
    }
    Set-HostAccess $data $desired.sddl
}

function Initialize-Mysql($desired) {
    $fresh = "$($desired.data).new"
    $script = "$($desired.data).sql"
    $server = "$($desired.program)\bin\mysqld.exe"
    $options = "`"--defaults-file=$($desired.config_file)`" `"--datadir=$fresh`""
    Remove-HostItem $fresh
    New-HostDirectory $fresh $desired.sddl
    $done = Invoke-HostProgram $server "$options --initialize-insecure" '' $desired.timeout
    if ($done.rc) { throw (New-HostError 'other' "mysqld --initialize-insecure: $(Get-LastLine $done)" $fresh) }
    $password = New-HostPassword
    $closed = 'O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)'
    $client = "[client]`nuser=root`npassword=`"$password`"`nhost=127.0.0.1`nport=$($desired.port)`n"
    Write-HostFile $script (ConvertTo-Utf8 (Get-FirstStatement $password)) $closed
    Write-HostFile $desired.admin_file (ConvertTo-Utf8 $client) $closed
    $id = Start-HostProgram $server "$options `"--init-file=$script`""
    $clients = "`"--defaults-extra-file=$($desired.admin_file)`" --connect-timeout=5"
    try {
        $until = [System.DateTime]::UtcNow.AddSeconds($desired.timeout)
        while ((Invoke-HostProgram "$($desired.program)\bin\mysql.exe" $clients "SELECT 1;`n" 60).rc) {
            if (-not (Test-HostProgram $id)) { throw (New-HostError 'other' 'mysqld ended before it answered' $fresh) }
            if ([System.DateTime]::UtcNow -gt $until) { throw (New-HostError 'other' "MySQL did not answer within $($desired.timeout) s" $fresh) }
            Start-Sleep -Milliseconds 200
        }
        $done = Invoke-HostProgram "$($desired.program)\bin\mysqladmin.exe" "$clients shutdown" '' 60
        if ($done.rc) { throw (New-HostError 'other' "mysqladmin shutdown: $(Get-LastLine $done)" $fresh) }
    } finally {
        Stop-HostProgram $id $desired.timeout
        Remove-HostItem $script
    }
    Move-HostItem $fresh $desired.data
}

function Get-FirstStatement($password) {
    return @(
        "ALTER USER 'root'@'localhost' IDENTIFIED BY '$password';"
        "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '$password';"
        "ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '$password';"
        "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;"
        "DROP USER IF EXISTS 'root'@'::1', ''@'localhost';"
        ''
    ) -join "`n"
}
