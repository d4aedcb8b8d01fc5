"""The tutorial's server: IIS on 80 and 443, a MySQL service on 3306, win-acme's renewal task of an earlier post."""

from __future__ import annotations

import time

from lab.hosts.bare import bare
from lab.model import standins
from lab.model.errors import HostError
from lab.model.host import Host
from lab.model.services import ROOT as SERVICES
from lab.programs.iis import CONFIG

MYSQL = "MySQL80"
PROGRAM = "C:\\Program Files\\MySQL\\MySQL Server 8.0"
DATA = "C:\\ProgramData\\MySQL\\MySQL Server 8.0"
PATIENCE = 200.0  # seconds for the database's first start
SITE = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <sites>
      <site name="Default Web Site" id="1" serverAutoStart="true">
        <application path="/">
          <virtualDirectory path="/" physicalPath="C:\\inetpub\\wwwroot" />
        </application>
        <bindings>
          <binding protocol="http" bindingInformation="*:80:" />
          <binding protocol="https" bindingInformation="*:443:" />
        </bindings>
      </site>
    </sites>
  </system.applicationHost>
</configuration>
"""
RENEWAL = """<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><CalendarTrigger><StartBoundary>2024-03-01T09:00:00</StartBoundary>
    <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>S-1-5-18</UserId></Principal></Principals>
  <Actions Context="Author"><Exec><Command>C:\\win-acme\\wacs.exe</Command>
    <Arguments>--renew --baseuri "https://acme-v02.api.letsencrypt.org/"</Arguments></Exec></Actions>
</Task>"""


def tutorial(host: Host) -> None:
    """Prepares it; the MySQL administrator's password is the lab's own."""
    bare(host)
    _iis(host)
    _mysql(host)
    host.files.create_directory("C:\\win-acme")
    host.files.write("C:\\win-acme\\wacs.exe", b"MZ")
    host.tasks.register("\\win-acme renew (acme-v02.api.letsencrypt.org)", RENEWAL)


def _iis(host: Host) -> None:
    host.files.create_directory("C:\\inetpub\\wwwroot")
    host.files.write("C:\\inetpub\\wwwroot\\iisstart.htm", b"<title>IIS Windows Server</title>\n")
    host.files.create_directory(CONFIG.rpartition("\\")[0])
    host.files.write(CONFIG, SITE.encode())
    host.files.write("C:\\Windows\\System32\\svchost.exe", b"MZ")
    host.services.create("W3SVC", "C:\\Windows\\system32\\svchost.exe -k iissvcs", start="auto")
    host.services.configure("W3SVC", {"display_name": "World Wide Web Publishing Service"})


def _mysql(host: Host) -> None:
    if not standins.available():
        raise HostError("not-found", "the tutorial's host has a MySQL: install mariadb-server", "mariadbd")
    host.files.create_directory(f"{PROGRAM}\\bin")
    for program in (standins.SERVER, *standins.CLIENTS):
        host.files.write(f"{PROGRAM}\\bin\\{program}", b"MZ")
    host.files.create_directory(f"{DATA}\\Data")
    settings = f"[mysqld]\nport={host.port(3306)}\nbind-address=127.0.0.1\ndatadir={DATA}\\Data\n"
    host.files.write(f"{DATA}\\my.ini", settings.replace("\\", "/").encode())
    server, defaults = f'"{PROGRAM}\\bin\\mysqld.exe"', f'"--defaults-file={DATA}\\my.ini"'
    done = host.programs.run(f"{server} {defaults} --initialize-insecure")
    if done["rc"] != 0:
        raise HostError("other", f"MySQL was not initialised: {done['err'][-200:]!r}", DATA)
    host.services.create(MYSQL, f"{server} {defaults} {MYSQL}", start="auto", account="NT AUTHORITY\\NetworkService")
    for path in (DATA, f"{PROGRAM}"):
        host.files.set_sddl(path, "D:AI(A;OICI;FA;;;NS)")
    host.registry.set(f"{SERVICES}\\{MYSQL}", "DisplayName", "String", MYSQL)
    host.services.start(MYSQL)
    _set_password(host, host.secret)


def _set_password(host: Host, password: str) -> None:
    statements = [f"SET PASSWORD FOR 'root'@'{name}' = PASSWORD('{password}');" for name in ("localhost", "127.0.0.1")]
    client = f'"{PROGRAM}\\bin\\mysql.exe" --no-defaults -h127.0.0.1 -P{host.port(3306)} -uroot'
    until = time.monotonic() + PATIENCE
    while True:
        done = host.programs.run(client, stdin="\n".join(statements).encode())
        if done["rc"] == 0:
            return
        if time.monotonic() > until:
            raise HostError("other", f"MySQL does not answer: {done['err'][-200:]!r}", MYSQL)
        time.sleep(0.2)
