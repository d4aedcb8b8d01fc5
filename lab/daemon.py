"""The lab's process: one host, its engine, its WinRM server, the seam; it ends when it is told to, and all with it.

``python -m lab.daemon FOLDER`` stays in the foreground; ``python -m lab start`` puts it in the background.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from lab import certificates, config, faults, hosts
from lab.config import LabConfig
from lab.engine import plain
from lab.engine.facts import facts
from lab.engine.model import ModelEngine
from lab.engine.pwsh import PwshEngine
from lab.engine.runlock import RunLock
from lab.engine.stalling import StallingEngine
from lab.kinds.calls import calls as kind_calls
from lab.model.errors import HostError
from lab.model.host import Host
from lab.model.system import QUOTAS
from lab.seam import Seam, calls
from lab.wsman.actions import Actions
from lab.wsman.server import Server
from lab.wsman.shells import Engine, Quotas, Shells
from lab.wsman.signon import Credentials

BACKLOG = 128
EXPIRY = 1.0  # seconds between two looks for idle shells
HELPER = 60.0  # seconds a foreign process has to take what it is to hold
PAUSE = 0.02  # seconds between two looks at it
KILOBYTE = 1024


class Lab:
    """One running lab."""

    def __init__(self, folder: Path, wanted: LabConfig) -> None:
        self.folder = folder
        end_leftovers(folder)
        # First of all: a lab that finds its ports taken has changed nothing.
        control, self._http, self._https = (
            socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
            for port in (wanted.port_base, wanted.http, wanted.https)
        )
        self.host = Host(folder, wanted.port_base, wanted.password)
        self._tls = certificates.ensure(folder / "tls", str(self.host.system.get("hostname")))
        hosts.prepare(self.host, wanted.kind)
        self._show_recorded()
        self.gate = faults.Gate(self.reboot)
        self.host.restart = self.reboot
        self._lock = RunLock(self.host.files)
        self._ended = threading.Event()
        offered = {**calls(self.host), **kind_calls(self.host), **self._commands()}
        self._seam = Seam(offered, wanted.token, control)
        self.shells = Shells(StallingEngine(self._engine(wanted), self.gate.stall), self.quotas)
        credentials = Credentials(wanted.user, wanted.password)
        self._offer_to_ntlm(credentials)
        actions = Actions(self.shells, self.quotas, lambda: int(self.host.system.get("build")))
        fingerprint = bytes.fromhex(self._tls.fingerprint)
        self._server = Server(
            actions, credentials, self._tls.context, fingerprint, self.gate, lambda: self.quotas().envelope
        )
        self.host.listeners.changed = self._listener_changed
        self._wanted = replace(wanted, ca=str(self._tls.authority.absolute()), fingerprint=self._tls.fingerprint)

    def start(self) -> LabConfig:
        """Boots the host and opens the ports; the file is written when both are done."""
        self.host.boot()
        self._server.serve(self._http, self._https)
        for loop in (self.host.watch, self._seam.serve, self._expire, self._remember):
            threading.Thread(target=loop, name=loop.__name__, daemon=True).start()
        running = replace(self._wanted, control=self._seam.port, pid=os.getpid())
        self._wanted = running
        config.save(self.folder, running)
        return running

    def wait(self) -> None:
        """Until ``stop``."""
        self._ended.wait()
        self._server.close()
        self.shells.close()
        self.host.close()
        self._seam.close()
        (self.folder / "run" / "pids.json").unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends the lab."""
        self._ended.set()

    def reboot(self, seconds: float = faults.REFUSED) -> None:
        """The host goes away with all that runs on it, and comes back with a new boot time."""
        self.gate.down(seconds)
        self._server.cut_all()
        self.shells.close()
        self.host.shutdown()
        time.sleep(seconds)
        self.host.boot()

    def _show_recorded(self) -> None:
        """Has the TLS listener show the certificate that is recorded for it, where the lab has its key."""
        recorded = self.host.listeners.get("HTTPS")
        if recorded is not None:
            self._tls = certificates.load(self.folder / "tls", recorded["thumbprint"], self._tls)

    def _listener_changed(self, transport: str) -> None:
        """What a change of a listener does on Windows: it shows its certificate and cuts what it carries."""
        self._show_recorded()
        self._wanted = replace(self._wanted, fingerprint=self._tls.fingerprint)
        if self._wanted.pid:
            config.save(self.folder, self._wanted)
        self._server.show(self._tls.context, bytes.fromhex(self._tls.fingerprint))
        self._server.changed(transport == "HTTPS", self.host.listeners.get(transport) is not None)

    def quotas(self) -> Quotas:
        """WinRM's quotas as they are now."""
        known = self.host.system.facts()["quotas"]
        return Quotas(
            shells=known["MaxShellsPerUser"],
            processes=known["MaxProcessesPerShell"],
            idle=known["IdleTimeout"] / 1000,
            envelope=known["MaxEnvelopeSizekb"] * KILOBYTE,
        )

    def _engine(self, wanted: LabConfig) -> Engine:
        if wanted.engine == "pwsh":
            return PwshEngine(self.host, lambda: self._seam.port, wanted.token)
        return ModelEngine(self.host, self._lock, lambda: facts(self.host))

    def _commands(self) -> Mapping[str, Any]:
        return {
            "lab.stop": self.stop,
            "lab.status": self._status,
            "lab.fault": lambda **fields: self.gate.add(faults.Fault(**fields)),
            "lab.clear": self.gate.clear,
            "lab.faults": self.gate.waiting,
            "lab.hold": self._hold,
            "lab.native": self._native,
            "lab.listen": self._listen,
            "lab.reboot": self.reboot,
            "lab.quota": self._set_quota,
            "host.facts": lambda: facts(self.host),
        }

    def _status(self) -> dict[str, Any]:
        services = {name: self.host.services.status(name) for name in self.host.services.names()}
        return {
            "services": services,
            "shells": len(self.shells.all()),
            "served": self.gate.served,
            "refused": self.gate.refused,
            "faults": self.gate.waiting(),
            "boot_time": self.host.system.boot_time_text(),
        }

    def _set_quota(self, name: str, value: int | None) -> None:
        """Changes a quota of WinRM, or takes the change back."""
        if name not in QUOTAS:
            raise HostError("other", f"WinRM has no quota '{name}'; there are: {', '.join(QUOTAS)}", name)
        changed = {**self.host.system.get("quotas"), name: QUOTAS[name] if value is None else value}
        self.host.system.set("quotas", changed)

    def _native(self, line: str) -> dict[str, Any]:
        """A native command that a PowerShell of the lab starts: its status and its bytes in the host's code page."""
        code, text = plain.answer(self.host, line)
        return {"rc": code, "out": text.encode(plain.codec(self.host.system.get("code_page")), "replace")}

    def _hold(self, path: str, seconds: float) -> int:
        """Lets a process of the host hold a file open for so long."""
        real = self.host.drive.real(path)
        script = "import sys, time; held = open(sys.argv[1], 'rb'); time.sleep(float(sys.argv[2]))"
        pid = self.host.processes.start_helper("holder.exe", [script, str(real), str(seconds)])
        return self._once(pid, lambda: bool(self.host.files.holders(path)))

    def _listen(self, port: int, seconds: float) -> int:
        """Lets a process of the host take a port for so long."""
        script = (
            "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));"
            "time.sleep(float(sys.argv[2]))"
        )
        pid = self.host.processes.start_helper("other.exe", [script, str(port), str(seconds)])
        return self._once(pid, lambda: any(row["pid"] == pid for row in self.host.ports.listening()))

    def _once(self, pid: int, done: Callable[[], bool]) -> int:
        """The process, when it has done what it was started for."""
        until = time.monotonic() + HELPER
        while not done():
            if time.monotonic() > until or pid not in {running.pid for running in self.host.processes.all()}:
                raise HostError("other", f"The process {pid} did not do what it was started for.")
            time.sleep(PAUSE)
        return pid

    def _expire(self) -> None:
        while not self._ended.wait(EXPIRY):
            self.shells.expire()

    def _remember(self) -> None:
        """Keeps a list of the host's processes, so that a lab that was killed leaves none behind for the next."""
        path = self.folder / "run" / "pids.json"
        path.parent.mkdir(exist_ok=True)
        last = ""
        while not self._ended.wait(EXPIRY / 4):
            rows = [[running.pid, running.started] for running in self.host.processes.all()]
            text = json.dumps(rows)
            if text != last:
                path.with_suffix(".new").write_text(text, encoding="utf-8")
                path.with_suffix(".new").replace(path)
                last = text

    def _offer_to_ntlm(self, credentials: Credentials) -> None:
        """Writes the account where pyspnego looks, for each domain that a client may name."""
        domains = ("", ".", str(self.host.system.get("hostname")), "localhost", "127.0.0.1")
        lines = [f"{domain}:{credentials.user}:{credentials.password}" for domain in domains]
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=run, prefix="ntlm-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        target = run / "ntlm-users"
        Path(name).replace(target)
        os.environ["NTLM_USER_FILE"] = str(target)


def end_leftovers(folder: Path) -> None:
    """Ends the host's processes that a killed lab left running, each known by pid and start."""
    try:
        rows = json.loads((folder / "run" / "pids.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for pid, started in rows:
        with contextlib.suppress(psutil.Error, OSError):
            if abs(psutil.Process(pid).create_time() - started) < 2:
                os.killpg(pid, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Runs the lab of a folder until SIGTERM or ``lab.stop``."""
    folder = Path(arguments[0]).absolute()
    wanted = config.load(folder)
    if wanted is None:
        print(f"there is no lab in {folder}", file=sys.stderr)
        return 1
    try:
        lab = Lab(folder, wanted)
    except OSError as error:
        print(f"others have ports above {wanted.port_base}: {error}", file=sys.stderr)
        return config.PORTS_TAKEN
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: lab.stop())
    lab.start()
    lab.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
