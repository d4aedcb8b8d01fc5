<#
Reads PowerShell files and reports what Windows PowerShell 5.1 (Windows Server, .NET Framework 4.7.2) would not accept:
syntax of later versions, commands and parameters it does not have, static members and constructors its .NET lacks,
aliases, and characters outside ASCII (5.1 reads a file without BOM in the ANSI code page).

    pwsh -NoProfile -File check.ps1 FILE... [-Known NAME,NAME]      exit status 1 when something is reported

One finding a line: FILE:LINE:COLUMN: what. -Known names commands that the files may call though they are defined elsewhere.
Facts: commands.json.gz (829 commands of Windows PowerShell 5.1.14393 with their parameter sets) and types.json.gz (3,512 public
types of .NET Framework 4.7.2; a member's numbers are its argument counts, 100+n for a last `params` argument, -1 for a property).
Instance members are checked where the text tells the type, and methods against all types where it does not (members.ps1).
#>
[CmdletBinding(PositionalBinding = $false)]
param([Parameter(Mandatory, Position = 0, ValueFromRemainingArguments)][string[]]$Path, [string]$Known = '')
$ErrorActionPreference = 'Stop'
function Read-Facts($name) {
    $packed = [IO.Compression.GZipStream]::new([IO.File]::OpenRead("$PSScriptRoot/$name.json.gz"), [IO.Compression.CompressionMode]::Decompress)
    [IO.StreamReader]::new($packed).ReadToEnd() | ConvertFrom-Json -AsHashtable
}
$commands = Read-Facts commands
$types = Read-Facts types
$byName = [Collections.Hashtable]::new([StringComparer]::OrdinalIgnoreCase)
foreach ($name in $commands.Keys) { $byName[$name] = $commands[$name] }
$typeByName = [Collections.Hashtable]::new([StringComparer]::OrdinalIgnoreCase)
foreach ($name in $types.Keys) { $typeByName[$name] = $types[$name] }
# 5.1's own type accelerators for types that are looked up here under their full name
$accelerators = @{ bool='System.Boolean'; byte='System.Byte'; char='System.Char'; int='System.Int32'; int16='System.Int16'; long='System.Int64'
  string='System.String'; double='System.Double'; float='System.Single'; decimal='System.Decimal'; datetime='System.DateTime'; timespan='System.TimeSpan'
  guid='System.Guid'; regex='System.Text.RegularExpressions.Regex'; xml='System.Xml.XmlDocument'; array='System.Array'; object='System.Object'
  version='System.Version'; uri='System.Uri'; ipaddress='System.Net.IPAddress'; math='System.Math'; type='System.Type'; uint16='System.UInt16'
  uint32='System.UInt32'; uint64='System.UInt64'; mailaddress='System.Net.Mail.MailAddress'; wmi='System.Management.ManagementObject'
  wmiclass='System.Management.ManagementClass'; adsi='System.DirectoryServices.DirectoryEntry'; exception='System.Exception' }
$common = 'Verbose','Debug','ErrorAction','WarningAction','InformationAction','ErrorVariable','WarningVariable','InformationVariable','OutVariable','OutBuffer','PipelineVariable'
$later = 'IsWindows','IsLinux','IsMacOS','IsCoreCLR','PSStyle','EnabledExperimentalFeatures'
$lateTokens = 'QuestionQuestion','QuestionQuestionEquals','QuestionDot','QuestionLBracket','AndAnd','OrOr','Clean'
$encodings51 = 'Ascii','BigEndianUnicode','BigEndianUTF32','Byte','Default','Oem','String','Unicode','Unknown','UTF7','UTF8','UTF32'
$findings = 0
function report($extent, $text) {
    $script:findings++
    '{0}:{1}:{2}: {3}' -f $extent.File, $extent.StartLineNumber, $extent.StartColumnNumber, $text
}
function framework-type($name) {
    if ($accelerators.ContainsKey($name)) { return $typeByName[$accelerators[$name]] }
    if ($typeByName.ContainsKey($name)) { return $typeByName[$name] }
    $typeByName["System.$name"]
}
function argument-count-fits($counts, $n) {
    foreach ($c in $counts) { if ($c -eq $n -or $c -eq -1 -or ($c -ge 100 -and $n -ge $c - 101)) { return $true } }
    $false
}
. "$PSScriptRoot/members.ps1"
$parsed = foreach ($file in $Path) {
    $tokens = $errors = $null
    $ast = [Management.Automation.Language.Parser]::ParseFile((Resolve-Path $file), [ref]$tokens, [ref]$errors)
    [pscustomobject]@{ ast = $ast; tokens = $tokens; errors = $errors }
}
$own = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase)
foreach ($k in $Known -split ',') { [void]$own.Add($k) }
foreach ($p in $parsed) { foreach ($f in $p.ast.FindAll({ $args[0] -is [Management.Automation.Language.FunctionDefinitionAst] }, $true)) { [void]$own.Add($f.Name) } }
foreach ($p in $parsed) {
    foreach ($e in $p.errors) { report $e.Extent "does not parse: $($e.Message)" }
    foreach ($t in $p.tokens) {
        if ("$($t.Kind)" -in $lateTokens -and -not ("$($t.Kind)" -eq 'Clean' -and $t.TokenFlags -notmatch 'Keyword')) { report $t.Extent "'$($t.Text)' is not in 5.1" }
        if ("$($t.Kind)" -eq 'Number' -and $t.Text -match '^0b|[0-9](u|y|uy|s|us|ul|n)$' -and $t.Text -notmatch '^0x') { report $t.Extent "number '$($t.Text)' is not in 5.1" }
        if ("$($t.Kind)" -match 'String(Expandable)|HereStringExpandable' -and $t.Extent.Text -match '(?<!`)`(e|u\{)') { report $t.Extent 'escape `e or `u{} is not in 5.1' }
        if ($t.Extent.Text -match '[^\x00-\x7f]') { report $t.Extent 'character outside ASCII' }
    }
    $variables = variable-types $p.ast
    foreach ($node in $p.ast.FindAll({ $true }, $true)) {
        if ($node -is [Management.Automation.Language.MemberExpressionAst]) { check-member $node $variables }
        if ($node -is [Management.Automation.Language.InvokeMemberExpressionAst]) { check-null $node $variables }
        if ($node -is [Management.Automation.Language.InvokeMemberExpressionAst] -or $node -is [Management.Automation.Language.FileRedirectionAst] -or $node -is [Management.Automation.Language.CommandAst]) { check-writing $node }
        switch ($node.GetType().Name) {
            'TernaryExpressionAst' { report $node.Extent 'a ?: b is not in 5.1' }
            'PipelineChainAst' { report $node.Extent '&& and || are not in 5.1' }
            'PipelineAst' { if ($node.Background) { report $node.Extent 'a background pipeline (&) is not in 5.1' } }
            'VariableExpressionAst' { if ($node.VariablePath.UserPath -in $later) { report $node.Extent "`$$($node.VariablePath.UserPath) is not in 5.1" } }
            'TypeExpressionAst' {
                $name = $node.TypeName.FullName
                $parent = $node.Parent
                if ($parent -is [Management.Automation.Language.MemberExpressionAst] -and $parent.Static -and $parent.Expression -eq $node -and $node.TypeName -is [Management.Automation.Language.TypeName]) {
                    $type = framework-type $name
                    $member = $parent.Member.Extent.Text
                    if (-not $type) {
                        if ($name -notmatch 'Management\.Automation|Microsoft\.|CimInstance|^(powershell|scriptblock|runspacefactory|pscustomobject|psobject|ref|nullstring)$') { report $node.Extent "type [$name] is not known in .NET Framework 4.7.2" }
                    } else {
                        $hit = $type.s.Keys | Where-Object { $_ -eq $member } | Select-Object -First 1
                        if (-not $hit) { report $parent.Extent "[$name]::$member is not in .NET Framework 4.7.2" }
                        elseif ($parent -is [Management.Automation.Language.InvokeMemberExpressionAst]) {
                            $n = @($parent.Arguments | Where-Object { $_ }).Count
                            if (-not (argument-count-fits $type.s[$hit] $n)) { report $parent.Extent "[$name]::$member takes no $n arguments in .NET Framework 4.7.2" }
                        }
                    }
                }
            }
            'CommandAst' {
                $name = $node.GetCommandName()
                if (-not $name -or $node.InvocationOperator -ne 'Unknown' -and $name -match '[\\/]') { continue }
                if ($own.Contains($name) -or $name -match '\.exe$') { continue }
                $facts = $byName[$name]
                if (-not $facts) {
                    $alias = Get-Alias $name -ErrorAction Ignore
                    if ($alias -or $name -in 'curl','wget','sc','gwmi','gcim','sleep','ls','cat','rm','cp','mv','ps','kill','echo','sort','tee') { report $node.Extent "'$name' is an alias: write the command" }
                    else { report $node.Extent "command '$name' is not known in Windows PowerShell 5.1 (a program needs its .exe; see -Known)" }
                    continue
                }
                $given = @(); $splat = $false
                foreach ($e in $node.CommandElements | Select-Object -Skip 1) {
                    if ($e -is [Management.Automation.Language.CommandParameterAst]) {
                        if ($e.ParameterName -in $common -or $e.ParameterName -in 'WhatIf','Confirm') { continue }
                        $all = $facts.sets | ForEach-Object { $_ } | ForEach-Object { $_.name }
                        if ($e.ParameterName -notin $all) { report $e.Extent "$name has no parameter -$($e.ParameterName) in 5.1" } else { $given += $e.ParameterName }
                        if ($e.ParameterName -eq 'Encoding') {
                            $value = $e.Argument
                            if (-not $value) { $value = $node.CommandElements[$node.CommandElements.IndexOf($e) + 1] }
                            if ($value -is [Management.Automation.Language.StringConstantExpressionAst] -and $value.Value -notin $encodings51) { report $value.Extent "encoding '$($value.Value)' is not in 5.1" }
                        }
                    } elseif ($e -is [Management.Automation.Language.VariableExpressionAst] -and $e.Splatted) { $splat = $true }
                }
                if ($given.Count -gt 1) {
                    $fits = $false
                    foreach ($set in $facts.sets) { $names = $set.name; if (@($given | Where-Object { $_ -notin $names }).Count -eq 0) { $fits = $true; break } }
                    if (-not $fits) { report $node.Extent "$name takes no such set of parameters together in 5.1: -$($given -join ' -')" }
                }
                if ($name -eq 'New-Object' -and $node.CommandElements.Count -gt 1) {
                    $first = $node.CommandElements | Where-Object { $_ -is [Management.Automation.Language.StringConstantExpressionAst] } | Select-Object -Skip 1 -First 1
                    if ($first -and $first.Value -notmatch '\[|^PSObject$|Management\.Automation|^Microsoft\.Web\.Administration\.' -and 'ComObject' -notin $given -and -not (framework-type $first.Value)) { report $first.Extent "type $($first.Value) is not known in .NET Framework 4.7.2" }
                }
            }
        }
    }
}
if ($findings) { exit 1 }
