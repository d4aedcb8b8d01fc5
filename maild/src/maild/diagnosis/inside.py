"""Checks of the server itself: its ports from inside, the database, bans, the relay decision, disk and error log."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from maild.diagnosis.greeting import close, connect, greeting
from maild.diagnosis.result import Line, broken, finding, fine
from maild.settings import Listener, Settings
from maild.store import Direction, Store, StoreError

PATIENCE_SECONDS = 10.0
"""Time a port of our own has for its greeting or an answer."""
LOW_DISK_BYTES = 2 << 30
"""Free space below which mail may soon be refused: some forty messages of the largest size."""
CLOCK_BOUND_US = 5_000_000
"""Difference to the database's clock that is still ordinary."""
ERROR_LINES = 3
"""Lines of the error log that are shown."""
_PROBE_FROM, _PROBE_TO = "relay-test@outside.example", "relay-test@elsewhere.example"


async def ports(settings: Settings) -> list[Line]:
    """Whether every open listener greets."""
    return list(await asyncio.gather(*map(_port, settings.open_listeners)))


async def _port(listener: Listener) -> Line:
    what = f"{listener.protocol.upper()} {listener.port}"
    try:
        right, said = await greeting(listener, PATIENCE_SECONDS)
    except (OSError, TimeoutError) as error:
        return finding(
            "{what}: no answer ({cause})",
            remedy="See whether the service maild runs, and what the log says of this listener.",
            what=what,
            cause=str(error) or "no answer in time",
        )
    if right:
        return fine("{what}: answers", what=what)
    return finding(
        "{what}: another program answers ({said})",
        remedy="Stop the other program or move the listener to another port.",
        what=what,
        said=said,
    )


async def relay(settings: Settings) -> list[Line]:
    """Whether port 25 refuses to carry a stranger's mail to strangers: asked over the wire, as a stranger would."""
    listener = next((each for each in settings.open_listeners if each.protocol == "smtp" and each.auth == "off"), None)
    if listener is None:
        return []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await _probe(listener)
    except (OSError, TimeoutError, ConnectionError) as error:
        return [
            broken("Relay self-test: port 25 could not be asked ({cause})", cause=str(error) or "no answer in time")
        ]
    if answer.startswith(("4", "5")):
        return [fine("Relay self-test: mail from strangers to strangers is refused ({answer})", answer=answer)]
    return [
        finding(
            "Relay self-test: mail from strangers to strangers is ACCEPTED ({answer})",
            remedy="Take external-external away from the IP ranges now: an open relay is on block lists within hours.",
            answer=answer,
        )
    ]


async def _probe(listener: Listener) -> str:
    """The answer to the recipient; nothing is sent."""
    reader, writer = await connect(listener)
    try:
        answer = await _reply(reader)
        for command in (
            f"EHLO {_PROBE_FROM.partition('@')[2]}",
            f"MAIL FROM:<{_PROBE_FROM}>",
            f"RCPT TO:<{_PROBE_TO}>",
        ):
            if not answer.startswith("2"):
                return answer
            writer.write(f"{command}\r\n".encode("ascii"))
            answer = await _reply(reader)
        writer.write(b"QUIT\r\n")
        return answer
    finally:
        await close(writer)


async def _reply(reader: asyncio.StreamReader) -> str:
    while True:
        line = (await reader.readline()).decode("utf-8", "replace").rstrip()
        if not line:
            raise ConnectionError("the connection was closed")
        if line[3:4] != "-":
            return line


async def database(store: Store) -> list[Line]:
    """Whether it answers, with which engine, and whether its clock is ours."""
    try:
        health = await store.maintenance.health()
        waiting = await store.queue.count()
    except StoreError as error:
        return [away(error)]
    lines = [
        fine(
            "Database: {engine}, schema {schema}, {waiting} messages in the queue",
            engine=health.engine,
            schema=health.schema,
            waiting=waiting,
        )
    ]
    if abs(health.clock_offset_us) > CLOCK_BOUND_US:
        lines.append(
            finding(
                "Database: its clock differs by {seconds} s",
                remedy="Set the time of both machines by the same time server.",
                seconds=round(health.clock_offset_us / 1_000_000),
            )
        )
    return lines


def away(error: StoreError) -> Line:
    """The line for a database that does not answer."""
    return finding(
        "Database: does not answer ({cause})",
        remedy="Start the database; maild goes on by itself once it answers.",
        cause=error.cause or error.public,
    )


async def bans(store: Store) -> list[Line]:
    """Who is shut out, and whether this machine itself is; ranges that would let strangers relay."""
    try:
        banned = await store.access.bans()
        ranges = await store.access.ranges()
    except StoreError as error:
        return [away(error)]
    shown = ", ".join(str(ban.network) for ban in banned[:5]) + (", ..." if len(banned) > 5 else "")
    lines = [fine("Bans: none")] if not banned else [fine("Bans: {count} ({shown})", count=len(banned), shown=shown)]
    own = [ban for ban in banned if any(address in ban.network for address in _LOOPBACK)]
    if own:
        lines.append(
            finding(
                "Bans: this server itself is banned ({network})",
                remedy="Lift it with: maild ban remove {network}",
                network=own[0].network,
            )
        )
    for each in ranges:
        both = Direction.EXTERNAL_TO_EXTERNAL
        if both in each.allow and both not in each.require_auth and not each.high.is_loopback:
            lines.append(
                finding(
                    "IP range {name}: strangers may relay from {low} to {high}",
                    remedy="Ask for a login there, or take external-external away.",
                    name=each.name,
                    low=each.low,
                    high=each.high,
                )
            )
    return lines


_LOOPBACK: Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address] = (
    ipaddress.IPv4Address("127.0.0.1"),
    ipaddress.IPv6Address("::1"),
)


async def disk(settings: Settings) -> list[Line]:
    """Free space where data and logs are."""
    lines: list[Line] = []
    places = [settings.data_folder, settings.logs.folder]
    if settings.database.engine == "sqlite":
        places.append(settings.database.file.parent)
    for device, place in {_device(place): place for place in map(_existing, places)}.items():
        free = (await asyncio.to_thread(shutil.disk_usage, place)).free
        values = {"place": str(place), "gib": f"{free / (1 << 30):.1f}"}
        if device and free < LOW_DISK_BYTES:
            lines.append(
                finding(
                    "Disk: only {gib} GiB free at {place}",
                    remedy="Make room: without it mail is refused for the time being (452).",
                    **values,
                )
            )
        else:
            lines.append(fine("Disk: {gib} GiB free at {place}", **values))
    return lines


def _existing(place: Path) -> Path:
    there = next((path for path in (place, *place.parents) if path.exists()), Path.cwd())
    return Path(os.path.normpath(there))


def _device(place: Path) -> int:
    return place.stat().st_dev


async def errors(settings: Settings, today: dt.date) -> list[Line]:
    """What the error log of today says."""
    file = settings.logs.folder / f"ERROR_maild_{today:%Y-%m-%d}.log"
    try:
        text = await asyncio.to_thread(file.read_text, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return [fine("Error log: nothing today")]
    except OSError as error:
        return [broken("Error log: cannot be read ({cause})", cause=error.strerror or str(error))]
    lines = [line.rsplit("\t", 1)[-1].strip('"')[:200] for line in text.splitlines() if line]
    if not lines:
        return [fine("Error log: nothing today")]
    return [
        finding(
            "Error log: {count} lines today, the last: {last}",
            remedy="See {file}",
            count=len(lines),
            last=" | ".join(lines[-ERROR_LINES:]),
            file=file,
        )
    ]
