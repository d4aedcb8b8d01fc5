# The seam: everything that only Windows has, in functions of a few lines. Kinds and the host script reach files,
# access lists, the registry, the network and programs through these alone, and through windows.ps1. A path is absolute
# and has backslashes.

# --- files -----------------------------------------------------------------------------------------------------

function Resolve-HostPath($path) {
    $expanded = [System.Environment]::ExpandEnvironmentVariables($path.Replace('/', '\'))
    return [System.IO.Path]::GetFullPath($expanded)
}

# $null, or the type (file, directory, junction), size and target of what is there.
function Get-HostItem($path) {
    try { $attributes = [System.IO.File]::GetAttributes($path) }
    catch [System.IO.FileNotFoundException], [System.IO.DirectoryNotFoundException] { return $null }
    if ($attributes -band [System.IO.FileAttributes]::ReparsePoint) {
        $target = [string]@((Get-Item -LiteralPath $path -Force).Target)[0]
        return @{ type = 'junction'; size = 0; target = $target }
    }
    if ($attributes -band [System.IO.FileAttributes]::Directory) { return @{ type = 'directory'; size = 0; target = '' } }
    return @{ type = 'file'; size = (New-Object System.IO.FileInfo $path).Length; target = '' }
}

function Get-HostChild($path) {
    foreach ($entry in [System.IO.Directory]::GetFileSystemEntries($path)) { [System.IO.Path]::GetFileName($entry) }
}

# Junctions and what Python caches are left out, and the one file named right below.
function Measure-HostTree($path, $besides) {
    $files = 0
    $bytes = [long]0
    $folders = New-Object System.Collections.Stack
    $folders.Push((New-Object System.IO.DirectoryInfo $path))
    while ($folders.Count) {
        foreach ($entry in $folders.Pop().GetFileSystemInfos()) {
            if ($entry.Attributes -band [System.IO.FileAttributes]::ReparsePoint) { continue }
            if ($entry -is [System.IO.DirectoryInfo]) {
                if ($entry.Name -ne '__pycache__') { $folders.Push($entry) }
            } elseif ($entry.FullName -ne "$path\$besides") {
                $files++
                $bytes += $entry.Length
            }
        }
    }
    return @{ files = $files; bytes = $bytes }
}

# For the pieces of uploads and downloads; nobody else writes to a file that is being made.
function Open-HostWriter($path) {
    return New-Object System.IO.FileStream $path, 'Create', 'Write', 'None'
}

function Open-HostReader($path) {
    return New-Object System.IO.FileStream $path, 'Open', 'Read', 'ReadWrite, Delete'
}

function Read-HostFile($path) {
    $stream = New-Object System.IO.FileStream $path, 'Open', 'Read', 'ReadWrite, Delete'
    try {
        $memory = New-Object System.IO.MemoryStream
        $stream.CopyTo($memory)
        return , $memory.ToArray()
    } finally { $stream.Dispose() }
}

function Get-HostHash($path) {
    $stream = New-Object System.IO.FileStream $path, 'Open', 'Read', 'ReadWrite, Delete'
    try { return ConvertTo-Hex ([System.Security.Cryptography.SHA256]::Create().ComputeHash($stream)) }
    finally { $stream.Dispose() }
}

# Beside its place first, closed before there is anything to read. With no access list given, that of the file stays.
function Write-HostFile($path, $bytes, $sddl) {
    $part = "$path.new"
    [System.IO.File]::WriteAllBytes($part, (New-Object byte[] 0))
    if (-not $sddl -and [System.IO.File]::Exists($path)) { Set-HostAccess $part (Get-HostAccess $path) }
    if ($sddl) { Set-HostAccess $part $sddl }
    [System.IO.File]::WriteAllBytes($part, $bytes)
    Move-HostFile $part $path
    if ($sddl) { Set-HostAccess $path $sddl }
}

# Over a file that is there, whose access list stays.
function Move-HostFile($from, $to) {
    if ([System.IO.File]::Exists($to)) { [System.IO.File]::Replace($from, $to, [NullString]::Value) }
    else { [System.IO.File]::Move($from, $to) }
}

# A rename; refused when something is there.
function Move-HostItem($from, $to) {
    [System.IO.Directory]::Move($from, $to)
}

# A junction loses its name alone, never what it points to.
function Remove-HostItem($path) {
    $item = Get-HostItem $path
    if (-not $item) { return }
    if ($item.type -eq 'file') { [System.IO.File]::Delete($path) }
    else { [System.IO.Directory]::Delete($path, ($item.type -eq 'directory')) }
}

# Refused when there is something in it.
function Remove-HostFolder($path) {
    [System.IO.Directory]::Delete($path, $false)
}

function New-HostDirectory($path, $sddl) {
    if (-not $sddl) { [void][System.IO.Directory]::CreateDirectory($path); return }
    $security = New-Object System.Security.AccessControl.DirectorySecurity
    $security.SetSecurityDescriptorSddlForm($sddl, 'Access, Owner')
    [void][System.IO.Directory]::CreateDirectory($path, $security)
}

function Set-HostJunction($path, $target) {
    if (Get-HostItem $path) { [System.IO.Directory]::Delete($path, $false) }
    [void](New-Item -ItemType Junction -Path $path -Value $target)
}

# Whether a program or library right in the folder is in use.
function Test-HostHeld($path) {
    foreach ($name in Get-HostChild $path) {
        if ($name -notmatch '\.(exe|dll|pyd)$') { continue }
        try { (New-Object System.IO.FileStream "$path\$name", 'Open', 'ReadWrite', 'None').Dispose() }
        catch [System.IO.IOException] { return $true }
    }
    return $false
}

function Get-HostAccess($path) {
    $security = (Get-Item -LiteralPath $path -Force).GetAccessControl('Access, Owner')
    return $security.GetSecurityDescriptorSddlForm('Access, Owner')
}

function Get-HostOwner($path) {
    $security = (Get-Item -LiteralPath $path -Force).GetAccessControl('Owner')
    return $security.GetOwner([System.Security.Principal.SecurityIdentifier]).Value
}

# Not Set-Acl, which also writes what was not asked for and needs more privileges.
function Set-HostAccess($path, $sddl) {
    $item = Get-Item -LiteralPath $path -Force
    $type = if ($item -is [System.IO.DirectoryInfo]) { 'DirectorySecurity' } else { 'FileSecurity' }
    $security = New-Object "System.Security.AccessControl.$type"
    $security.SetSecurityDescriptorSddlForm($sddl, 'Access, Owner')
    $item.SetAccessControl($security)
}

# Only what lies in the folder named, or without the one folder that holds everything.
function Expand-HostArchive($archive, $folder, $inside, $strip) {
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    $zip = [System.IO.Compression.ZipFile]::OpenRead($archive)
    try {
        $entries = @($zip.Entries | Where-Object { -not $_.FullName.EndsWith('/') })
        $prefix = ''
        if ($inside) { $prefix = $inside.Replace('\', '/').Trim('/') + '/' }
        elseif ($strip) {
            $tops = @($entries | ForEach-Object { $_.FullName.Split('/')[0] } | Select-Object -Unique)
            if ($tops.Count -eq 1 -and -not @($entries | Where-Object { $_.FullName -notmatch '/' }).Count) { $prefix = $tops[0] + '/' }
        }
        $root = [System.IO.Path]::GetFullPath($folder) + '\'
        $chosen = @($entries | Where-Object { $_.FullName.StartsWith($prefix) })
        if (-not $chosen.Count) { throw (New-HostError 'other' "'$archive' holds nothing in '$prefix'." $archive) }
        foreach ($entry in $chosen) {
            $target = [System.IO.Path]::GetFullPath($root + $entry.FullName.Substring($prefix.Length).Replace('/', '\'))
            if (-not $target.StartsWith($root)) { throw (New-HostError 'other' "'$archive' holds '$($entry.FullName)', which lies outside of it." $archive) }
            [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::GetDirectoryName($target))
            [System.IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $target, $true)
        }
    } finally { $zip.Dispose() }
}

# The interpreter of a release: a whole Python out of its archive, signed by whom it should be.
function Expand-HostInterpreter($archive, $folder, $inside, $publisher) {
    Expand-HostArchive $archive $folder $inside $false
    Confirm-HostSigner "$folder\python.exe" $publisher
}

# The packages of a lock, from the wheels beside it, each by its hash.
function Install-HostPackage($folder, $wheels) {
    $options = '--no-index --no-deps --require-hashes --disable-pip-version-check --no-warn-script-location'
    $done = Invoke-HostProgram "$folder\python.exe" "-m pip install --quiet $options --find-links `"$wheels`" -r `"$wheels\requirements.txt`"" '' 1800
    if ($done.rc) { throw (New-HostError 'other' "The packages of the release: $(Get-LastLine $done)" $folder) }
}

# Held open while the run lasts and gone with the process.
function Open-RunLock($path, $text) {
    # As text, the option would be taken for the switch that another constructor has in its place.
    $gone = [System.IO.FileOptions]::DeleteOnClose
    $stream = New-Object System.IO.FileStream $path, 'Create', 'Write', 'Read', 4096, $gone
    $bytes = [System.Text.Encoding]::UTF8.GetBytes($text)
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush($true)
    return $stream
}

# Whether a run has it open; one that a power cut has left behind is nobody's.
function Test-RunLock($path) {
    if (-not [System.IO.File]::Exists($path)) { return $false }
    try { (New-Object System.IO.FileStream $path, 'Open', 'Read', 'Read').Dispose() }
    catch [System.IO.FileNotFoundException] { return $false }
    catch [System.IO.IOException] { return $true }
    return $false
}

# --- text ------------------------------------------------------------------------------------------------------

function ConvertTo-Hex($bytes) {
    return [System.BitConverter]::ToString($bytes).Replace('-', '').ToLowerInvariant()
}

function ConvertTo-Utf8($text) {
    return , (New-Object System.Text.UTF8Encoding $false).GetBytes([string]$text)
}

function ConvertFrom-Utf8($bytes) {
    return (New-Object System.Text.UTF8Encoding $false).GetString($bytes)
}

function Get-TextHash($text) {
    return ConvertTo-Hex ([System.Security.Cryptography.SHA256]::Create().ComputeHash((ConvertTo-Utf8 $text)))
}

# Letters and digits, 190 bits; a byte that would favour some signs is drawn again.
function New-HostPassword {
    $signs = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
    $random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    $password = ''
    $byte = New-Object byte[] 1
    while ($password.Length -lt 32) {
        $random.GetBytes($byte)
        if ($byte[0] -lt 4 * $signs.Length) { $password += $signs[$byte[0] % $signs.Length] }
    }
    return $password
}

# --- downloads -------------------------------------------------------------------------------------------------

function Save-HostUrl($url, $path) {
    [System.Net.ServicePointManager]::SecurityProtocol = [System.Net.SecurityProtocolType]::Tls12
    $client = New-Object System.Net.WebClient
    try { $client.DownloadFile($url, $path) } finally { $client.Dispose() }
}

# Refuses a program that Windows does not find well signed, or that another than the publisher has signed.
function Confirm-HostSigner($path, $publisher) {
    if (-not $publisher) { return }
    $signature = Get-AuthenticodeSignature -LiteralPath $path
    if ([string]$signature.Status -ne 'Valid') { throw (New-HostError 'other' "The signature of '$path' is not good ($($signature.Status)), wanted is one of '$publisher'." $path) }
    $found = $signature.SignerCertificate.GetNameInfo('SimpleName', $false)
    if ($found -cne $publisher) { throw (New-HostError 'other' "'$path' is signed by '$found', wanted is '$publisher'." $path) }
}

function Test-Staged($download) {
    return $download.sha256 -and (Get-HostItem $download.staged) -and (Get-HostHash $download.staged) -eq $download.sha256
}

# The file at its staged path, checked: uploaded before, or from the first address that gives it.
function Receive-HostDownload($download) {
    $failures = @()
    if (-not $download.uploaded -and -not (Test-Staged $download)) {
        foreach ($url in $download.urls) {
            try { Save-HostUrl $url $download.staged } catch { $failures += "${url}: $($_.Exception.Message)"; continue }
            if (-not $download.sha256 -or (Test-Staged $download)) { break }
            $failures += "${url}: another SHA-256"
            Remove-HostItem $download.staged
        }
    }
    if (-not (Get-HostItem $download.staged)) {
        if ($download.uploaded) { $failures = @('it was not uploaded') }
        throw (New-HostError 'not-found' "No address gave the file: $($failures -join '; ')" $download.staged)
    }
    if ($download.sha256 -and -not (Test-Staged $download)) {
        $got = Get-HostHash $download.staged
        Remove-HostItem $download.staged
        throw (New-HostError 'other' "'$($download.staged)' has the SHA-256 $got, wanted is $($download.sha256)." $download.staged)
    }
    return $download.staged
}

# --- registry --------------------------------------------------------------------------------------------------

function Open-HostKey($key, $writable) {
    $hive, $path = $key.Split('\', 2)
    $hives = @{ HKLM = 'LocalMachine'; HKU = 'Users'; HKCR = 'ClassesRoot' }
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey($hives[$hive], 'Registry64')
    if ($writable) { return $root.CreateSubKey($path) }
    return $root.OpenSubKey($path)
}

# $null, or type and data of each value by name. Binary data is hexadecimal.
function Get-HostRegistry($key) {
    $opened = Open-HostKey $key $false
    if (-not $opened) { return $null }
    try {
        $values = @{}
        foreach ($name in $opened.GetValueNames()) {
            $type = [string]$opened.GetValueKind($name)
            $data = $opened.GetValue($name, $null, 'DoNotExpandEnvironmentNames')
            if ($type -eq 'Binary') { $data = ConvertTo-Hex $data }
            $values[$name] = @{ type = $type; data = $data }
        }
        return $values
    } finally { $opened.Dispose() }
}

function Get-HostRegistryChild($key) {
    $opened = Open-HostKey $key $false
    if ($opened) { try { $opened.GetSubKeyNames() } finally { $opened.Dispose() } }
}

function Set-HostRegistry($key, $name, $type, $data) {
    switch ($type) {
        'Binary' {
            $text = [string]$data
            $data = New-Object byte[] ($text.Length / 2)
            for ($i = 0; $i -lt $data.Length; $i++) { $data[$i] = [System.Convert]::ToByte($text.Substring(2 * $i, 2), 16) }
        }
        'DWord' { $data = [System.BitConverter]::ToInt32([System.BitConverter]::GetBytes([uint32]$data), 0) }
        'QWord' { $data = [System.BitConverter]::ToInt64([System.BitConverter]::GetBytes([uint64]$data), 0) }
        'MultiString' { $data = [string[]]@($data) }
    }
    $opened = Open-HostKey $key $true
    try { $opened.SetValue($name, $data, $type) } finally { $opened.Dispose() }
}

function Remove-HostRegistry($key, $name) {
    if (-not (Get-HostRegistry $key)) { return }
    $opened = Open-HostKey $key $true
    try { $opened.DeleteValue($name, $false) } finally { $opened.Dispose() }
}

function Get-HostValue($key, $name, $default) {
    $values = Get-HostRegistry $key
    if ($values -and $values.ContainsKey($name)) { return $values[$name].data }
    return $default
}

# --- programs --------------------------------------------------------------------------------------------------

# Bytes in and out are UTF-8 whatever the console's code page is; a pipe of PowerShell would lose what is not in it.
function New-HostProcess($file, $arguments) {
    $start = New-Object System.Diagnostics.ProcessStartInfo $file, $arguments
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.StandardOutputEncoding = New-Object System.Text.UTF8Encoding $false
    $start.StandardErrorEncoding = New-Object System.Text.UTF8Encoding $false
    return [System.Diagnostics.Process]::Start($start)
}

function Invoke-HostProgram($file, $arguments, $text, $timeout) {
    $process = New-HostProcess $file $arguments
    try {
        $out = $process.StandardOutput.ReadToEndAsync()
        $err = $process.StandardError.ReadToEndAsync()
        $bytes = ConvertTo-Utf8 $text
        $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
        $process.StandardInput.Close()
        if (-not $process.WaitForExit(1000 * $timeout)) {
            $process.Kill()
            throw (New-HostError 'other' "'$file' did not end within $timeout s." $file)
        }
        $process.WaitForExit()
        return @{ rc = $process.ExitCode; out = $out.Result; err = $err.Result }
    } finally { $process.Dispose() }
}

# What a program said last, for an error.
function Get-LastLine($done) {
    $lines = @("$($done.out)`n$($done.err)".Trim() -split '\r?\n' | Where-Object { $_ })
    if ($lines.Count) { return [string]$lines[$lines.Count - 1] }
    return "it ended with $($done.rc)"
}

function Start-HostProgram($file, $arguments) {
    $start = New-Object System.Diagnostics.ProcessStartInfo $file, $arguments
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    return [System.Diagnostics.Process]::Start($start).Id
}

function Test-HostProgram($id) {
    try { return -not [System.Diagnostics.Process]::GetProcessById($id).HasExited } catch { return $false }
}

# Waits for its end, and ends it when that takes too long.
function Stop-HostProgram($id, $timeout) {
    try { $process = [System.Diagnostics.Process]::GetProcessById($id) } catch { return }
    if (-not $process.WaitForExit(1000 * $timeout)) { $process.Kill() }
}
