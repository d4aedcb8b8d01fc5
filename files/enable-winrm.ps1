<#
Opens a fresh Windows Server to its first deploy: remote management over TLS, for the addresses named and nobody else.
Run once as administrator, in any of these ways; running it again changes nothing.

    paste it into a PowerShell window, then   Enable-RemoteManagement -Allow 203.0.113.7
    as a file       powershell -ExecutionPolicy Bypass -File enable-winrm.ps1 -Allow 203.0.113.7
    as user data    put the call with your address at the end of this text

-Allow      addresses or networks that may connect, with commas between them: where you deploy from
-Names      names and addresses by which you reach the server; the computer's own name by default
-Port       5986
It makes a certificate for these names, the listener, one firewall rule, and prints the line for inventory.py.
#>
function Enable-RemoteManagement {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)][string]$Allow,
        [string]$Names = [System.Environment]::MachineName,
        [int]$Port = 5986
    )
    $ErrorActionPreference = 'Stop'
    $label = 'Remote management for deploys'
    $allowed = @($Allow -split '[,\s]+' | Where-Object { $_ })
    $hosts = @($Names -split '[,\s]+' | Where-Object { $_ })
    if ($allowed -contains '*' -or $allowed -contains '0.0.0.0/0' -or $allowed -contains 'Any') {
        throw 'Name the addresses you deploy from: this opens the server to its administrator password.'
    }
    Set-Service -Name WinRM -StartupType Automatic
    Start-Service -Name WinRM

    # One with the same names and a month left is kept, so that the fingerprint in the inventory stays.
    $certificate = Get-ChildItem -Path Cert:\LocalMachine\My | Where-Object {
        $_.FriendlyName -eq $label -and $_.NotAfter -gt (Get-Date).AddDays(30) -and
        -not (Compare-Object $hosts @($_.DnsNameList | ForEach-Object { $_.Unicode }))
    } | Select-Object -First 1
    if (-not $certificate) {
        $certificate = New-SelfSignedCertificate -DnsName $hosts -CertStoreLocation Cert:\LocalMachine\My -FriendlyName $label -NotAfter (Get-Date).AddYears(5)
    }

    $which = @{ ResourceURI = 'winrm/config/Listener'; SelectorSet = @{ Address = '*'; Transport = 'HTTPS' } }
    $values = @{ Port = [string]$Port; Hostname = $hosts[0]; CertificateThumbprint = $certificate.Thumbprint }
    $listener = Get-WSManInstance -ResourceURI winrm/config/Listener -Enumerate | Where-Object { $_.Transport -eq 'HTTPS' }
    if (-not $listener) {
        [void](New-WSManInstance @which -ValueSet $values)
    } elseif ($listener.Port -ne $values.Port -or $listener.CertificateThumbprint -ne $values.CertificateThumbprint -or $listener.Hostname -ne $values.Hostname) {
        [void](Set-WSManInstance @which -ValueSet $values)
    }

    $rule = @{
        Name = 'RemoteManagement-Deploys'; Protocol = 'TCP'; LocalPort = [string]$Port; RemoteAddress = $allowed
        Direction = 'Inbound'; Action = 'Allow'; Enabled = 'True'; Profile = 'Any'
    }
    if (Get-NetFirewallRule -Name $rule.Name -ErrorAction SilentlyContinue) { Set-NetFirewallRule @rule -NewDisplayName $label }
    else { [void](New-NetFirewallRule @rule -DisplayName $label -Group $label) }

    $hash = [System.Security.Cryptography.SHA256]::Create().ComputeHash([byte[]]$certificate.RawData)
    $fingerprint = [System.BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()
    ''
    'Remote management listens on port {0} for {1}. For inventory.py:' -f $Port, ($allowed -join ', ')
    ''
    '("@winrm/{0}", {{"winrm_user": "{1}", "winrm_password_env": "WINRM_PASSWORD", "winrm_port": {2}, "winrm_fingerprint": "{3}"}}),' -f $hosts[0], $env:USERNAME, $Port, $fingerprint
}
if ($args.Count) { Enable-RemoteManagement @args }
