"""``python -m pyinfra_winrm plan INVENTORY DEPLOY``: see ``plan``."""

import pyinfra_cli  # type: ignore[import-untyped]  # noqa: F401  (patches sockets for gevent, which has to come before anything that uses them)

# isort: split
import sys

from pyinfra_winrm.plan import main

sys.exit(main(sys.argv[1:]))
