"""The command lines of SMTP, read strictly: RFC 5321 with the parameters of its extensions.

Pure: bytes in, values out, and ``Refused`` with the reply for what is wrong. What a command means for a conversation is
not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, cast

from maild.mail.address import Address, AddressError, parse_path
from maild.mail.envelope import Notify

MAX_COMMAND = 2048
"""Octets of a command line: 512 (RFC 5321 4.5.3.1.4) and what the extensions add, ORCPT and ENVID most."""
MAX_AUTH = 12288
"""Octets of a line in an AUTH exchange (RFC 4954 section 4)."""

_VERB = re.compile(rb"([A-Za-z]{4,9})(?: (.*))?", re.DOTALL)
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?")
_POSTMASTER = re.compile(r"TO:\s*<POSTMASTER>", re.IGNORECASE)
_HELO = re.compile(r"[\x21-\x7e]{1,255}")
_XTEXT = re.compile(r"(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")


class Refused(Exception):  # noqa: N818
    """A command that gets a refusal; ``reply`` is what the client is told."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Command:
    """A verb in capitals and what followed it."""

    verb: str
    argument: str


@dataclass(frozen=True, slots=True)
class MailFrom:
    """MAIL FROM with its parameters."""

    sender: Address | None
    size: int = 0
    body: Literal["7BIT", "8BITMIME"] = "7BIT"
    smtputf8: bool = False
    returns: Literal["FULL", "HDRS"] | None = None
    envelope_id: str | None = None


@dataclass(frozen=True, slots=True)
class RcptTo:
    """RCPT TO with its parameters; no address is the bare ``<postmaster>``."""

    address: Address | None
    notify: frozenset[Notify] = frozenset()
    original: str | None = None


def command(line: bytes) -> Command:
    """The command in a line without its CRLF."""
    found = _VERB.fullmatch(line.rstrip(b" \t"))
    if found is None:
        raise Refused("500 5.5.2 Syntax error, command unrecognised")
    try:
        argument = (found[2] or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("500 5.5.2 The line is neither ASCII nor UTF-8") from None
    if "\0" in argument:
        raise Refused("500 5.5.2 The line holds a NUL")
    return Command(found[1].decode().upper(), argument)


def helo_name(argument: str) -> str:
    """The name of HELO and EHLO."""
    if not _HELO.fullmatch(argument):
        raise Refused("501 5.5.4 A host name or address literal is wanted")
    return argument


def mail_from(argument: str) -> MailFrom:
    """The argument of MAIL."""
    address, parameters = _path(argument, "FROM:")
    if not parameters:
        _needs_smtputf8(argument, address, smtputf8=False)
        return MailFrom(address)
    unknown = parameters.keys() - {"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"}
    if unknown:
        raise Refused(f"555 5.5.4 Unknown parameter {min(unknown)}")
    smtputf8 = "SMTPUTF8" in parameters
    if smtputf8 and parameters["SMTPUTF8"] is not None:
        raise Refused("501 5.5.4 SMTPUTF8 has no value")
    _needs_smtputf8(argument, address, smtputf8=smtputf8)
    return MailFrom(
        sender=address,
        size=_size(parameters.get("SIZE", "0")),
        body=_body(parameters.get("BODY", "7BIT")),
        smtputf8=smtputf8,
        returns=_returns(parameters.get("RET")) if "RET" in parameters else None,
        envelope_id=_envelope_id(parameters.get("ENVID")) if "ENVID" in parameters else None,
    )


def rcpt_to(argument: str, *, smtputf8: bool) -> RcptTo:
    """The argument of RCPT."""
    if _POSTMASTER.match(argument):
        rest = argument[3:].strip()[len("<POSTMASTER>") :]
        address, parameters = None, _parameters(rest)
    else:
        address, parameters = _path(argument, "TO:")
        if address is None:
            raise Refused("501 5.1.3 A recipient is wanted")
        _needs_smtputf8(argument, address, smtputf8=smtputf8)
    if not parameters:
        return RcptTo(address)
    unknown = parameters.keys() - {"NOTIFY", "ORCPT"}
    if unknown:
        raise Refused(f"555 5.5.4 Unknown parameter {min(unknown)}")
    notify = _notify(parameters.get("NOTIFY")) if "NOTIFY" in parameters else frozenset[Notify]()
    original = _original(parameters.get("ORCPT"), smtputf8=smtputf8) if "ORCPT" in parameters else None
    return RcptTo(address, notify, original)


def bdat(argument: str) -> tuple[int, bool]:
    """Size of a BDAT chunk and whether it is the last (RFC 3030 section 2)."""
    size, _, last = argument.partition(" ")
    if not re.fullmatch(r"[0-9]{1,20}", size) or last.upper() not in {"", "LAST"}:
        raise Refused("501 5.5.4 Syntax: BDAT size [LAST]")
    return int(size), bool(last)


def _path(argument: str, keyword: str) -> tuple[Address | None, dict[str, str | None]]:
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(f"501 5.5.4 Syntax: {keyword}<address>")
    # A space before the path is no RFC 5321, and devices send it.
    path, parameters = argument[len(keyword) :].lstrip(" "), ""
    if '"' not in path:
        # Unquoted, the first > ends the path: without what varies behind it, paths come again and again.
        path, end, parameters = path.partition(">")
        path += end
    try:
        address, rest = _read_path(path)
    except AddressError as error:
        code = "5.1.7" if keyword == "FROM:" else "5.1.3"
        raise Refused(f"501 {code} {_ascii(str(error))}") from None
    return address, _parameters(rest + parameters)


@lru_cache(maxsize=4096)
def _read_path(text: str) -> tuple[Address | None, str]:
    """``parse_path``, remembered: the same people write to the same people."""
    return parse_path(text)


def _parameters(text: str) -> dict[str, str | None]:
    if not text:
        return {}
    if not text.startswith(" "):
        raise Refused("501 5.5.4 Something follows the address")
    found: dict[str, str | None] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise Refused("501 5.5.4 A parameter is not KEYWORD or KEYWORD=VALUE")
        if match[1].upper() in found:
            raise Refused(f"501 5.5.4 Parameter {match[1].upper()} stands twice")
        found[match[1].upper()] = match[2]
    return found


def _needs_smtputf8(argument: str, address: Address | None, *, smtputf8: bool) -> None:
    """RFC 6531 section 3.5: an address outside ASCII needs the parameter."""
    if address is not None and not smtputf8 and not argument.isascii():
        raise Refused("553 5.6.7 This address needs SMTPUTF8")


def _size(value: str | None) -> int:
    if value is None or not re.fullmatch(r"[0-9]{1,20}", value):
        raise Refused("501 5.5.4 SIZE wants a number")
    return int(value)


def _body(value: str | None) -> Literal["7BIT", "8BITMIME"]:
    if value is None or value.upper() not in {"7BIT", "8BITMIME"}:
        raise Refused("501 5.5.4 BODY is 7BIT or 8BITMIME")
    return cast('Literal["7BIT", "8BITMIME"]', value.upper())


def _returns(value: str | None) -> Literal["FULL", "HDRS"]:
    if value is None or value.upper() not in {"FULL", "HDRS"}:
        raise Refused("501 5.5.4 RET is FULL or HDRS")
    return cast('Literal["FULL", "HDRS"]', value.upper())


def _envelope_id(value: str | None) -> str:
    if value is None or len(value) > 100 or not _XTEXT.fullmatch(value):
        raise Refused("501 5.5.4 ENVID wants at most 100 characters of xtext")
    return value


def _notify(value: str | None) -> frozenset[Notify]:
    words = (value or "").upper().split(",")
    if not set(words) <= {"NEVER", "SUCCESS", "FAILURE", "DELAY"} or ("NEVER" in words and len(words) > 1):
        raise Refused("501 5.5.4 NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY")
    return frozenset(cast("list[Notify]", words))


def _original(value: str | None, *, smtputf8: bool) -> str:
    """ORCPT as the client wrote it, checked: it travels on unchanged (RFC 3461 section 4.2, RFC 6533 section 3)."""
    kind, semicolon, text = (value or "").partition(";")
    if not semicolon or not text or len(value or "") > 500 or not re.fullmatch(r"[A-Za-z0-9-]{1,20}", kind):
        raise Refused("501 5.5.4 ORCPT wants type;address")
    if kind.lower() == "utf-8":
        if not text.isascii() and not smtputf8:
            raise Refused("553 5.6.7 This ORCPT needs SMTPUTF8")
        if any(not _is_character(int(match[1], 16)) for match in _UNITEXT.finditer(text)):
            raise Refused("501 5.5.4 ORCPT holds an impossible character")
    elif not _XTEXT.fullmatch(text):
        raise Refused("501 5.5.4 ORCPT wants xtext")
    return f"{kind.lower()};{text}"


def _is_character(number: int) -> bool:
    return 0x20 <= number <= 0x10FFFF and not 0xD800 <= number < 0xE000


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


NO_ARGUMENT: Mapping[str, str] = {verb: f"501 5.5.4 {verb} has no argument" for verb in ("DATA", "RSET", "STARTTLS")}
"""Commands that stand alone."""
