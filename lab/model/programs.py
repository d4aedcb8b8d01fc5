"""Programs: what is installed, and runs of what a deploy starts on the host.

An installer of Windows leaves the registry entries that it would; a program with a stand-in runs as that; anything
else is what lies on drive C. Standard output comes back as the bytes that were written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.model import commandline
from lab.model.files import Files
from lab.model.processes import Processes
from lab.model.registry import Registry
from lab.model.services import Services

UNINSTALL = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall"
VC_RUNTIME = "HKLM\\SOFTWARE\\Microsoft\\VisualStudio\\14.0\\VC\\Runtimes\\x64"
VC_PRODUCT = "{1de5e707-82da-4db6-b810-5d140cc4cbb3}"
VC_VERSION = (14, 44, 35211)
NEWER_INSTALLED = 1638  # ERROR_PRODUCT_VERSION
Result = dict[str, Any]


def _result(rc: int, text: str = "") -> Result:
    return {"rc": rc, "out": text.encode(), "err": b""}


class Programs:
    """Installed programs, and the way to run one."""

    def __init__(
        self,
        files: Files,
        registry: Registry,
        services: Services,
        processes: Processes,
        pending_reboot: Callable[[], bool],
    ) -> None:
        self._files = files
        self._registry = registry
        self._services = services
        self._processes = processes
        self._pending_reboot = pending_reboot

    def installed(self) -> dict[str, dict[str, Any]]:
        """``{key: {DisplayName, DisplayVersion, ...}}`` of the uninstall entries."""
        found = {}
        for name in self._registry.subkeys(UNINSTALL):
            values = self._registry.values(f"{UNINSTALL}\\{name}") or {}
            found[name] = {key: value["data"] for key, value in values.items()}
        return found

    def record(self, key: str, name: str, version: str, publisher: str = "") -> None:
        """Writes an uninstall entry, as installers do."""
        values = {"DisplayName": name, "DisplayVersion": version, "Publisher": publisher}
        for value, data in values.items():
            self._registry.set(f"{UNINSTALL}\\{key}", value, "String", data)

    def run(
        self,
        command: str,
        environment: dict[str, str] | None = None,
        folder: str | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> Result:
        """Runs a Windows command line to its end: ``{rc, out, err}``."""
        arguments = commandline.split(command)
        image = arguments[0].replace("/", "\\").rpartition("\\")[2].casefold() if arguments else ""
        if image.startswith("vc_redist"):
            return self._remove_vc_runtime() if "/uninstall" in arguments else self._vc_runtime()
        if image == "mysqld.exe" and any(text in ("--install", "--remove") for text in arguments):
            return self._mysql_service(arguments)
        return self._processes.run(command, environment, folder, stdin, timeout)

    def make_interpreter(self, folder: str) -> None:
        """Puts the lab's own Python into a release's folder: ``python.exe`` and ``Lib\\site-packages``.

        ``bin/python`` is what really runs (``Standins``): Python looks for packages from there, and takes the folder
        for a private installation that shows none of the lab's packages.
        """
        self._files.create_directory(folder)
        real = self._files.drive.real(folder)
        library = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (real / "lib" / library / "site-packages").mkdir(parents=True, exist_ok=True)
        home = Path(os.path.realpath(sys.executable)).parent
        (real / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n", encoding="utf-8")
        (real / "bin").mkdir(exist_ok=True)
        for link, target in (
            (real / "bin" / "python", os.path.realpath(sys.executable)),
            (real / "python.exe", "bin/python"),
            (real / "lib" / "site-packages", f"{library}/site-packages"),
        ):
            if not link.is_symlink():
                link.symlink_to(target)

    def _vc_runtime(self) -> Result:
        if self._registry.data(VC_RUNTIME, "Installed") == 1:
            present = tuple(self._registry.data(VC_RUNTIME, part, 0) for part in ("Major", "Minor", "Bld"))
            if present > VC_VERSION:
                return _result(NEWER_INSTALLED)
        for value, number in zip(("Major", "Minor", "Bld"), VC_VERSION, strict=True):
            self._registry.set(VC_RUNTIME, value, "DWord", number)
        version = ".".join(str(number) for number in VC_VERSION)
        self._registry.set(VC_RUNTIME, "Version", "String", f"v{version}.00")
        self._registry.set(VC_RUNTIME, "Installed", "DWord", 1)
        name = f"Microsoft Visual C++ 2015-2022 Redistributable (x64) - {version}"
        self.record(VC_PRODUCT, name, f"{version}.0", "Microsoft Corporation")
        return _result(3010 if self._pending_reboot() else 0)

    def _remove_vc_runtime(self) -> Result:
        if self._registry.exists(VC_RUNTIME):
            self._registry.delete_key(VC_RUNTIME)
        if self._registry.exists(f"{UNINSTALL}\\{VC_PRODUCT}"):
            self._registry.delete_key(f"{UNINSTALL}\\{VC_PRODUCT}")
        return _result(0)

    def _mysql_service(self, arguments: list[str]) -> Result:
        verb = "--install" if "--install" in arguments else "--remove"
        rest = arguments[arguments.index(verb) + 1 :]
        name = rest[0] if rest else "MySQL"
        if verb == "--remove":
            self._services.delete(name)
            return _result(0, "Service successfully removed.\r\n")
        line = commandline.join([arguments[0], *rest[1:], name])
        self._services.create(name, line, start="auto")
        return _result(0, "Service successfully installed.\r\n")
