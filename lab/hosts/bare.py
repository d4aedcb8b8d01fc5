"""A Windows Server 2019 as it comes: folders, users, the services and rules that a deploy meets, WinRM over HTTPS."""

from __future__ import annotations

from lab.model import sids
from lab.model.firewall import KEY as FIREWALL_RULES
from lab.model.host import Host
from lab.model.remoting import EVENT_LOG, W32TIME
from lab.model.services import ROOT as SERVICES
from lab.model.system import CURRENT_VERSION, SESSION_MANAGER

FOLDERS = (
    "Program Files", "Program Files (x86)", "ProgramData", "Users\\Administrator", "Users\\Public",
    "Windows\\System32\\config\\systemprofile", "Windows\\System32\\Tasks", "Windows\\Temp",
)  # fmt: skip
# As `reg query` shows them on a Server 2019 that nobody has touched; EmbedCtxt names the resource of the group.
RULES = {
    "WINRM-HTTP-In-TCP": "v2.29|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=5985|"
    "App=System|Name=@FirewallAPI.dll,-30253|Desc=@FirewallAPI.dll,-30256|EmbedCtxt=@FirewallAPI.dll,-30267|",
    "RemoteDesktop-UserMode-In-TCP": "v2.29|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|"
    "App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|"
    "Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|",
    "CoreNet-DNS-Out-UDP": "v2.29|Action=Allow|Active=TRUE|Dir=Out|Protocol=17|RPort=53|"
    "App=%SystemRoot%\\system32\\svchost.exe|Svc=dnscache|Name=@FirewallAPI.dll,-25405|"
    "Desc=@FirewallAPI.dll,-25406|EmbedCtxt=@FirewallAPI.dll,-25000|",
}
PATH = (
    "%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\"
)

CODE_PAGES = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage"


def bare(host: Host) -> None:
    """Prepares a bare server."""
    for folder in FOLDERS:
        host.files.create_directory(f"C:\\{folder}")
    protected = "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
    host.files.set_sddl("C:\\Windows", f"{protected}(A;OICI;0x1200a9;;;BU)")
    host.files.set_sddl("C:\\Program Files", f"{protected}(A;OICI;0x1200a9;;;BU)")
    host.files.set_sddl("C:\\ProgramData", f"{protected}(A;OICI;0x1200a9;;;BU)(A;CI;DCLCRPCR;;;BU)")
    host.files.set_sddl("C:\\Windows\\Temp", f"{protected}(A;CI;0x100026;;;BU)")
    host.accounts.add_user(str(host.system.get("user")), (sids.ADMINISTRATORS, sids.USERS))
    _registry(host)
    for name, text in RULES.items():
        host.registry.set(FIREWALL_RULES, name, "String", text)


def _registry(host: Host) -> None:
    registry, system = host.registry, host.system
    for name in ("CurrentBuild", "CurrentBuildNumber"):
        registry.set(CURRENT_VERSION, name, "String", str(system.get("build")))
    registry.set(CURRENT_VERSION, "UBR", "DWord", system.get("revision"))
    registry.set(CURRENT_VERSION, "ProductName", "String", str(system.get("caption")))
    registry.set(CODE_PAGES, "OEMCP", "String", str(system.get("code_page")))
    registry.set(CODE_PAGES, "ACP", "String", str(system.get("ansi_code_page")))
    registry.set(f"{SESSION_MANAGER}\\Environment", "Path", "ExpandString", PATH)
    registry.set(f"{SESSION_MANAGER}\\Environment", "TEMP", "ExpandString", "%SystemRoot%\\TEMP")
    registry.set(f"{W32TIME}\\Parameters", "NtpServer", "String", "time.windows.com,0x8")
    registry.set(f"{W32TIME}\\Parameters", "Type", "String", "NTP")
    for log in ("Application", "System", "Security"):
        registry.create_key(f"{EVENT_LOG}\\{log}")
    registry.create_key("HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall")
    registry.create_key(f"{SERVICES}\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules")
