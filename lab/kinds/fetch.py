"""Downloads in the model: real ones, tried in order, accepted by their hash or their signer.

How far a signature is looked at is ``authenticode``'s to say.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from typing import Any

from lab.kinds.authenticode import signature
from lab.model.errors import HostError
from lab.model.host import Host

PATIENCE = 60  # seconds without a byte before an address is given up


def staged(host: Host, download: Mapping[str, Any], *, signed: bool = False) -> str:
    """Has the file lie at its staged path, checked, and gives that path; ``signed`` looks at its own signature."""
    path = str(download["staged"])
    failures = [] if download["uploaded"] or _fits(host, download, path) else _fetch(host, download, path)
    if host.files.stat(path) is None:
        raise HostError(
            "not-found", "No address gave the file: " + "; ".join(failures or ["it was not uploaded"]), path
        )
    if download["sha256"] and not _fits(host, download, path):
        got = host.files.sha256(path)
        host.files.delete(path)
        raise HostError("other", f"'{path}' has the SHA-256 {got}, wanted is {download['sha256']}.", path)
    if signed:
        check_signer(host, path, str(download["publisher"]))
    return path


def check_signer(host: Host, path: str, publisher: str) -> None:
    """Refuses a file that somebody else signed, or nobody, or that is not any more what was signed."""
    if not publisher:
        return
    found = signature(host.files.read(path))
    if found.status != "Valid":
        message = f"The signature of '{path}' is not good ({found.status}), wanted is one of '{publisher}'."
        raise HostError("other", message, path)
    if found.signer != publisher:
        raise HostError("other", f"'{path}' is signed by '{found.signer}', wanted is '{publisher}'.", path)


def _fits(host: Host, download: Mapping[str, Any], path: str) -> bool:
    return (
        bool(download["sha256"]) and host.files.stat(path) is not None and host.files.sha256(path) == download["sha256"]
    )


def _fetch(host: Host, download: Mapping[str, Any], path: str) -> list[str]:
    failures = []
    for url in download["urls"]:
        try:
            save(host, url, path)
        except HostError as error:
            failures.append(f"{url}: {error.message}")
            continue
        if not download["sha256"] or _fits(host, download, path):
            return []
        failures.append(f"{url}: another SHA-256")
        host.files.delete(path)
    return failures


def save(host: Host, url: str, path: str) -> None:
    """Fetches one address into a file."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - https, or pinned by hash
            data = answer.read()
    except (OSError, ValueError) as error:
        raise HostError("other", str(error), url) from error
    host.files.write(path, data)
