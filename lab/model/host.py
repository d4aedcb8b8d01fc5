"""One Windows host: its primitives built and wired, on one folder.

The API, for ``lab.kinds`` in Python and for the PowerShell seam by name (``{"call": "files.stat", "args": {...}}``):
every public method of the parts below takes and gives JSON values (bytes where a file's content is meant) and raises
``HostError(code, message, what, win32)``. Paths are ``C:\\...`` with backslashes, in any case.

    host.files      stat names read sha256 holders | create_directory write append replace move copy delete
                    delete_directory create_junction | sddl set_sddl owner allows
    host.registry   exists get data values subkeys | create_key set delete_value delete_key
    host.services   names exists config status | create configure delete start stop restart reload
    host.tasks      paths xml info | register delete run run_due
    host.firewall   rules admits | set delete                (firewall.parse / text_of for the stored strings)
    host.accounts   users sid name token | add_user
    host.programs   installed | record run make_interpreter   (run: a whole command line, stand-ins included)
    host.events     get log_of | create delete
    host.time       get | configure
    host.listeners  get certificates | set delete add_certificate
    host.ports      listening
    host.system     get facts now disk room pending_reboot | set
    host.journal    entries | record                          (the primitives record their changes themselves)

A kind's module is ``lab/kinds/<kind>.py`` with ``read(host, key) -> {"state": ...}`` and ``apply(host, desired)``. It
keeps facts of its own, where Windows has no place for them, in ``host.state.section("kind.<name>")`` under
``with host.state.changing():``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from lab.model.accounts import Accounts
from lab.model.files import Files
from lab.model.firewall import Firewall
from lab.model.paths import Drive
from lab.model.ports import Ports
from lab.model.processes import Processes
from lab.model.programs import Programs
from lab.model.registry import Registry
from lab.model.remoting import EventSources, Listeners, TimeSync
from lab.model.serviceprocess import ServiceProcesses
from lab.model.services import Services
from lab.model.standins import Standins
from lab.model.state import Journal, State
from lab.model.system import System
from lab.model.tasks import Tasks

WATCH = 0.2  # seconds between two looks at services that may have ended


class Host:
    """The parts of one host. ``root`` is the lab's folder; drive C is ``root/c``; ``secret`` is an operator's."""

    def __init__(self, root: Path, port_base: int = 0, secret: str = "") -> None:
        self._port_base = port_base
        self.secret = secret
        self.root = root
        drive_c = root / "c"
        drive_c.mkdir(parents=True, exist_ok=True)
        self.link_drive()
        self.drive = Drive(drive_c)
        self.state = State(root / "state.json")
        self.journal = Journal(root / "journal.jsonl")
        self.registry = Registry(self.state, self.journal)
        self.system = System(drive_c, self.state, self.journal, self.registry)
        self.standins = Standins(self.drive, root / "run", port_base)
        self.processes = Processes(root, self.drive, self._environment, self.standins)
        self.files = Files(self.drive, self.state, self.journal, self.processes.holders, self.system.room)
        self.accounts = Accounts(self.state, self.journal)
        service_processes = ServiceProcesses(self.processes, self.files, self.accounts, root / "logs")
        self.services = Services(self.state, self.journal, self.registry, service_processes)
        self.tasks = Tasks(self.state, self.journal, self.processes, self.files, self.accounts, root / "logs")
        self.firewall = Firewall(self.registry)
        self.programs = Programs(
            self.files, self.registry, self.services, self.processes, lambda: bool(self.system.pending_reboot())
        )
        self.events = EventSources(self.state, self.registry)
        self.time = TimeSync(self.registry)
        self.listeners = Listeners(self.state, self.journal)
        self.ports = Ports(self.processes, lambda: port_base)
        self._ended = threading.Event()
        self.restart: Callable[[], None] = self._restart

    def port(self, number: int) -> int:
        """Where the host's port is really bound."""
        return self._port_base + number

    def link_drive(self) -> None:
        """``C:`` beside ``c``, so that a program started in the root finds ``C:/...`` as written."""
        link = self.root / "C:"
        if not link.is_symlink():
            link.symlink_to("c", target_is_directory=True)

    def boot(self) -> None:
        """Takes a new boot time and starts the automatic services."""
        self.system.booted()
        self.services.boot()

    def shutdown(self) -> None:
        """Ends every process of the host."""
        self.services.shutdown()
        self.processes.end_all()

    def restart_in(self, seconds: float) -> None:
        """``shutdown /r /t``: restarts after so long, by ``restart``, which a lab makes end its sessions too."""
        timer = threading.Timer(seconds, self.restart)
        timer.daemon = True
        timer.start()

    def _restart(self) -> None:
        self.shutdown()
        self.boot()

    def watch(self) -> None:
        """Applies recovery actions until the host is closed; runs in a thread of its own."""
        while not self._ended.wait(WATCH):
            self.services.supervise()

    def close(self) -> None:
        """Ends the watch and every process."""
        self._ended.set()
        self.shutdown()

    def _environment(self) -> dict[str, str]:
        """What a service or task starts with: nothing of the lab's own environment."""
        below = self.drive.root
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(below / "Windows" / "System32" / "config" / "systemprofile"),
            "TMPDIR": str(below / "Windows" / "Temp"),
            "TEMP": str(below / "Windows" / "Temp"),
            "ProgramData": str(below / "ProgramData"),
            "SystemRoot": str(below / "Windows"),
            "SystemDrive": "C:",
        }
