"""A native program of Windows inside the lab's PowerShell: asks the lab for status and bytes, and passes them on.

Started by its path from a script of the program's name, so it finds the lab's package beside itself.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from base64 import b64decode


def main(arguments: list[str]) -> int:
    """``NAME ARGUMENTS...``; returns the program's exit status."""
    line = " ".join(arguments)
    asked = {"token": os.environ["MAILHOST_LAB_TOKEN"], "call": "lab.native", "args": {"line": line}}
    with socket.create_connection(("127.0.0.1", int(os.environ["MAILHOST_LAB_PORT"]))) as connection:
        connection.sendall(json.dumps(asked).encode() + b"\n")
        with connection.makefile("rb") as lines:
            reply = json.loads(lines.readline())
    if not reply["ok"]:
        print(reply["error"]["message"], file=sys.stderr)
        return 1
    sys.stdout.buffer.write(b64decode(reply["value"]["out"]["base64"]))
    return int(reply["value"]["rc"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
