"""Back to the release before, or to the one named by ``--data rollback_to=ID``."""

from pyinfra import host

from pyinfra_winrm.operation import ensure
from tasks import operating

ensure(name="Rollback", task="rollback", resources=operating.rolled_back(host))
