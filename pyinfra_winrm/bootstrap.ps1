begin {
    $ProgressPreference = 'SilentlyContinue'
    $ErrorActionPreference = 'Stop'
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        '@@mailhost 0 <LANGUAGE-MODE>'
        exit 1
    }
    $mailhostUtf8 = New-Object System.Text.UTF8Encoding $false
    try { [Console]::OutputEncoding = $mailhostUtf8 } catch { $null = $_ }
    $mailhostOut = New-Object System.IO.StreamWriter ([Console]::OpenStandardOutput()), $mailhostUtf8
    $mailhostOut.AutoFlush = $true
    # Without this, 5.1 writes an array as {"value":[...],"Count":n} once it has been through a function.
    Remove-TypeData System.Array -ErrorAction SilentlyContinue
    function Write-Reply($id, $reply) {
        $reply['id'] = $id
        $json = ConvertTo-Json -InputObject $reply -Compress -Depth 32
        $mailhostOut.WriteLine("@@mailhost $id " + [Convert]::ToBase64String($mailhostUtf8.GetBytes($json)))
    }
}
process {
    $mailhostLine = "$input"
    $mailhostRequest = $null
    try {
        if ($mailhostLine[0] -eq '+') {
            Receive-Chunk $mailhostLine
        } elseif ($mailhostLine) {
            $mailhostRequest = ConvertFrom-Json $mailhostUtf8.GetString([Convert]::FromBase64String($mailhostLine))
            if ($mailhostRequest.verb -eq 'load') {
                . ([scriptblock]::Create($mailhostRequest.script))
                Write-Reply $mailhostRequest.id @{ ok = $true }
            } else {
                Invoke-Request $mailhostRequest
            }
        }
    } catch {
        $mailhostError = @{ code = 'other'; message = "$($_.Exception.Message)"; what = "$($mailhostRequest.name)" }
        Write-Reply ([int]$mailhostRequest.id) @{ ok = $false; error = $mailhostError }
    }
}
end {
    if (Get-Command Stop-Host -ErrorAction SilentlyContinue) { Stop-Host }
}
