"""The seam of the lab's PowerShell beyond the model's own primitives: what its functions ask, by name.

Added to the calls of ``lab.seam``; every path comes as Windows writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lab.kinds import (
    certificate,
    commands,
    fetch,
    greeting,
    iis_virtual_directory,
    native,
    python_release,
    unpack,
    winrm_listener,
)
from lab.kinds.archive import clear
from lab.model.host import Host


def calls(host: Host) -> dict[str, Callable[..., Any]]:
    """Every call with its name."""
    own: dict[str, Callable[..., Any]] = {
        "real": _real, "item": _item, "write": _write, "put": _put, "remove": _remove, "make": _make, "held": _held,
        "measure": unpack.measure, "expand": unpack.expand, "install": python_release.install,
        "save": fetch.save, "run": native.run, "start": _start, "runs": _runs, "stop": _stop, "task": _task,
        "web_folder": iis_virtual_directory.folder, "put_web_folder": iis_virtual_directory.put,
        "remove_web_folder": iis_virtual_directory.remove,
        "greeting": greeting.line, "listener": _listener, "command": commands.call, "certificates": certificate.store,
        "certificate": winrm_listener.fingerprint,
    }  # fmt: skip
    found = {f"seam.{name}": partial(function, host) for name, function in own.items()}
    return found | {"seam.interpreter": host.programs.make_interpreter}


def _real(host: Host, path: str) -> str:
    return str(host.drive.real(path))


def _held(host: Host, path: str) -> bool:
    return bool(host.files.holders(path))


def _item(host: Host, path: str) -> dict[str, Any] | None:
    found = host.files.stat(path)
    return None if found is None else {name: found[name] or "" for name in ("type", "size", "target")}


def _write(host: Host, path: str, data: bytes, sddl: str) -> None:
    host.files.write(path, data)
    if sddl:
        host.files.set_sddl(path, sddl)


def _put(host: Host, path: str, to: str) -> None:
    host.files.replace(path, to)


def _remove(host: Host, path: str) -> None:
    found = host.files.stat(path)
    if found is not None and found["type"] == "directory":
        clear(host, path)
    elif found is not None:
        host.files.delete(path)


def _make(host: Host, path: str, sddl: str) -> None:
    host.files.create_directory(path)
    if sddl:
        host.files.set_sddl(path, sddl)


def _start(host: Host, file: str, arguments: str) -> int:
    running = host.processes.start(host.processes.launch(f'"{file}" {arguments}'), file)
    return running.pid


def _runs(host: Host, pid: int) -> bool:
    return pid in [running.pid for running in host.processes.all()]


def _stop(host: Host, pid: int, timeout: float) -> None:
    for running in host.processes.all():
        if running.pid == pid:
            try:
                running.process.wait(timeout)
            finally:
                if running.process.poll() is None:
                    running.process.kill()
    host.processes.forget(pid)


def _task(host: Host, path: str) -> Mapping[str, Any] | None:
    xml = host.tasks.xml(path)
    return None if xml is None else {"xml": xml, "last_result": host.tasks.info(path)["last_result"]}


def _listener(host: Host, address: str, transport: str) -> Mapping[str, Any] | None:
    found = host.listeners.get(transport)
    if found is None or found["address"] != address:
        return None
    return {name: found[name] for name in ("port", "hostname", "thumbprint")}
