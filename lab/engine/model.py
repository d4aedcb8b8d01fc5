"""The model engine: recognises the bootstrap of a session by its command line and answers its lines itself.

Every other command is one of the few plain ones. A request is answered whole even when its client is gone by then, as
a process on Windows does that nobody ended.
"""

from __future__ import annotations

import base64
import binascii
import json
import queue
import re
import threading
import time
from collections.abc import Callable

from lab.engine import ansible, plain
from lab.engine.requests import Reply, Requests
from lab.engine.runlock import RunLock
from lab.model.host import Host
from lab.wsman.shells import CommandLine, Output, Process
from pyinfra_winrm.protocol import ProtocolError, decode_request, encode_reply

TICK = 0.25  # seconds between two looks at the lease
POWERSHELL_NEEDS = 60  # MB that an idle powershell.exe of 5.1 takes
TERMINATED = 0xC000013A  # STATUS_CONTROL_C_EXIT
LEASE_OVER = 3
_ENCODED = re.compile(r"-e(?:nc|ncodedcommand|c)?\s+([A-Za-z0-9+/=]+)", re.IGNORECASE)
_LANGUAGE_MODE = re.compile(r"'(@@mailhost 0 [A-Za-z0-9+/=]+)'")


def encoded_script(line: str) -> str | None:
    """The script behind ``-EncodedCommand``."""
    matched = _ENCODED.search(line)
    if matched is None or "powershell" not in line.lower():
        return None
    try:
        return base64.b64decode(matched[1]).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return None


class ModelEngine:
    """Starts commands on the model of one host."""

    def __init__(self, host: Host, lock: RunLock, facts: Callable[[], Reply]) -> None:
        self._host = host
        self._lock = lock
        self._facts = facts

    def start(self, command: CommandLine, output: Output) -> Process:
        """A session for the bootstrap, an answer for anything else."""
        script = encoded_script(command.line)
        if script is not None and "@@mailhost" in script:
            return self._session(script, output)
        if script is not None and ansible.is_wrapper(script):
            return ansible.PutFile(self._host, output)
        code, text = plain.answer(self._host, script if script is not None else command.line)
        data = text.encode(plain.codec(command.code_page), "replace")
        output.write("stdout" if code != plain.UNKNOWN else "stderr", data)
        output.done(code)
        return Ended()

    def _session(self, script: str, output: Output) -> Process:
        system = self._host.system
        if system.get("language_mode") != "FullLanguage":
            constant = _LANGUAGE_MODE.search(script)
            output.write("stdout", (constant[1] if constant else "").encode() + b"\r\n")
            output.done(1)
            return Ended()
        if {**system.facts()["quotas"]}["MaxMemoryPerShellMB"] < POWERSHELL_NEEDS:
            output.write("stderr", b"Process is terminated due to OutOfMemoryException.\r\n")
            output.done(0x800705AF)
            return Ended()
        requests = Requests(self._host, self._lock, self._run, self._facts)
        return Session(requests, output)

    def _run(self, script: str) -> Reply:
        code, text = plain.answer(self._host, script)
        lines = text.strip().splitlines()
        return {"rc": code, "out": [], "err": lines} if code == plain.UNKNOWN else {"rc": code, "out": lines, "err": []}


class Ended:
    """A command that was over as soon as it was started."""

    def write(self, data: bytes, end: bool) -> None:
        """Input that nobody reads."""

    def interrupt(self) -> None:
        """Nothing is left to interrupt."""

    def terminate(self) -> None:
        """Nothing is left to end."""


class Session:
    """The bootstrap's loop: lines in, marked lines out, one after the other in a thread of its own."""

    def __init__(self, requests: Requests, output: Output) -> None:
        self._requests = requests
        self._output = output
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._rest = bytearray()
        self._ended = False
        self._code = 0
        threading.Thread(target=self._serve, name="session", daemon=True).start()

    def write(self, data: bytes, end: bool) -> None:
        """Takes input, cut at any byte."""
        self._rest += data
        if b"\n" in data:
            *lines, rest = self._rest.split(b"\n")
            self._rest = bytearray(rest)
            for line in lines:
                self._lines.put(bytes(line))
        if end:
            self._lines.put(None)

    def interrupt(self) -> None:
        """Ends the session after the request that is under way."""
        self.terminate()

    def terminate(self) -> None:
        """Ends the session after the request that is under way; its reply goes nowhere."""
        self._ended, self._code = True, TERMINATED
        self._lines.put(None)

    def _serve(self) -> None:
        try:
            self._take_lines()
        finally:
            self._requests.close()
            self._output.done(self._code)

    def _take_lines(self) -> None:
        used = time.monotonic()
        while not self._ended:
            try:
                line = self._lines.get(timeout=TICK)
            except queue.Empty:
                if self._requests.lease and time.monotonic() - used > self._requests.lease:
                    self._code = LEASE_OVER
                    return
                continue
            if line is None:
                return
            self._line(line)
            used = time.monotonic()

    def _line(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            request = decode_request(line)
        except ProtocolError as error:
            failure = {"code": "other", "message": str(error), "what": ""}
            self._output.write("stdout", encode_reply(0, {"ok": False, "error": failure}))
            return
        reply = self._requests.answer(request)
        if reply is not None:
            self._output.write("stdout", encode_reply(int(request.get("id") or 0), json.loads(json.dumps(reply))))
