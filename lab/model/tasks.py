"""Scheduled tasks: the definition as Task Scheduler hands it back, and runs of exactly its recorded command line.

A task runs in a bare environment as its recorded account could. What a definition may hold is checked as far as
registering checks it; triggers are read only to tell what is due.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lab.model import commandline, sids
from lab.model.accounts import Accounts, check_command_line
from lab.model.errors import HostError, not_found
from lab.model.files import Files
from lab.model.processes import Processes
from lab.model.state import Journal, State
from lab.xmltext import ET, parse

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
NEVER_RAN = 0x41303
RUNNING = 0x41301
_TAG = f"{{{NAMESPACE}}}"
_HEADER = '<?xml version="1.0" encoding="UTF-16"?>\n'


def canonical(path: str) -> str:
    """``\\Folder\\Name`` with one leading backslash."""
    if "/" in path:
        raise HostError("other", f"'{path}' is not a task path: it has a forward slash.", path, 123)
    return "\\" + path.strip("\\")


def normalised(xml: str, path: str, resolve: Callable[[str], str]) -> str:
    """The definition as it reads back: SIDs for accounts, the URI, the header of UTF-16."""
    if 'encoding="utf-8"' in xml[:100].casefold():
        raise HostError("other", "The task XML is malformed: (1,40): it cannot be UTF-8.", path, 0x8004131A)
    try:
        task = parse(xml.removeprefix("\ufeff").removeprefix(_HEADER.strip()).strip())
    except ET.ParseError as error:
        raise HostError("other", f"The task XML is malformed: {error}", path, 0x8004131A) from error
    if task.tag != f"{_TAG}Task" or task.find(f"{_TAG}Actions") is None:
        raise HostError("other", "The task XML is missing a required element.", path, 0x80041319)
    for user in task.iter(f"{_TAG}UserId"):
        user.text = resolve((user.text or "").strip())
    information = task.find(f"{_TAG}RegistrationInfo")
    if information is None:
        information = ET.Element(f"{_TAG}RegistrationInfo")
        task.insert(0, information)
    uri = information.find(f"{_TAG}URI")
    if uri is None:
        uri = ET.SubElement(information, f"{_TAG}URI")
    uri.text = path
    ET.register_namespace("", NAMESPACE)
    ET.indent(task)
    return _HEADER + ET.tostring(task, encoding="unicode")


class Tasks:
    """The task folder of one host."""

    def __init__(
        self,
        state: State,
        journal: Journal,
        processes: Processes,
        files: Files,
        accounts: Accounts,
        logs: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._journal = journal
        self._processes = processes
        self._files = files
        self._accounts = accounts
        self._logs = logs / "tasks"
        self._clock = clock
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def paths(self, folder: str = "\\") -> list[str]:
        """The tasks in a folder and below."""
        prefix = canonical(folder).rstrip("\\").casefold() + "\\"
        return sorted(row["path"] for key, row in self._rows().items() if key.startswith(prefix))

    def xml(self, path: str) -> str | None:
        """The definition, or None."""
        row = self._rows().get(canonical(path).casefold())
        return None if row is None else str(row["xml"])

    def register(self, path: str, xml: str) -> None:
        """Makes the task or replaces its definition."""
        where = canonical(path)
        new = normalised(xml, where, self._accounts.sid)
        old = self.xml(where)
        if new == old:
            return
        with self._state.changing():
            row = self._rows().setdefault(where.casefold(), {"path": where, "enabled": True})
            row["xml"] = new
            self._journal.record("task", where, "xml", old, new)

    def delete(self, path: str) -> None:
        """Removes the task."""
        where = canonical(path)
        if self.xml(where) is None:
            raise not_found(where, "task")
        with self._state.changing():
            del self._rows()[where.casefold()]
            self._journal.record("task", where, "state", "present", "absent")

    def info(self, path: str) -> dict[str, Any]:
        """``{last_run, last_result, running}``; a task that never ran has the result 0x41303."""
        where = canonical(path)
        row = self._rows().get(where.casefold())
        if row is None:
            raise not_found(where, "task")
        running = where.casefold() in self._running
        result = RUNNING if running else row.get("last_result", NEVER_RAN)
        return {"last_run": row.get("last_run"), "last_result": result, "running": running}

    def run(self, path: str) -> dict[str, Any]:
        """Runs the recorded command line now, to its end: ``{rc, out}``."""
        where = canonical(path)
        xml = self.xml(where)
        if xml is None:
            raise not_found(where, "task")
        with self._lock:
            if where.casefold() in self._running:
                raise HostError("busy", f"The task '{where}' is running already.", where, 0x8004131F)
            self._running.add(where.casefold())
        try:
            result = self._run(parse(xml.removeprefix(_HEADER)), where)
        finally:
            self._running.discard(where.casefold())
        with self._state.changing():
            row = self._rows().get(where.casefold(), {})
            row["last_run"], row["last_result"] = self._clock(), result["rc"]
        return result

    def run_due(self, since: float, until: float) -> list[str]:
        """Runs each task that a trigger wanted in the time between; gives the paths."""
        ran = []
        for path in self.paths():
            xml = self.xml(path) or ""
            if any(due(xml, datetime.fromtimestamp(since), datetime.fromtimestamp(until))):  # noqa: DTZ006 - local
                self.run(path)
                ran.append(path)
        return ran

    def _run(self, task: ET.Element, path: str) -> dict[str, Any]:
        user = task.findtext(f".//{_TAG}UserId") or sids.SYSTEM
        token = self._accounts.token(user)
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / (path.strip("\\").replace("\\", ".") + ".log")
        code = 0
        with log.open("w+b") as output:
            for action in task.iter(f"{_TAG}Exec"):
                command = (action.findtext(f"{_TAG}Command") or "").strip().strip('"')
                line = commandline.quote(command) + " " + (action.findtext(f"{_TAG}Arguments") or "")
                check_command_line(self._files, token, line)
                folder = action.findtext(f"{_TAG}WorkingDirectory")
                launch = self._processes.launch(line, None, folder)
                running = self._processes.start(launch, f"task {path}", output)
                try:
                    code = running.process.wait()
                except subprocess.SubprocessError:
                    code = 1
                self._processes.forget(running.pid)
            output.seek(0)
            return {"rc": code & 0xFFFFFFFF, "out": output.read().decode("utf-8", "replace")}

    def _rows(self) -> dict[str, Any]:
        return self._state.section("tasks")


def due(xml: str, since: datetime, until: datetime) -> list[bool]:
    """For each time trigger of the definition: whether it fires in ``(since, until]``."""
    task = parse(xml.removeprefix(_HEADER))
    fires = []
    for trigger in task.findall(f"{_TAG}Triggers/*"):
        start = trigger.findtext(f"{_TAG}StartBoundary")
        if start is None or (trigger.findtext(f"{_TAG}Enabled") or "true").casefold() == "false":
            continue
        first = datetime.fromisoformat(start).replace(tzinfo=None)
        step = timedelta(days=int(trigger.findtext(f".//{_TAG}DaysInterval") or 1))
        if first > until:
            fires.append(False)
            continue
        once = trigger.tag == f"{_TAG}TimeTrigger"
        last = first if once else first + step * ((until - first) // step)
        fires.append(since < last <= until)
    return fires
