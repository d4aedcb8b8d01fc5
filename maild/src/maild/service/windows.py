"""A Windows service without pywin32: the dispatcher of advapi32 by ctypes.

``run`` connects this process to the service manager, tells it each state, and calls the daemon's functions from the
manager's thread. pywin32's services and private Pythons do not go together (its maintainer says so), and this needs no
DLL of its own. It runs on Windows alone; elsewhere ``run`` raises ``ServiceError``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

NAME = "maild"
OWN_PROCESS = 0x10
STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
ACCEPT_STOP, ACCEPT_SHUTDOWN, ACCEPT_PARAMCHANGE, ACCEPT_PRESHUTDOWN = 0x1, 0x4, 0x8, 0x100
CONTROL_STOP, CONTROL_INTERROGATE, CONTROL_SHUTDOWN, CONTROL_PARAMCHANGE, CONTROL_PRESHUTDOWN = 1, 4, 5, 6, 15
NOT_IMPLEMENTED = 120
NO_SERVICE_PROCESS = 1063
"""ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: started by hand, not by the manager."""
STOP_WAIT_MS = 30_000
"""How long the manager waits for us to end: more than the daemon's own drain time."""
START_WAIT_MS = 120_000
"""How long it waits for our ports: loading the modules of a cold disk takes its time."""
SERVICE_SPECIFIC = 1066
MANAGER_CONNECT, SERVICE_PAUSE_CONTINUE = 0x1, 0x40


class ServiceError(Exception):
    """The service manager cannot be reached; the text says why."""


class Status(ctypes.Structure):
    """SERVICE_STATUS."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("state", ctypes.c_uint32),
        ("accepted", ctypes.c_uint32),
        ("exit_code", ctypes.c_uint32),
        ("specific_exit_code", ctypes.c_uint32),
        ("checkpoint", ctypes.c_uint32),
        ("wait_hint", ctypes.c_uint32),
    )


class Service:
    """One service process: ``main`` runs the daemon to its end and returns its exit status."""

    def __init__(self, main: Callable[[Callable[[], None]], int], stop: Callable[[], None], reload: Callable[[], None]):
        self._main = main
        self._stop = stop
        self._reload = reload
        self._handle: Any = None
        self._status = Status(type=OWN_PROCESS, state=START_PENDING)
        self._kept: list[Any] = []

    def run(self) -> None:
        """Gives this thread to the dispatcher until the service has ended."""
        advapi32 = _advapi32()
        main_type = ctypes.WINFUNCTYPE(None, ctypes.c_uint32, ctypes.POINTER(ctypes.c_wchar_p))  # type: ignore[attr-defined,unused-ignore]

        class Entry(ctypes.Structure):
            _fields_ = (("name", ctypes.c_wchar_p), ("main", main_type))

        entry = main_type(lambda *_: self._service_main(advapi32))
        self._kept.append(entry)
        table = (Entry * 2)(Entry(NAME, entry), Entry(None, main_type()))
        if not advapi32.StartServiceCtrlDispatcherW(table):
            code = ctypes.get_last_error()  # type: ignore[attr-defined,unused-ignore]
            reason = "this is not started by the service manager" if code == NO_SERVICE_PROCESS else f"error {code}"
            raise ServiceError(f"StartServiceCtrlDispatcher: {reason}")

    def _service_main(self, advapi32: Any) -> None:
        handler_type = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined,unused-ignore]
            ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
        )
        handler = handler_type(lambda control, *_: self._control(advapi32, control))
        self._kept.append(handler)
        advapi32.RegisterServiceCtrlHandlerExW.restype = ctypes.c_void_p
        self._handle = advapi32.RegisterServiceCtrlHandlerExW(ctypes.c_wchar_p(NAME), handler, None)
        self._tell(advapi32, START_PENDING, wait_hint=START_WAIT_MS)
        status = 1
        try:
            status = self._main(lambda: self._tell(advapi32, RUNNING))
        finally:
            self._tell(advapi32, STOPPED, exit_code=status)

    def _control(self, advapi32: Any, control: int) -> int:
        if control in {CONTROL_STOP, CONTROL_SHUTDOWN, CONTROL_PRESHUTDOWN}:
            self._tell(advapi32, STOP_PENDING, wait_hint=STOP_WAIT_MS)
            self._stop()
        elif control == CONTROL_PARAMCHANGE:
            self._reload()
        elif control != CONTROL_INTERROGATE:
            return NOT_IMPLEMENTED
        return 0

    def _tell(self, advapi32: Any, state: int, *, wait_hint: int = 0, exit_code: int = 0) -> None:
        status = self._status
        status.state = state
        status.accepted = ACCEPT_STOP | ACCEPT_PRESHUTDOWN | ACCEPT_PARAMCHANGE if state == RUNNING else 0
        status.exit_code, status.specific_exit_code = (SERVICE_SPECIFIC, exit_code) if exit_code else (0, 0)
        status.wait_hint = wait_hint
        status.checkpoint = status.checkpoint + 1 if state in {START_PENDING, STOP_PENDING} else 0
        advapi32.SetServiceStatus(ctypes.c_void_p(self._handle), ctypes.byref(status))


def ask_to_reload(name: str = NAME) -> None:
    """Sends the control PARAMCHANGE to the running service."""
    advapi32 = _advapi32()
    advapi32.OpenSCManagerW.restype = advapi32.OpenServiceW.restype = ctypes.c_void_p
    manager = advapi32.OpenSCManagerW(None, None, MANAGER_CONNECT)
    service = manager and advapi32.OpenServiceW(
        ctypes.c_void_p(manager), ctypes.c_wchar_p(name), SERVICE_PAUSE_CONTINUE
    )
    try:
        status = Status()
        done = service and advapi32.ControlService(ctypes.c_void_p(service), CONTROL_PARAMCHANGE, ctypes.byref(status))
        if not done:
            raise ServiceError(f"{name}: error {ctypes.get_last_error()}")  # type: ignore[attr-defined,unused-ignore]
    finally:
        for handle in (service, manager):
            if handle:
                advapi32.CloseServiceHandle(ctypes.c_void_p(handle))


def _advapi32() -> Any:
    load = getattr(ctypes, "WinDLL", None)
    if load is None:
        raise ServiceError("this system has no service manager of Windows")
    return load("advapi32", use_last_error=True)
