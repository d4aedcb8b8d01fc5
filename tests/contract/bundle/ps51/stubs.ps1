<#
Prints functions that stand in for Windows PowerShell 5.1 commands this machine lacks (New-Service, Get-NetFirewallRule, ...).
Each binds exactly the parameters, positions and parameter sets of commands.json.gz, so a wrong name or combination fails here
as it would there, and then calls  & $StubHandler COMMAND BOUND-PARAMETERS PIPELINE-ITEM  once for each pipeline item.

    pwsh -NoProfile -File stubs.ps1 New-Service Get-Service > stubs.generated.ps1

A parameter of any but a plain type is taken as [object]; enumerations are then not checked: the handler should.
#>
[CmdletBinding(PositionalBinding = $false)]
param([Parameter(Mandatory, Position = 0, ValueFromRemainingArguments)][string[]]$Name)
$ErrorActionPreference = 'Stop'
function Read-Facts($name) {
    $packed = [IO.Compression.GZipStream]::new([IO.File]::OpenRead("$PSScriptRoot/$name.json.gz"), [IO.Compression.CompressionMode]::Decompress)
    [IO.StreamReader]::new($packed).ReadToEnd() | ConvertFrom-Json -AsHashtable
}
$commands = Read-Facts commands
# any other type's short name may be another type's here ([Action])
$plain = '^(string|int|long|uint32|uint64|byte|char|bool|switch|uri|hashtable|datetime|timespan|object|scriptblock|securestring|pscredential)(\[\])?$'
$common = 'WhatIf', 'Confirm', 'UseTransaction'
foreach ($n in $Name) {
    $facts = $commands[$n]
    if (-not $facts) { throw "$n is not a command of Windows PowerShell 5.1 (commands.json.gz)" }
    $byParameter = [ordered]@{}
    for ($i = 0; $i -lt $facts.sets.Count; $i++) {
        foreach ($p in $facts.sets[$i]) {
            if ($p.name -in $common) { continue }
            if (-not $byParameter.Contains($p.name)) { $byParameter[$p.name] = @{ type = $p.type; uses = @() } }
            $arguments = @("ParameterSetName = 'set$i'")
            if ($p.mandatory) { $arguments += 'Mandatory' }
            if ($null -ne $p.position) { $arguments += "Position = $($p.position)" }
            if ($p.name -match '^(InputObject|Associated.*)$') { $arguments += 'ValueFromPipeline' }
            $byParameter[$p.name].uses += "[Parameter($($arguments -join ', '))]"
        }
    }
    $lines = foreach ($key in $byParameter.Keys) {
        $type = $byParameter[$key].type
        if ($type -notmatch $plain) { $type = 'object' }
        "        $($byParameter[$key].uses -join ' ')[$type]`$$key"
    }
    $sets = if ($facts.sets.Count) { "DefaultParameterSetName = 'set0', " }
    @"
function $n {
    [CmdletBinding(${sets}PositionalBinding = `$false, SupportsShouldProcess)]
    param(
$($lines -join ",`n")
    )
    process { & `$StubHandler '$n' `$PSBoundParameters `$_ }
}
"@
}
