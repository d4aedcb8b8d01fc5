"""A Windows Server becomes a mail server: the tasks in order, and nothing else."""

from pyinfra import host

from pyinfra_winrm.operation import ensure
from tasks import deployment, operations

wanted = deployment.of(host)

operations.preflight(name="Preflight", findings=wanted.findings, language=wanted.language, settings=wanted.settings)
ensure(name="hMailServer", task="hmailserver", resources=wanted["hmailserver"])
ensure(name="Directories", task="directories", resources=wanted["directories"])
ensure(name="Clock and event log", task="system", resources=wanted["system"])
ensure(name="MySQL", task="mysql", resources=wanted["mysql"])
ensure(name="Python and release", task="release", resources=wanted["release"])
ensure(name="Backup before the upgrade", task="before_upgrade", resources=wanted["before_upgrade"])
ensure(name="Settings", task="settings", resources=wanted["settings"])
ensure(name="Database", task="database", resources=wanted["database"])
ensure(name="Restore", task="restore", resources=wanted["restore"])
ensure(name="Mail objects", task="objects", resources=wanted["objects"])
ensure(name="First certificate", task="self_signed", resources=wanted["self_signed"])
operations.serve(name="Service", settings=wanted.settings, resources=wanted["service"], back=wanted.back)
ensure(name="Serving release", task="serving", resources=wanted["serving"])
ensure(name="Firewall", task="firewall", resources=wanted["firewall"])
ensure(name="Certificates", task="certificates", resources=wanted["certificates"])
ensure(name="Renewal", task="renewal", resources=wanted["renewal"])
ensure(name="Backup", task="backup", resources=wanted["backup"])
operations.dns(name="DNS records", settings=wanted.settings)
operations.verify(name="Verification", settings=wanted.settings)
operations.tell(name="Summary", settings=wanted.settings, upgrade_backup=wanted.upgrade_backup)
