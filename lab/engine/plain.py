"""The few native commands that the lab answers itself, on either engine, in the host's language and code page.

``cmd`` and PowerShell spellings alike; whatever else is asked is refused with what to do instead.
"""

from __future__ import annotations

import re

from lab.model.host import Host

Answer = tuple[int, str]
UNKNOWN = 9009  # cmd.exe's status for a name it does not find
UTF8_PAGE = 65001
NATIVE = ("hostname", "whoami", "shutdown", "chcp")  # those that a PowerShell of the lab finds as programs
# As Server 2019 prints them in each language.
TEXTS = {
    "en": {"page": "Active code page: {page}", "version": "Microsoft Windows [Version 10.0.{version}]"},
    "ko": {"page": "활성 코드 페이지: {page}", "version": "Microsoft Windows [버전 10.0.{version}]"},
}


def codec(page: int) -> str:
    """Python's name of a code page."""
    return "utf-8" if page == UTF8_PAGE else f"cp{page}"


def known(host: Host) -> dict[str, str]:
    """What each known command prints."""
    system = host.system
    name, version = str(system.get("hostname")), f"{system.get('build')}.{system.get('revision')}"
    texts = TEXTS["ko" if str(system.get("culture")).startswith("ko") else "en"]
    return {
        "hostname": name,
        "whoami": f"{name}\\{system.get('user')}".lower(),
        "ver": "\r\n" + texts["version"].format(version=version),
        "chcp": texts["page"].format(page=system.get("code_page")),
        "cd": str(system.get("profile")),
        "$psversiontable.psversion.tostring()": f"5.1.{version}",
        "$env:computername": name,
        "(get-location).path": str(system.get("profile")),
    }


def answer(host: Host, line: str) -> Answer:
    """Exit code and output of a command line."""
    text = re.sub(r"^(?:cmd(?:\.exe)?\s+/c|cmd(?:\.exe)?)\s+", "", line.strip(), flags=re.IGNORECASE).strip('"').strip()
    text = re.sub(r"^(\w+)\.(?:exe|com)\b", r"\1", text)
    printed = known(host).get(text.rstrip(";").lower())
    if printed is not None:
        return 0, printed + "\r\n"
    if matched := re.fullmatch(r"shutdown\s+/r\s+/t\s+(\d+)(?:\s.*)?", text, re.IGNORECASE):
        host.restart_in(float(matched[1]))
        return 0, ""
    if matched := re.fullmatch(r"exit(?:\s+/b)?\s+(\d+)", text, re.IGNORECASE):
        return int(matched[1]), ""
    if matched := re.fullmatch(r"(?:echo|write-output|write-host)\s+(.*)", text, re.IGNORECASE):
        return 0, re.sub(r"""^(['"])(.*)\1$""", r"\2", matched[1]) + "\r\n"
    if matched := re.fullmatch(r"""(['"])([^'"]*)\1""", text):
        return 0, matched[2] + "\r\n"
    said = f"The lab's model engine does not run '{text[:60]}': start the lab with --engine pwsh."
    return UNKNOWN, said + "\r\n"
