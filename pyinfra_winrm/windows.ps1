# The rest of the seam: parts of Windows that answer for themselves, and the facts of a host.

# $null, or definition and last result; the task service's own object, for its commands take seconds.
function Get-HostTask($path) {
    $service = New-Object -ComObject Schedule.Service
    $service.Connect()
    try { $task = $service.GetFolder('\').GetTask($path) }
    catch [System.IO.FileNotFoundException], [System.IO.DirectoryNotFoundException] { return $null }
    return @{ xml = $task.Xml; last_result = $task.LastTaskResult }
}

# One value as PowerShell reads it back.
function ConvertTo-Literal($text) {
    return "'" + ([string]$text).Replace("'", "''") + "'"
}

# A task of SYSTEM, started at once, that outlives this session. It removes itself at its end; one that failed stays, with
# its result.
function Start-HostTask($name, $script) {
    $text = "`$ErrorActionPreference = 'Stop'`n$script`nUnregister-ScheduledTask -TaskPath '\' -TaskName '$name' -Confirm:`$false"
    $encoded = [System.Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes($text))
    $xml = '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><Triggers /><Principals><Principal id="Author">' +
        '<UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal></Principals><Settings>' +
        '<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries><StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>' +
        '<ExecutionTimeLimit>PT10M</ExecutionTimeLimit></Settings><Actions Context="Author"><Exec><Command>powershell.exe</Command>' +
        "<Arguments>-NoProfile -NonInteractive -EncodedCommand $encoded</Arguments></Exec></Actions></Task>"
    [void](Register-ScheduledTask -TaskPath '\' -TaskName $name -Xml $xml -Force)
    Start-ScheduledTask -TaskPath '\' -TaskName $name
}

# $null, or the SHA-256 of a certificate of the machine's own.
function Get-HostCertificate($thumbprint) {
    $store = New-Object System.Security.Cryptography.X509Certificates.X509Store 'My', 'LocalMachine'
    $store.Open('ReadOnly')
    try {
        foreach ($certificate in $store.Certificates) {
            if ($certificate.Thumbprint -ne $thumbprint) { continue }
            return ConvertTo-Hex ([System.Security.Cryptography.SHA256]::Create().ComputeHash($certificate.RawData))
        }
    } finally { $store.Close() }
    return $null
}

# $null, or what WS-Management keeps of a listener.
function Get-HostListener($address, $transport) {
    $values = Get-HostRegistry "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener\$address+$transport"
    if (-not $values) { return $null }
    $listener = @{ port = 0; hostname = ''; certThumbprint = '' }
    foreach ($name in @($listener.Keys)) { if ($values.ContainsKey($name)) { $listener[$name] = $values[$name].data } }
    return @{ port = $listener.port; hostname = $listener.hostname; thumbprint = $listener.certThumbprint }
}

# A virtual directory of IIS; $web is the whole configuration, of which only what was changed is written.
function Get-HostWebApplication($web, $site) {
    $found = $web.Sites[$site]
    if (-not $found) { throw (New-HostError 'not-found' "IIS has no site '$site'." $site) }
    return $found.Applications['/']
}

function Open-HostWeb {
    $library = "$env:windir\System32\inetsrv\Microsoft.Web.Administration.dll"
    if (-not (Get-HostItem $library)) { throw (New-HostError 'not-found' 'IIS is not installed.' $library) }
    Add-Type -Path $library
    return New-Object Microsoft.Web.Administration.ServerManager
}

function Get-HostWebFolder($site, $path) {
    $web = Open-HostWeb
    try { return [string](Get-HostWebApplication $web $site).VirtualDirectories[$path].PhysicalPath } finally { $web.Dispose() }
}

function Set-HostWebFolder($site, $path, $folder) {
    $web = Open-HostWeb
    try {
        $application = Get-HostWebApplication $web $site
        $found = $application.VirtualDirectories[$path]
        if ($found) { $found.PhysicalPath = $folder } else { [void]$application.VirtualDirectories.Add($path, $folder) }
        $web.CommitChanges()
    } finally { $web.Dispose() }
}

function Remove-HostWebFolder($site, $path) {
    $web = Open-HostWeb
    try {
        $application = Get-HostWebApplication $web $site
        $found = $application.VirtualDirectories[$path]
        if ($found) { $application.VirtualDirectories.Remove($found); $web.CommitChanges() }
    } finally { $web.Dispose() }
}

# The first line that a server says; an address that leads nowhere shows by silence.
function Get-HostGreeting($name, $port, $timeout) {
    $client = New-Object System.Net.Sockets.TcpClient
    try {
        if (-not $client.ConnectAsync($name, [int]$port).Wait(1000 * $timeout)) { throw (New-HostError 'other' "No connection within $timeout s." $name) }
        $stream = $client.GetStream()
        $stream.ReadTimeout = 1000 * $timeout
        $reader = New-Object System.IO.StreamReader $stream, ([System.Text.Encoding]::ASCII)
        return [string]$reader.ReadLine()
    } finally { $client.Close() }
}

# Who listens where: process, program, and the service it runs as.
function Get-HostPort {
    $services = @{}
    Get-CimInstance -ClassName Win32_Service -Filter 'ProcessId > 0' | ForEach-Object { $services[[int]$_.ProcessId] = $_.Name }
    $images = @{}
    Get-Process | ForEach-Object { $images[$_.Id] = $_.ProcessName + '.exe' }
    foreach ($row in Get-NetTCPConnection -State Listen) {
        $id = [int]$row.OwningProcess
        @{ port = [int]$row.LocalPort; address = [string]$row.LocalAddress; pid = $id; image = [string]$images[$id]; service = [string]$services[$id] }
    }
}

function Get-PendingReboot {
    $windows = 'HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion'
    if (Get-HostRegistry "$windows\Component Based Servicing\RebootPending") { 'component servicing' }
    if (Get-HostRegistry "$windows\WindowsUpdate\Auto Update\RebootRequired") { 'windows update' }
    if (Get-HostValue 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager' 'PendingFileRenameOperations' $null) { 'file renames' }
}

function Test-Administrator {
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object System.Security.Principal.WindowsPrincipal $identity
    return $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Read-Facts {
    $version = 'HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $pages = 'HKLM\SYSTEM\CurrentControlSet\Control\Nls\CodePage'
    $drive = New-Object System.IO.DriveInfo 'C'
    $quotas = @{}
    foreach ($section in 'winrm/config', 'winrm/config/winrs', 'winrm/config/service') {
        foreach ($quota in (Get-WSManInstance -ResourceURI $section).ChildNodes) {
            if ($quota.LocalName -like 'Max*' -or $quota.LocalName -eq 'IdleTimeout') { $quotas[$quota.LocalName] = [long]$quota.InnerText }
        }
    }
    return @{
        build = [int](Get-HostValue $version 'CurrentBuildNumber' 0)
        revision = [int](Get-HostValue $version 'UBR' 0)
        caption = [string](Get-HostValue $version 'ProductName' '')
        hostname = [System.Environment]::MachineName
        user = [System.Environment]::UserDomainName + '\' + [System.Environment]::UserName
        administrator = Test-Administrator
        users = @(Get-CimInstance -ClassName Win32_UserAccount -Filter 'LocalAccount = TRUE' | ForEach-Object { $_.Name })
        powershell = [string]$PSVersionTable.PSVersion
        profile = [System.Environment]::GetFolderPath('UserProfile')
        code_page = [int](Get-HostValue $pages 'OEMCP' 0)
        ansi_code_page = [int](Get-HostValue $pages 'ACP' 0)
        culture = [System.Globalization.CultureInfo]::CurrentCulture.Name
        language_mode = [string]$ExecutionContext.SessionState.LanguageMode
        boot_time = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime().ToString('o')
        now = [System.DateTime]::UtcNow.ToString('o')
        disk = @{ free = $drive.AvailableFreeSpace; total = $drive.TotalSize }
        pending_reboot = @(Get-PendingReboot)
        ports = @(Get-HostPort)
        quotas = $quotas
    }
}
