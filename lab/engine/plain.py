"""The few plain commands that the model answers without a PowerShell, so that other clients can be shown on it.

``cmd`` and PowerShell spellings alike; whatever else is asked is refused with what to do instead.
"""

from __future__ import annotations

import re

from lab.model.host import Host

Answer = tuple[int, str]
UNKNOWN = 9009  # cmd.exe's status for a name it does not find


def known(host: Host) -> dict[str, str]:
    """What each known command prints."""
    system = host.system
    name, version = str(system.get("hostname")), f"{system.get('build')}.{system.get('revision')}"
    return {
        "hostname": name,
        "whoami": f"{name}\\{system.get('user')}".lower(),
        "ver": f"\r\nMicrosoft Windows [Version 10.0.{version}]",
        "chcp": f"Active code page: {system.get('code_page')}",
        "cd": str(system.get("profile")),
        "$psversiontable.psversion.tostring()": f"5.1.{version}",
        "$env:computername": name,
        "(get-location).path": str(system.get("profile")),
    }


def answer(host: Host, line: str) -> Answer:
    """Exit code and output of a command line."""
    text = re.sub(r"^(?:cmd(?:\.exe)?\s+/c|cmd(?:\.exe)?)\s+", "", line.strip(), flags=re.IGNORECASE).strip('"').strip()
    printed = known(host).get(text.rstrip(";").lower())
    if printed is not None:
        return 0, printed + "\r\n"
    if matched := re.fullmatch(r"exit(?:\s+/b)?\s+(\d+)", text, re.IGNORECASE):
        return int(matched[1]), ""
    if matched := re.fullmatch(r"(?:echo|write-output|write-host)\s+(.*)", text, re.IGNORECASE):
        return 0, re.sub(r"""^(['"])(.*)\1$""", r"\2", matched[1]) + "\r\n"
    if matched := re.fullmatch(r"""(['"])([^'"]*)\1""", text):
        return 0, matched[2] + "\r\n"
    said = f"The lab's model engine does not run '{text[:60]}': start the lab with --engine pwsh."
    return UNKNOWN, said + "\r\n"
