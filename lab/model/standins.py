"""Stand-ins: the Linux programs that run in the place of MySQL's Windows ones, with their command lines translated.

``mysqld.exe`` is a private MariaDB; its my.ini is rewritten with real paths at each start and options that only MySQL
knows become warnings. What differs between the two servers is for the contract tests with a real MySQL.
"""

from __future__ import annotations

import getpass
import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab.model.errors import HostError
from lab.model.paths import Drive

SERVER = "mysqld.exe"
CLIENTS = {"mysql.exe": "mariadb", "mysqladmin.exe": "mariadb-admin", "mysqldump.exe": "mariadb-dump"}
_ELSEWHERE = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
# Options that name MySQL's own files or plugins, or what the lab decides itself.
_DROPPED = re.compile(r"(?:loose[-_])?(?:basedir|plugin[-_]dir|lc[-_]messages[-_]dir|socket|user|shared[-_]memory.*)")
# Read by mariadb-install-db too, which knows no "loose-".
_COMMON = ("datadir", "port", "bind-address", "tmpdir", "log-error", "pid-file")
LONGEST_SOCKET = 100  # bytes; the kernel takes 107
Standin = tuple[list[str], dict[str, str]]


def find(program: str) -> str | None:
    """A program of MariaDB, also where daemons lie."""
    return shutil.which(program) or shutil.which(program, path=":".join(_ELSEWHERE))


class Standins:
    """Finds the stand-in of a Windows command line."""

    def __init__(self, drive: Drive, run: Path, base: int) -> None:
        self._drive = drive
        self._run = run
        self._base = base
        self.powershell: Callable[[list[str]], Standin] | None = None

    def __call__(self, arguments: list[str]) -> Standin | None:
        """Real arguments and environment, or None when the image itself is to run."""
        image = arguments[0].replace("/", "\\").rpartition("\\")[2].casefold()
        if not image.endswith(".exe"):
            image += ".exe"
        if image == "powershell.exe" and self.powershell is not None:
            return self.powershell(arguments)
        if image == SERVER:
            return self._server(arguments[1:]), {}
        if image in CLIENTS:
            return [_required(CLIENTS[image]), *(self._argument(text) for text in arguments[1:])], {}
        if image in ("python.exe", "pythonw.exe"):
            return self._python(arguments), {}
        if image == "svchost.exe" and "iissvcs" in arguments:
            return self._own("iis", *self._iis())
        if image == "hmailserver.exe":
            return self._own("hmailserver", str(self._base))
        return None

    def _python(self, arguments: list[str]) -> list[str]:
        real = Path(self._drive.translate(arguments[0]))
        if not real.exists():
            raise HostError("not-found", f"The system cannot find the file '{arguments[0]}'.", arguments[0], 2)
        given = list(arguments[1:])
        if "-m" in given and given[given.index("-m") + 1 :][:2] == ["maild.cli", "service"]:
            # There is no service dispatcher here: the same daemon serves in the foreground and takes signals.
            given[given.index("-m") + 2] = "serve"
        return [str(private_python(real)), *(self._argument(text) for text in given)]

    def _own(self, program: str, *arguments: str) -> Standin:
        """A program of ``lab.programs``, under the lab's own interpreter."""
        checkout = Path(__file__).resolve().parent.parent.parent
        return [sys.executable, "-m", f"lab.programs.{program}", *arguments], {"PYTHONPATH": str(checkout)}

    def _iis(self) -> list[str]:
        tls = self._run.parent / "tls"
        ports = [f"--http={self._base + 80}", f"--https={self._base + 443}"]
        files = [f"--certificate={tls / 'server.pem'}", f"--key={tls / 'server-key.pem'}"]
        return [f"--drive={self._drive.root}", *ports, *files]

    def _argument(self, text: str) -> str:
        option, equals, value = text.partition("=")
        if equals and option.startswith("-"):
            return f"{option}={self._drive.translate(value)}"
        return self._drive.translate(text)

    def _server(self, arguments: list[str]) -> list[str]:
        defaults = [text.partition("=")[2] for text in arguments if text.startswith("--defaults-file=")]
        settings = self._settings(defaults[0]) if defaults else None
        first = [f"--defaults-file={settings}"] if settings else ["--no-defaults"]
        rest = [self._argument(text) for text in arguments if text.startswith("--") and "defaults-file" not in text]
        user = f"--user={getpass.getuser()}"
        if any(text.startswith("--initialize") for text in rest):
            return self._install(settings, [text for text in rest if text.startswith("--datadir")], user)
        kept = [text for text in rest if text not in ("--console", "--standalone", "--no-monitor")]
        return [_required("mariadbd"), *first, user, f"--socket={self._short(settings, 'sock')}", *kept]

    def _install(self, settings: Path | None, given: list[str], user: str) -> list[str]:
        """``--initialize-insecure``: a shell script does it, which takes no path with a space in it."""
        lines = settings.read_text(encoding="utf-8").splitlines() if settings else []
        told = [*given, *(line for line in lines if line.startswith("datadir"))]
        data = told[0].partition("=")[2].strip() if told else ""
        link = self._short(settings, "data")
        link.unlink(missing_ok=True)
        link.symlink_to(data, target_is_directory=True)
        install = [_required("mariadb-install-db"), "--no-defaults", f"--datadir={link}", user]
        return [*install, "--auth-root-authentication-method=normal", "--skip-test-db"]

    def _settings(self, path: str) -> Path:
        """A copy of my.ini with real paths."""
        real = Path(self._drive.translate(path))
        if not real.is_file():
            raise HostError("not-found", f"Could not open required defaults file: {path}", path, 2)
        lines, section = [], ""
        for line in real.read_text(encoding="utf-8-sig").splitlines():
            heading = re.fullmatch(r"\s*\[(\w+)\]\s*", line)
            if heading:
                section = heading[1].casefold()
                lines.append(line)
            elif section == "mysqld":
                lines.extend(self._option(line))
            else:
                lines.append(line)
        self._run.mkdir(parents=True, exist_ok=True)
        copy = self._run / f"my-{hashlib.sha256(path.casefold().encode()).hexdigest()[:8]}.ini"
        copy.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return copy

    def _option(self, line: str) -> list[str]:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not name or name[0] in "#;" or _DROPPED.fullmatch(name.casefold()):
            return []
        common = name.casefold().startswith("loose") or name.casefold().replace("_", "-") in _COMMON
        option = name if common else f"loose-{name}"
        return [f"{option} = {self._drive.translate(value.strip(chr(34)))}" if equals else option]

    def _short(self, settings: Path | None, kind: str) -> Path:
        """A short path without a space: among what only matters while the lab runs, or else in this machine's own."""
        name = hashlib.sha256(str(settings or self._run).encode()).hexdigest()[:12]
        path = self._run / f"{name}.{kind}"
        if len(str(path)) < LONGEST_SOCKET and " " not in str(path):
            self._run.mkdir(parents=True, exist_ok=True)
            return path
        return Path(tempfile.gettempdir()) / f"mailhost-lab-{path.name}"


def private_python(image: Path) -> Path:
    """What runs for a release's ``python.exe``: POSIX Python finds its packages only from a folder named ``bin``."""
    own = image.parent / "bin" / "python"
    return own if own.exists() else image


def _required(program: str) -> str:
    found = find(program)
    if found is None:
        message = f"The lab has no MariaDB to stand in: install mariadb-server ('{program}' was not found)."
        raise HostError("not-found", message, program, 2)
    return found


def available() -> bool:
    """Whether a private MariaDB can stand in for MySQL."""
    return sys.platform != "win32" and all(find(name) for name in ("mariadbd", "mariadb-install-db", "mariadb"))
