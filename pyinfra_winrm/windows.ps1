# The rest of the seam: parts of Windows that answer for themselves, and the facts of a host.

# $null, or definition and last result; the task service's own object, for its commands take seconds.
function Get-HostTask($path) {
    $service = New-Object -ComObject Schedule.Service
    $service.Connect()
    try { $task = $service.GetFolder('\').GetTask($path) }
    catch [System.IO.FileNotFoundException], [System.IO.DirectoryNotFoundException] { return $null }
    return @{ xml = $task.Xml; last_result = $task.LastTaskResult }
}

# $null, or what WS-Management keeps of a listener.
function Get-HostListener($address, $transport) {
    $values = Get-HostRegistry "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener\$address+$transport"
    if (-not $values) { return $null }
    $listener = @{ port = 0; hostname = ''; certThumbprint = '' }
    foreach ($name in @($listener.Keys)) { if ($values.ContainsKey($name)) { $listener[$name] = $values[$name].data } }
    return @{ port = $listener.port; hostname = $listener.hostname; thumbprint = $listener.certThumbprint }
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
