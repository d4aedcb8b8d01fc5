<#
Makes the lab's PowerShell the Windows PowerShell of a Server 2019, from the first line of a session: functions stand in
for what only Windows has and ask the lab's model, drive C is the lab's folder, and 5.1's behaviour is back where 7
differs. MAILHOST_LAB_PORT, MAILHOST_LAB_TOKEN and MAILHOST_LAB_ROOT say which lab (lab/engine/pwsh.py sets them).
#>

$script:reader = $null
$script:writer = $null

# --- asking the model --------------------------------------------------------------------------------------------

function Connect-Lab {
    $client = [Net.Sockets.TcpClient]::new('127.0.0.1', [int]$env:MAILHOST_LAB_PORT)
    $client.NoDelay = $true
    $encoding = [Text.UTF8Encoding]::new($false)
    $script:reader = [IO.StreamReader]::new($client.GetStream(), $encoding)
    $script:writer = [IO.StreamWriter]::new($client.GetStream(), $encoding)
    $script:writer.AutoFlush = $true
}

function Invoke-Lab([string]$call, [Collections.IDictionary]$arguments) {
    if (-not $script:writer) { Connect-Lab }
    $given = @{}
    foreach ($name in $arguments.Keys) {
        $given[$name] = ConvertTo-Sent $arguments[$name]
        if ($name -in 'path', 'to') { $given[$name] = ConvertTo-WindowsPath $given[$name] }
    }
    $line = @{ token = $env:MAILHOST_LAB_TOKEN; call = $call; args = $given } | Microsoft.PowerShell.Utility\ConvertTo-Json -Compress -Depth 32
    $script:writer.Write($line + "`n")
    $reply = $script:reader.ReadLine() | Microsoft.PowerShell.Utility\ConvertFrom-Json -AsHashtable -DateKind String
    if ($reply['ok']) { return ConvertTo-Taken $reply['value'] }
    $failure = [InvalidOperationException]::new($reply['error']['message'])
    $failure.Data['code'] = $reply['error']['code']
    $failure.Data['what'] = $reply['error']['what']
    throw $failure
}

# The host script opens some files itself and then names them by their real path.
function ConvertTo-WindowsPath([string]$path) {
    $drive = "$env:MAILHOST_LAB_ROOT/c"
    if ($path.StartsWith("$drive/")) { return 'C:' + $path.Substring($drive.Length).Replace('/', '\') }
    return $path
}

function ConvertTo-Sent($value) {
    if ($value -is [byte[]]) { return @{ base64 = [Convert]::ToBase64String($value) } }
    if ($value -is [switch] -or $value -is [bool]) { return [bool]$value }
    if ($value -is [datetime]) { return $value.ToString('o') }
    if ($value -is [Collections.IDictionary]) {
        $sent = @{}
        foreach ($name in $value.Keys) { $sent["$name"] = ConvertTo-Sent $value[$name] }
        return $sent
    }
    if ($value -is [Collections.IList]) { return , @($value | ForEach-Object { ConvertTo-Sent $_ }) }
    if ($value -is [enum] -or $value -is [uri]) { return "$value" }
    return $value
}

# Hashtables without regard to case, as 5.1 makes them.
function ConvertTo-Taken($value) {
    if ($value -is [Collections.IDictionary]) {
        if ($value.Count -eq 1 -and $value.Contains('base64')) { return , [Convert]::FromBase64String($value['base64']) }
        $taken = @{}
        foreach ($name in $value.Keys) { $taken["$name"] = ConvertTo-Taken $value[$name] }
        return $taken
    }
    if ($value -is [Collections.IList]) { return , @($value | ForEach-Object { ConvertTo-Taken $_ }) }
    return $value
}

# --- the seam ----------------------------------------------------------------------------------------------------

# Seam functions whose body only Windows can run: what they ask, and their parameters in order. An alias is found before
# the function of that name that a session loads, so these stay in force.
$seam = [ordered]@{
    'Get-HostItem' = 'seam.item', 'path'
    'Read-HostFile' = 'files.read', 'path'
    'Get-HostHash' = 'files.sha256', 'path'
    'Get-HostChild' = 'files.names', 'path'
    'Measure-HostTree' = 'seam.measure', 'folder', 'besides'
    'Write-HostFile' = 'seam.write', 'path', 'data', 'sddl'
    'Move-HostFile' = 'seam.put', 'path', 'to'
    'Move-HostItem' = 'files.move', 'source', 'target'
    'Remove-HostItem' = 'seam.remove', 'path'
    'Remove-HostFolder' = 'files.delete_directory', 'path'
    'New-HostDirectory' = 'seam.make', 'path', 'sddl'
    'Set-HostJunction' = 'files.create_junction', 'path', 'target'
    'Test-HostHeld' = 'seam.held', 'path'
    'Get-HostAccess' = 'files.sddl', 'path'
    'Set-HostAccess' = 'files.set_sddl', 'path', 'sddl'
    'Get-HostOwner' = 'files.owner', 'path'
    'Expand-HostArchive' = 'seam.expand', 'archive', 'folder', 'inside', 'strip'
    'Install-HostPackage' = 'seam.install', 'folder', 'wheels'
    'Save-HostUrl' = 'seam.save', 'url', 'path'
    'Get-HostRegistry' = 'registry.values', 'key'
    'Get-HostRegistryChild' = 'registry.subkeys', 'key'
    'Set-HostRegistry' = 'registry.set', 'key', 'name', 'type', 'data'
    'Remove-HostRegistry' = 'registry.delete_value', 'key', 'name'
    'Invoke-HostProgram' = 'seam.run', 'file', 'arguments', 'text', 'timeout'
    'Start-HostProgram' = 'seam.start', 'file', 'arguments'
    'Test-HostProgram' = 'seam.runs', 'pid'
    'Stop-HostProgram' = 'seam.stop', 'pid', 'timeout'
    'Get-HostTask' = 'seam.task', 'path'
    'Get-HostListener' = 'seam.listener', 'address', 'transport'
    'Get-HostCertificate' = 'seam.certificate', 'thumbprint'
    'Get-HostWebFolder' = 'seam.web_folder', 'site', 'path'
    'Set-HostWebFolder' = 'seam.put_web_folder', 'site', 'path', 'target'
    'Remove-HostWebFolder' = 'seam.remove_web_folder', 'site', 'path'
    'Get-HostGreeting' = 'seam.greeting', 'name', 'port', 'timeout'
    'Read-Facts' = 'host.facts', ''
}
foreach ($name in $seam.Keys) {
    $call, $parameters = $seam[$name]
    $names = @($parameters | Where-Object { $_ })
    $given = ($names | ForEach-Object { "'$_' = `$$_" }) -join '; '
    $lines = "param($(($names | ForEach-Object { "`$$_" }) -join ', '))`n`$value = Invoke-Lab '$call' @{ $given }"
    # Lists are put out item by item, as the real ones do; anything else as it is, nothing as nothing.
    $result = if ($call -in 'files.names', 'registry.subkeys') { '$value' } else { 'if ($null -ne $value) { return , $value }' }
    $own = $name.Replace('-', '-Lab')
    Invoke-Expression "function $own {`n$lines`n$result`n}"
    Set-Alias $name $own
}

# A path that the host script opens by itself is a real one here.
function Resolve-LabHostPath($path) {
    if ($path.StartsWith('/')) { return $path }
    Invoke-Lab 'seam.real' @{ path = $path.Replace('/', '\') }
}
Set-Alias Resolve-HostPath Resolve-LabHostPath

# Python's own interpreter takes the place of the one in the archive, which is for Windows.
function Expand-LabHostInterpreter($archive, $folder, $inside, $publisher) {
    [void](Invoke-Lab 'seam.interpreter' @{ folder = $folder })
}
Set-Alias Expand-HostInterpreter Expand-LabHostInterpreter

# .NET locks whole files here, or not at all: readers go around the lock, by the model.
function Open-LabRunLock($path, $text) {
    try { $stream = [IO.FileStream]::new($path, 'OpenOrCreate', 'Write', 'None', 4096, [IO.FileOptions]::DeleteOnClose) }
    catch {
        $failure = [IO.IOException]::new("The process cannot access the file '$path' because it is being used by another process.")
        $failure.Data['code'] = 'sharing-violation'
        throw $failure
    }
    $bytes = [Text.Encoding]::UTF8.GetBytes($text)
    $stream.SetLength(0)
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush($true)
    return $stream
}
Set-Alias Open-RunLock Open-LabRunLock

function Test-LabRunLock($path) {
    if (-not [IO.File]::Exists($path)) { return $false }
    try { [IO.FileStream]::new($path, 'Open', 'ReadWrite', 'None').Dispose() }
    catch [IO.FileNotFoundException] { return $false }
    catch [IO.IOException] { return $true }
    return $false
}
Set-Alias Test-RunLock Test-LabRunLock

function Read-LabHolder($path) {
    try { return Microsoft.PowerShell.Utility\ConvertFrom-Json ([Text.Encoding]::UTF8.GetString((Invoke-Lab 'files.read' @{ path = $path }))) }
    catch { return @{ run = ''; user = ''; start = '' } }
}
Set-Alias Read-Holder Read-LabHolder

# --- commands that only Windows has ------------------------------------------------------------------------------

$script:StubHandler = {
    param($name, $bound)
    $parameters = @{}
    foreach ($key in $bound.Keys) {
        if ($key -notin 'ErrorAction', 'WarningAction', 'Verbose', 'Debug', 'Confirm', 'WhatIf') { $parameters[$key] = $bound[$key] }
    }
    $rows = Invoke-Lab 'seam.command' @{ command = $name; parameters = $parameters }
    foreach ($row in $rows) {
        if ($row -is [Collections.IDictionary] -and $row['SignerCertificate']) {
            $row['SignerCertificate'] = [Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]]$row['SignerCertificate'])
        }
        if ($row -is [Collections.IDictionary]) { [pscustomobject]$row } elseif ($null -ne $row) { $row }
    }
}
. "$PSScriptRoot/stubs.generated.ps1"

# The certificates of the machine, which the Cert: drive shows.
function Get-ChildItem {
    [CmdletBinding(DefaultParameterSetName = 'Items')]
    param(
        [Parameter(ParameterSetName = 'Items', Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string[]]$Path,
        [Parameter(ParameterSetName = 'LiteralItems', Mandatory)][string[]]$LiteralPath,
        [Parameter(Position = 1)][string]$Filter,
        [string[]]$Include, [string[]]$Exclude, [switch]$Recurse, [int]$Depth, [switch]$Force, [switch]$Name,
        [switch]$File, [switch]$Directory, [switch]$Hidden
    )
    process {
        $place = "$Path$LiteralPath"
        if ($place -notlike 'Cert:*') { return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters }
        if ($place.TrimEnd('\') -ne 'Cert:\LocalMachine\My') { throw [ArgumentException]::new("The lab has no store $place.") }
        $rows = Invoke-Lab 'seam.certificates' @{}
        foreach ($row in $rows) {
            if ($row) {
                $row.NotAfter = [datetime]::Parse($row.NotAfter, [Globalization.CultureInfo]::InvariantCulture)
                [pscustomobject]$row
            }
        }
    }
}

# --- what 5.1 does otherwise than 7 ------------------------------------------------------------------------------

# Arrays come out whole, and a text that looks like a date stays a text.
function ConvertFrom-Json {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][AllowEmptyString()][string]$InputObject)
    begin { $text = [Text.StringBuilder]::new() }
    process { [void]$text.AppendLine($InputObject) }
    end { Microsoft.PowerShell.Utility\ConvertFrom-Json -InputObject $text.ToString() -NoEnumerate -DateKind String }
}

# A pipe to a program carries ASCII, arguments lose their inner quotes, `>` writes UTF-16, an array has a Count that JSON shows.
$global:OutputEncoding = [Text.ASCIIEncoding]::new()
$global:PSNativeCommandArgumentPassing = 'Legacy'
$global:PSDefaultParameterValues['Out-File:Encoding'] = 'unicode'
Update-TypeData -TypeName System.Array -MemberType AliasProperty -MemberName Count -Value Length -Force

if ($env:MAILHOST_LAB_ROOT) {
    [void](New-PSDrive -Name C -PSProvider FileSystem -Root "$env:MAILHOST_LAB_ROOT/c" -Scope Global -ErrorAction Ignore)
}

Export-ModuleMember -Function * -Alias *
