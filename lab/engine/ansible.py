"""Ansible's file copy over WinRM, which the model answers as it answers a kind: by what is asked, not by its script.

``winrm_put_file`` sends its wrapper, a manifest that names the path, and the file in base64 lines, a line of four NULs
between them; the answer is the file's SHA-1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from lab.model.errors import HostError
from lab.model.host import Host
from lab.wsman.shells import Output

SEPARATOR = b"\0\0\0\0"


def is_wrapper(script: str) -> bool:
    """Whether the script is Ansible's bootstrap wrapper."""
    return "$codeJson" in script and "`0`0`0`0" in script


class PutFile:
    """One copy that is under way."""

    def __init__(self, host: Host, output: Output) -> None:
        self._host = host
        self._output = output
        self._input = bytearray()

    def write(self, data: bytes, end: bool) -> None:
        """Takes input; the end of it starts the copy."""
        self._input += data
        if end:
            self._copy()

    def interrupt(self) -> None:
        """Ends without a copy."""
        self._output.done(1)

    def terminate(self) -> None:
        """Ends without a copy, unless it is done."""
        self._output.done(1)

    def _copy(self) -> None:
        _, manifest, *lines = bytes(self._input).split(SEPARATOR)
        try:
            path = target(json.loads(manifest))
            data = b"".join(base64.b64decode(line) for line in b"".join(lines).split())
            self._host.files.write(path.replace("/", "\\"), data)
        except (ValueError, KeyError, binascii.Error, HostError) as error:
            self._output.write("stderr", f"{error}\r\n".encode())
            self._output.done(1)
            return
        answer = json.dumps({"sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest()})
        self._output.write("stdout", answer.encode() + b"\r\n")
        self._output.done(0)


def target(asked: Any) -> str:
    """The path in what the wrapper was given, whichever layer of it holds the parameters."""
    waiting = [asked]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("Path"), str):
                return str(item["Path"])
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    raise KeyError("no path in what Ansible sent")
