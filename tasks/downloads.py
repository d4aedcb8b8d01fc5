"""A file from the internet, recognised by the hash in the settings, or by its publisher's signature without one."""

from __future__ import annotations

from pyinfra_winrm.kinds import Download


def fetched(urls: tuple[str, ...], sha256: str | None, publisher: str) -> Download:
    """The download; a hash in the settings is stricter than a signature, and then stands alone."""
    return Download(urls=urls, sha256=sha256) if sha256 else Download(urls=urls, publisher=publisher)
