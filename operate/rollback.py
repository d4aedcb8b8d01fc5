"""Back to the release before, or to the one named by ``--data rollback_to=ID``; away again if that does not serve."""

from pyinfra import host

from pyinfra_winrm.operation import ensure
from tasks import operating, operations

wanted = operating.rolled_back(host)

ensure(name="Settings", task="settings", resources=wanted.files)
operations.serve(name="Service", settings=wanted.settings, resources=wanted.service, back=wanted.back)
ensure(name="Rollback", task="rollback", resources=wanted.beside)
