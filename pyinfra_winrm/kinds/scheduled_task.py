r"""A scheduled task, written and read as the XML that the task service keeps (MS-TSCH 2.5).

The service rewrites what it is given and leaves out what is its default, so the fields are compared and not the text.
Right after each change the host records two fingerprints: what was registered and what the service made of it. While
both still hold, the task is in step however the service has written it; when the second does not, somebody has edited
the task, and what no field names shows as its ``definition``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from pyinfra_winrm.kinds.accounts import name_of, sid_of
from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.kinds.service import quoted
from pyinfra_winrm.resource import Difference, Json, Kind, Present, State

_SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
# results that are no failure: success, ready and never run, running, has not yet run
_HEALTHY = frozenset({0, 0x41300, 0x41301, 0x41303})
# settings that every task gets: (element, value written, value where the service leaves it out)
_REGISTERED = "as registered"
_SETTINGS = (
    ("MultipleInstancesPolicy", "IgnoreNew", "IgnoreNew"),
    ("DisallowStartIfOnBatteries", "false", "true"),
    ("StopIfGoingOnBatteries", "false", "true"),
    ("StartWhenAvailable", "true", "false"),
)


@dataclass(frozen=True, slots=True)
class Daily:
    """Every so many days at a time of day, in the host's time zone.

    at: ``HH:MM``.
    every: days in between.
    random_delay: up to so many minutes later.
    """

    at: str
    every: int = 1
    random_delay: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.at):
            raise InvalidResourceError(f"time of day {self.at!r} is not HH:MM")

    def __str__(self) -> str:
        days = "daily" if self.every == 1 else f"every {self.every} days"
        return f"{days} at {self.at}" + (f" within {self.random_delay} min" if self.random_delay else "")


@dataclass(frozen=True, slots=True)
class AtStartup:
    """When the host has started.

    delay: minutes after that.
    """

    delay: int = 0

    def __str__(self) -> str:
        return "at startup" + (f" after {self.delay} min" if self.delay else "")


Trigger = Daily | AtStartup


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledTask:
    r"""A task of the task service.

    name: the task.
    command: program and arguments.
    folder: the folder of the library it is in, with forward slashes.
    description: what it is for.
    working_directory: where the program starts.
    account: a well-known account, ``NT SERVICE\name`` or a SID.
    highest: run with all rights the account has.
    triggers: when it runs.
    time_limit: minutes after which a run is ended.
    enabled: whether it runs at all.
    rerun_failed: a last run that failed counts as drift, and is repaired by running the task again.
    state: ``absent`` removes it.
    """

    kind: ClassVar[str] = "scheduled_task"
    name: str
    command: tuple[str, ...] = ()
    folder: str = "/"
    description: str = ""
    working_directory: str = ""
    account: str = "SYSTEM"
    highest: bool = True
    triggers: tuple[Trigger, ...] = field(default=())
    time_limit: int = 60
    enabled: bool = True
    rerun_failed: bool = False
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set('\\/:*?"<>|'):
            raise InvalidResourceError(f"task name {self.name!r} is empty or has a sign that Windows keeps for itself")
        if self.state == "present" and not self.command:
            raise InvalidResourceError(f"task {self.name} has no command")

    @property
    def label(self) -> str:
        """Folder and name."""
        return f"{self.folder.strip('/')}/{self.name}".lstrip("/")


def _path(task: ScheduledTask) -> str:
    return "\\" + task.label.replace("/", "\\")


def _trigger_xml(trigger: Trigger) -> str:
    if isinstance(trigger, AtStartup):
        delay = f"<Delay>PT{trigger.delay}M</Delay>" if trigger.delay else ""
        return f"<BootTrigger><Enabled>true</Enabled>{delay}</BootTrigger>"
    delay = f"<RandomDelay>PT{trigger.random_delay}M</RandomDelay>" if trigger.random_delay else ""
    return (
        f"<CalendarTrigger><StartBoundary>2020-01-01T{trigger.at}:00</StartBoundary><Enabled>true</Enabled>{delay}"
        f"<ScheduleByDay><DaysInterval>{trigger.every}</DaysInterval></ScheduleByDay></CalendarTrigger>"
    )


def _program(task: ScheduledTask) -> tuple[str, str]:
    program, *arguments = task.command
    if len(program) > 2 and program[1] == ":":
        program = windows_path(program)
    return program, " ".join(quoted(argument) for argument in arguments)


def task_xml(task: ScheduledTask) -> str:
    """The definition without a head: the service is given a string, and refuses one that claims UTF-8."""
    program, arguments = _program(task)
    settings = "".join(f"<{name}>{value}</{name}>" for name, value, _ in _SETTINGS)
    directory = windows_path(task.working_directory) if task.working_directory else ""
    return (
        f'<Task version="1.2" xmlns="{_SPACE[1:-1]}">'
        f"<RegistrationInfo><Description>{escape(task.description)}</Description></RegistrationInfo>"
        f"<Triggers>{''.join(_trigger_xml(trigger) for trigger in task.triggers)}</Triggers>"
        f'<Principals><Principal id="Author"><UserId>{sid_of(task.account)}</UserId>'
        f"<RunLevel>{'HighestAvailable' if task.highest else 'LeastPrivilege'}</RunLevel></Principal></Principals>"
        f"<Settings>{settings}<Enabled>{str(task.enabled).lower()}</Enabled>"
        f"<ExecutionTimeLimit>PT{task.time_limit}M</ExecutionTimeLimit></Settings>"
        f'<Actions Context="Author"><Exec><Command>{escape(program)}</Command>'
        + (f"<Arguments>{escape(arguments)}</Arguments>" if arguments else "")
        + (f"<WorkingDirectory>{escape(directory)}</WorkingDirectory>" if directory else "")
        + "</Exec></Actions></Task>"
    )


def minutes(duration: str) -> float:
    """An XML duration in minutes (``PT1H30M``, ``P1D``); 0 for none."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", duration)
    if found is None:
        return 0
    days, hours, mins, seconds = (int(part or 0) for part in found.groups())
    return days * 1440 + hours * 60 + mins + seconds / 60


def _text(element: ET.Element | None, path: str, default: str = "") -> str:
    if element is None:
        return default
    found = element.find("/".join(_SPACE + name for name in path.split("/")))
    return default if found is None or found.text is None else found.text.strip()


def _trigger_text(trigger: ET.Element) -> str:
    off = "" if _text(trigger, "Enabled", "true") == "true" else " (disabled)"
    kind = trigger.tag.removeprefix(_SPACE)
    if kind == "BootTrigger":
        return str(AtStartup(int(minutes(_text(trigger, "Delay"))))) + off
    at = re.search(r"T(\d\d:\d\d)", _text(trigger, "StartBoundary"))
    every = _text(trigger, "ScheduleByDay/DaysInterval")
    if kind == "CalendarTrigger" and at and every:
        return str(Daily(at[1], int(every), int(minutes(_text(trigger, "RandomDelay"))))) + off
    return f"another {kind}{off}"


def task_fields(xml: str) -> dict[str, Json]:
    """A definition's fields under the names of ``ScheduledTask``; also of one that Windows has rewritten."""
    root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", xml))  # noqa: S314 - the host's own definition
    settings = root.find(f"{_SPACE}Settings")
    principal = root.find(f"{_SPACE}Principals/{_SPACE}Principal")
    program = root.find(f"{_SPACE}Actions/{_SPACE}Exec")
    others = [name for name, written, default in _SETTINGS if _text(settings, name, default) != written]
    return {
        "description": _text(root, "RegistrationInfo/Description"),
        "triggers": sorted(_trigger_text(trigger) for trigger in root.iterfind(f"{_SPACE}Triggers/*")),
        "account": _account(_text(principal, "UserId")),
        "highest": _text(principal, "RunLevel", "LeastPrivilege") == "HighestAvailable",
        "command": _text(program, "Command").strip('"') + (f" {_text(program, 'Arguments')}".rstrip()),
        "working_directory": _text(program, "WorkingDirectory"),
        "time_limit": minutes(_text(settings, "ExecutionTimeLimit", "PT72H")),
        "enabled": _text(settings, "Enabled", "true") == "true",
        "definition": ", ".join(others) or _REGISTERED,
    }


def _account(user: str) -> str:
    try:
        return name_of(sid_of(user))
    except InvalidResourceError:
        return user


def _key(task: ScheduledTask) -> Mapping[str, Json]:
    return {"path": _path(task)}


def _desired(task: ScheduledTask) -> Mapping[str, Json]:
    wanted: dict[str, Json] = {"state": task.state, "path": _path(task)}
    if task.state == "absent":
        return wanted
    return wanted | {"xml": task_xml(task), "rerun_failed": task.rerun_failed}


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _result(value: Mapping[str, Json]) -> str:
    code = value["last_result"] & 0xFFFFFFFF
    return "no failure" if code in _HEALTHY else f"failed with 0x{code:x}"


def _definition(task: ScheduledTask, value: Mapping[str, Json]) -> str:
    """What the two fingerprints say of a task none of whose fields differs."""
    registered, _, kept = value["recorded"].partition(" ")
    if not kept:
        return "not registered by us"
    if kept != _fingerprint(value["xml"]):
        return "edited"
    return _REGISTERED if registered == _fingerprint(task_xml(task)) else "registered by another description"


def _differences(task: ScheduledTask, state: State) -> tuple[Difference, ...]:
    if task.state == "absent" or not isinstance(state, Present):
        return compare(task.state, state, {}, lambda value: value)
    wanted, found = task_fields(task_xml(task)), task_fields(state.value["xml"])
    definition = _definition(task, state.value)
    if definition == _REGISTERED:
        wanted, found = {}, {}  # both fingerprints hold: what reads otherwise is how the service writes it
    elif found["definition"] == _REGISTERED:
        found["definition"] = definition
    if task.rerun_failed:
        wanted["last_result"], found["last_result"] = "no failure", _result(state.value)
    lines = compare(task.state, state, wanted, lambda _: found)
    named = [difference for difference in lines if difference.field not in {"definition", "last_result"}]
    return tuple(difference for difference in lines if difference.field != "definition" or not named)


KIND = Kind("scheduled_task", ScheduledTask, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
