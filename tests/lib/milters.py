"""Resident opendkim and opendmarc driven by miltertest: many messages in one run, what each field they add comes back.

The filters are oracles for our own checks. They read their DNS from a file, so no packet leaves the machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lib.programs import find_server_program

SERVER = "oracle.example"
CHUNK = 60_000
"""Octets of a body chunk; a milter takes 65,535."""

SCRIPT = """
local function field(s) return (s:gsub("[\\r\\n\\t]+", " ")) end
local out = io.open(results, "w")
for line in io.lines(plan) do
  local id, ip, helo, sender = line:match("^([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)$")
  local file = io.open(folder .. "/" .. id .. ".eml", "rb")
  local data = file:read("*a")
  file:close()
  local conn = mt.connect(milter, 100, 0.05)
  if conn == nil then error("no connection") end
  mt.conninfo(conn, "client.example", ip)
  if not mt.test_option(conn, SMFIP_NOHELO) then mt.helo(conn, helo) end
  mt.macro(conn, SMFIC_MAIL, "i", id)
  mt.mailfrom(conn, "<" .. sender .. ">")
  if not mt.test_option(conn, SMFIP_NORCPT) then mt.rcptto(conn, "<you@receiver.example>") end
  local position = 1
  while true do
    local stop = data:find("\\r\\n[^ \\t]", position)
    if data:sub(position, position + 1) == "\\r\\n" or stop == nil then break end
    local name, value = data:sub(position, stop - 1):match("^([^:]+): ?(.*)$")
    if name ~= nil then mt.header(conn, name, value) end
    position = stop + 2
  end
  mt.eoh(conn)
  local body = data:sub(position + 2)
  if mt.test_option(conn, SMFIP_NOBODY) then body = "" end
  local accepted = mt.getreply(conn) ~= SMFIR_CONTINUE
  if not accepted then
    for i = 1, #body, chunk do mt.bodystring(conn, body:sub(i, i + chunk - 1)) end
    mt.eom(conn)
  end
  for i = 0, 9 do
    local value = not accepted and mt.getheader(conn, wanted, i) or nil
    if value == nil then break end
    out:write(id, "\\t", raw and value:gsub("\\r?\\n", "\\1") or field(value), "\\n")
  end
  mt.disconnect(conn)
end
out:close()
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message for a filter, with its envelope."""

    id: str
    data: bytes
    ip: str = "192.0.2.1"
    helo: str = "client.example"
    sender: str = ""


def program_of(name: str) -> Path:
    """The program, which must be there."""
    found = find_server_program(name)
    if found is None:
        raise RuntimeError(f"{name} is not installed")
    return found


def records(table: Mapping[str, Mapping[str, Sequence[object]] | str], path: Path, suffix: str = "") -> None:
    """Writes the TXT records of a zone table as the filters' test files have them."""
    lines = []
    for name, types in table.items():
        if not isinstance(types, str) and types.get("TXT"):
            value = types["TXT"][0]
            text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
            lines.append(f"{name}{suffix} {text}\n")
    path.write_text("".join(lines))


@contextlib.contextmanager
def running(program: str, settings: Mapping[str, object], folder: Path) -> Iterator[str]:
    """A filter with these settings for the time of a block; gives its socket."""
    path = folder / f"{program}-{time.monotonic_ns()}"
    milter = f"unix:{path}.sock"
    configuration = path.with_suffix(".conf")
    whole = {"Socket": milter, "Syslog": "no", **settings}
    configuration.write_text("".join(f"{name} {value}\n" for name, value in whole.items()))
    process = subprocess.Popen(
        [program_of(program), "-f", "-x" if program == "opendkim" else "-c", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _await(path.with_suffix(".sock"), process)
        yield milter
    finally:
        process.terminate()
        process.wait(10)


def _await(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(f"the filter ended: {process.stderr.read().decode(errors='replace')}")
        if path.exists():
            return
        time.sleep(0.05)
    raise RuntimeError("the filter does not listen")


def sent(milter: str, mails: Sequence[Mail], folder: Path, *, field: str, raw: bool = False) -> dict[str, list[str]]:
    """The values of a field that a filter adds to each message; ``raw`` keeps folding."""
    work = folder / f"mail-{time.monotonic_ns()}"
    work.mkdir()
    for mail in mails:
        (work / f"{mail.id}.eml").write_bytes(mail.data)
    plan, results, script = work / "plan", work / "results", work / "drive.lua"
    plan.write_text("".join(f"{mail.id}\t{mail.ip}\t{mail.helo}\t{mail.sender}\n" for mail in mails))
    script.write_text(SCRIPT)
    values = {"milter": milter, "folder": work, "plan": plan, "results": results, "wanted": field, "chunk": CHUNK}
    definitions = [part for name, value in values.items() for part in ("-D", f"{name}={value}")]
    done = subprocess.run(
        [program_of("miltertest"), "-v", *definitions, *(["-D", "raw=1"] if raw else []), "-s", str(script)],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "TZ": "UTC"},
    )
    if done.returncode:
        raise RuntimeError(f"miltertest failed: {done.stderr or done.stdout}")
    found: dict[str, list[str]] = {mail.id: [] for mail in mails}
    for line in results.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]:
        name, _, value = line.partition("\t")
        found[name].append(value.replace("\x01", "\r\n"))
    shutil.rmtree(work, ignore_errors=True)
    return found
