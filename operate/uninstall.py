"""Takes everything of ours away; mail, keys and settings stay unless ``--data uninstall_purge=true``."""

from pyinfra import host

from pyinfra_winrm.operation import ensure
from tasks import operating

ensure(name="Uninstall", task="uninstall", resources=operating.uninstalled(host))
