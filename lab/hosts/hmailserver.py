"""A server that the tutorial's reader has: hMailServer 5.6 on the mail ports, with its data folder."""

from __future__ import annotations

from lab.hosts.bare import bare
from lab.model.host import Host

SERVICE = "hMailServer"
PROGRAM = "C:\\Program Files (x86)\\hMailServer"
INI = (
    "[Directories]\r\n"
    f"ProgramFolder={PROGRAM}\r\nDatabaseFolder=\r\nDataFolder={PROGRAM}\\Data\r\nLogFolder={PROGRAM}\\Logs\r\n"
    f"TempFolder={PROGRAM}\\Temp\r\nEventFolder={PROGRAM}\\Events\r\n"
    "[GUILanguages]\r\nValidLanguages=english,korean\r\n"
    "[Security]\r\nAdministratorPassword=\r\n"
    "[Database]\r\nType=MYSQL\r\nUsername=hmail\r\nPassword=\r\nPasswordEncryption=1\r\nPort=3306\r\n"
    "Server=localhost\r\nDatabase=hmailserver\r\nInternal=0\r\n"
)
MESSAGE = (
    "From: =?euc-kr?B?wfa/+Q==?= <friend@example.org>\r\nTo: id@xn--9t4b11yi5a.net\r\nSubject: hello\r\n"
    "Date: Fri, 1 Mar 2024 09:00:00 +0900\r\n\r\nA mail that was there before.\r\n"
)


def hmailserver(host: Host) -> None:
    """Prepares it."""
    bare(host)
    for folder in ("Bin", "Data\\xn--9t4b11yi5a.net\\id\\7B", "Logs", "Temp", "Events"):
        host.files.create_directory(f"{PROGRAM}\\{folder}")
    host.files.write(f"{PROGRAM}\\Bin\\hMailServer.exe", b"MZ")
    host.files.write(f"{PROGRAM}\\Bin\\hMailServer.INI", INI.encode("utf-16"))
    name = "{7B2DFF2D-2C4A-4E0C-9F1C-0C1B7A6A2E11}.eml"
    host.files.write(f"{PROGRAM}\\Data\\xn--9t4b11yi5a.net\\id\\7B\\{name}", MESSAGE.encode())
    host.services.create(SERVICE, f'"{PROGRAM}\\Bin\\hMailServer.exe" RunAsService', start="auto")
    host.services.configure(SERVICE, {"description": "hMailServer is a free e-mail server for Microsoft Windows."})
    host.programs.record("hMailServer_is1", "hMailServer 5.6.9-B2649", "5.6.9", "hMailServer")
