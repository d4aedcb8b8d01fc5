"""What the lines in a Send are about, for faults that wait for a verb; nothing here changes what is passed on."""

from __future__ import annotations

import base64
import json

from pyinfra_winrm.protocol import ProtocolError, decode_request


def verbs_in(stream: str) -> list[str]:
    """The verbs of the whole lines in a stream's base64; other input has none."""
    found = []
    for line in base64.b64decode(stream).splitlines():
        if not line.strip():
            continue
        if line.startswith(b"+"):
            found.append("upload.chunk")
            continue
        try:
            found.append(str(decode_request(line)["verb"]))
        except (ProtocolError, json.JSONDecodeError, UnicodeDecodeError):
            continue
    return found
