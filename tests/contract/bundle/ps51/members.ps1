<#
What check.ps1 needs to look at instance members: the type of an expression as far as the text tells it, and whether
that type has the member in .NET Framework 4.7.2. Where the type stays unknown, a method is still held against all types
there are: one that no type has with so many arguments cannot be called in 5.1.
#>

# What Windows PowerShell adds to file system items; LinkTarget, ResolvedTarget and UnixMode came later.
$itemMembers = 'Target','LinkType','Mode','BaseName','VersionInfo','PSPath','PSParentPath','PSChildName','PSDrive','PSProvider','PSIsContainer'
$laterMembers = 'LinkTarget','ResolvedTarget','UnixMode','UnixFileMode','UnixStat','LinkTypeString'
# Members that PowerShell gives to every object.
$everywhere = 'PSObject','PSTypeNames','PSBase','PSExtended','PSAdapted','Count','Length','ForEach','Where','Invoke','InvokeReturnAsIs','GetNewClosure','new'
$returnString = 'ToString','Replace','Trim','TrimStart','TrimEnd','Substring','ToLower','ToUpper','ToLowerInvariant','ToUpperInvariant','PadLeft','PadRight','Insert','Remove','Normalize'
# The automation engine's own types and the generic ones are not in types.json.gz.
$engineMethods = 'AddScript','AddArgument','AddParameter','AddCommand','BeginInvoke','EndInvoke','Stop','ContainsKey','TryGetValue'

$methodCounts = [Collections.Hashtable]::new([StringComparer]::OrdinalIgnoreCase)
foreach ($type in $types.Values) {
    foreach ($member in $type.i.Keys) {
        if (-not $methodCounts.ContainsKey($member)) { $methodCounts[$member] = [Collections.Generic.HashSet[int]]::new() }
        foreach ($count in $type.i[$member]) { [void]$methodCounts[$member].Add($count) }
    }
}

# The variables of a file that hold one known type each: assigned from New-Object, a cast or a text, or declared with a type.
function variable-types($ast) {
    $found = [Collections.Hashtable]::new([StringComparer]::OrdinalIgnoreCase)
    foreach ($node in $ast.FindAll({ $args[0] -is [Management.Automation.Language.AssignmentStatementAst] -or $args[0] -is [Management.Automation.Language.ParameterAst] }, $true)) {
        if ($node -is [Management.Automation.Language.ParameterAst]) {
            $name = $node.Name.VariablePath.UserPath
            $type = $node.Attributes | Where-Object { $_ -is [Management.Automation.Language.TypeConstraintAst] } | ForEach-Object { $_.TypeName.FullName }
        } else {
            if ("$($node.Operator)" -ne 'Equals' -or $node.Left -isnot [Management.Automation.Language.VariableExpressionAst]) { continue }
            $name = $node.Left.VariablePath.UserPath
            $type = expression-type $node.Right @{}
        }
        if ($found.ContainsKey($name) -and $found[$name] -ne "$type") { $found[$name] = '' } else { $found[$name] = "$type" }
    }
    $found
}

# The full name of an expression's type, 'com' for an automation object, '' when the text does not tell.
function expression-type($node, $variables) {
    switch ($node.GetType().Name) {
        'CommandExpressionAst' { return expression-type $node.Expression $variables }
        'PipelineAst' { if ($node.PipelineElements.Count -eq 1) { return expression-type $node.PipelineElements[0] $variables } }
        'ParenExpressionAst' { return expression-type $node.Pipeline $variables }
        'StringConstantExpressionAst' { return 'System.String' }
        'ExpandableStringExpressionAst' { return 'System.String' }
        'ConvertExpressionAst' { return $node.Type.TypeName.FullName }
        'VariableExpressionAst' { return [string]$variables[$node.VariablePath.UserPath] }
        'InvokeMemberExpressionAst' {
            $of = expression-type $node.Expression $variables
            if ($of -eq 'com') { return 'com' }
            if ($node.Member.Extent.Text -in $returnString -and ($of -in 'string', 'System.String' -or $node.Member.Extent.Text -eq 'ToString')) { return 'System.String' }
            if ($node.Static -and $node.Member.Extent.Text -eq 'new') { return $node.Expression.TypeName.FullName }
        }
        'MemberExpressionAst' { if ((expression-type $node.Expression $variables) -eq 'com') { return 'com' } }
        'CommandAst' {
            $name = $node.GetCommandName()
            if ($name -in 'Get-Item') { return 'item' }
            if ($name -ne 'New-Object') { return '' }
            $words = @($node.CommandElements | Select-Object -Skip 1)
            if ($words | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] -and $_.ParameterName -eq 'ComObject' }) { return 'com' }
            $first = $words | Where-Object { $_ -is [Management.Automation.Language.StringConstantExpressionAst] } | Select-Object -First 1
            if ($first) { return $first.Value }
        }
    }
    return ''
}

# Reports an instance member that 5.1 does not have.
function check-member($node, $variables) {
    if ($node.Static -or $node.Member -isnot [Management.Automation.Language.StringConstantExpressionAst]) { return }
    $member = $node.Member.Value
    if ($member -in $laterMembers) { report $node.Extent ".$member is not in 5.1"; return }
    $name = expression-type $node.Expression $variables
    if ($name -eq 'com' -or $member -in $everywhere) { return }
    $call = $node -is [Management.Automation.Language.InvokeMemberExpressionAst]
    $given = @($node.Arguments | Where-Object { $_ }).Count
    $known = if ($name -eq 'item') { @{ i = $types['System.IO.FileInfo'].i + @{} } } elseif ($name) { framework-type $name }
    if ($name -eq 'item') {
        foreach ($extra in $types['System.IO.DirectoryInfo'].i.Keys) { $known.i[$extra] = $types['System.IO.DirectoryInfo'].i[$extra] }
        foreach ($extra in $itemMembers) { $known.i[$extra] = @(-1) }
    }
    if ($known) {
        $hit = $known.i.Keys | Where-Object { $_ -eq $member } | Select-Object -First 1
        if (-not $hit) { report $node.Extent "[$name] has no member .$member in .NET Framework 4.7.2" }
        elseif ($call -and -not (argument-count-fits $known.i[$hit] $given)) { report $node.Extent "[$name].$member takes no $given arguments in .NET Framework 4.7.2" }
    } elseif ($call -and $member -notin $engineMethods -and $name -notmatch 'Management\.Automation|^(powershell|scriptblock)$') {
        $counts = $methodCounts[$member]
        if (-not $counts) { report $node.Extent "no type of .NET Framework 4.7.2 has a method .$member" }
        elseif (-not (argument-count-fits $counts $given)) { report $node.Extent "no type of .NET Framework 4.7.2 has .$member with $given arguments" }
    }
}

# Reports ways of writing that 5.1 encodes with a byte order mark or in UTF-16.
function check-writing($node) {
    if ($node -is [Management.Automation.Language.FileRedirectionAst]) {
        if ($node.Location.Extent.Text -ne '$null') { report $node.Extent "'>' writes UTF-16 in 5.1: write bytes" }
        return
    }
    if ($node -is [Management.Automation.Language.InvokeMemberExpressionAst]) {
        if ("$($node.Member.Extent.Text)" -notmatch '^(WriteAll|AppendAll|CreateText|new$)') { return }
        foreach ($argument in $node.Arguments) {
            if ($argument.Extent.Text -match 'Encoding\]::(UTF8|Unicode|BigEndianUnicode|UTF32)$') { report $argument.Extent 'this encoding writes a byte order mark: write bytes, or name UTF8Encoding $false' }
        }
        return
    }
    $command = $node.GetCommandName()
    if ($command -notin 'Set-Content', 'Add-Content', 'Out-File', 'Export-Csv', 'Export-Clixml', 'Tee-Object') { return }
    $named = $node.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] -and $_.ParameterName -eq 'Encoding' }
    if (-not $named) {
        $file = $command -ne 'Tee-Object' -or ($node.CommandElements | Where-Object { $_ -is [Management.Automation.Language.CommandParameterAst] -and $_.ParameterName -in 'FilePath', 'LiteralPath' })
        if ($command -in 'Out-File', 'Export-Clixml', 'Tee-Object' -and $file) { report $node.Extent "$command writes UTF-16 in 5.1: write bytes" }
        return
    }
    $value = if ($named.Argument) { $named.Argument } else { $node.CommandElements[$node.CommandElements.IndexOf($named) + 1] }
    $encoding = "$($value.Extent.Text)".Trim("'`"")
    if ($encoding -in 'UTF8', 'Unicode', 'BigEndianUnicode', 'UTF32', 'BigEndianUTF32') { report $node.Extent "-Encoding $encoding writes a byte order mark in 5.1: write bytes" }
}

# $null becomes an empty text where .NET wants a string; [NullString]::Value stays nothing. Static calls, constructors and
# the methods of a text are looked at; other instances often want an object, where nothing is nothing.
function check-null($node, $variables) {
    if ($node.Static) {
        if ($node.Expression.Extent.Text -match '^\[(string|object|System\.String|System\.Object)\]$') { return }
    } elseif ((expression-type $node.Expression $variables) -notin 'string', 'System.String') { return }
    foreach ($argument in $node.Arguments) {
        if ($argument.Extent.Text -eq '$null') { report $argument.Extent '$null is an empty text for .NET: write [NullString]::Value' }
    }
}
