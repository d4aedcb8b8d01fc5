"""The hosts. Out of the box that is the lab. A server of your own, as ``files/enable-winrm.ps1`` prints it:

servers = [("@winrm/203.0.113.25", {"winrm_user": "Administrator", "winrm_password_env": "WINRM_PASSWORD",
                                    "winrm_fingerprint": "..."})]

with its settings in ``group_data/servers.py``, in the place of everything below.
"""

import socket
import sys

from lab import config

_lab = config.load(config.default_folder())
try:
    socket.create_connection((_lab.host, _lab.https), timeout=5).close()
except (AttributeError, OSError):
    sys.exit(
        "No lab is running. Start one with `make lab` or `python -m lab start`, or name your server in inventory.py."
    )

lab = [
    (
        "@winrm/lab",
        {
            "winrm_host": _lab.host,
            "winrm_port": _lab.https,
            "winrm_user": _lab.user,
            "winrm_password": _lab.password,
            "winrm_ca_file": _lab.ca,
            "lab_port_base": _lab.port_base,
        },
    )
]
