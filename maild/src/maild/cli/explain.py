"""``maild explain FILE|ID [--as gmail|naver|microsoft]``: what receivers make of a message, each line with its remedy.

FILE is a message as received (its topmost Received and Return-Path say from where, unless options do), ID one of the
queue or a blob. ``--from ADDRESS`` explains what would be sent from it now: signed, through our public address.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.dns.names import shown
from maild.dns.records import Server, expected
from maild.dns.resolver import open_resolver
from maild.locale import Translator, translator
from maild.mail.address import Address, AddressError
from maild.settings import Settings
from maild.store import Store
from maild.verify import Peer, StoredKeys, check_message, sign_outgoing
from maild.verify.dkim.signing_key import DKIMKeyError
from maild.verify.explain import Level, Line, Own, explain, path_of
from maild.verify.explain import Path as MailPath
from maild.verify.explain.receivers import RECEIVERS
from maild.verify.message import Splitter
from maild.verify.published import hosts_of, mail_domains
from maild.wrapping import WrappingError, read_wrap_key

FINDINGS = 2
"""Exit status: explained, and something is to be done."""


class ExplainError(Exception):
    """The message cannot be explained; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The message and how it comes."""

    message: bytes
    path: MailPath


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("explain", help="say what receivers make of a message", description=__doc__)
    add_settings(command)
    command.add_argument("message", nargs="?", metavar="FILE|ID", help="an .eml file, a queue id or a message id")
    command.add_argument(
        "--as", dest="receivers", action="append", choices=sorted(RECEIVERS), help="only this receiver"
    )
    command.add_argument("--from", dest="sender", metavar="ADDRESS", help="explain what we would send from ADDRESS")
    command.add_argument("--ip", help="address the message comes from")
    command.add_argument("--helo", help="name the client greets with")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explains."""
    settings = settings_of(args)
    say = translator(args.language or settings.language)
    file = Path(args.message) if args.message else None
    args.content = file.read_bytes() if file is not None and file.is_file() else None
    try:
        return finish(lambda: _run(args, settings, say))
    except (ExplainError, DKIMKeyError, WrappingError, AddressError) as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.NO


async def _run(args: argparse.Namespace, settings: Settings, say: Translator) -> int:
    async with opened(settings) as store:
        domains = await mail_domains(store)
        domains = await mail_domains(store, hosts_of(settings, [domain.name for domain in domains]))
        if args.sender:
            subject = await _outgoing(args, settings, store, {domain.name for domain in domains}, say)
        else:
            subject = await _received(args, store, say)
    server = Server(hostname=settings.hostname, ipv4=settings.public_ipv4, ipv6=settings.public_ipv6)
    resolver = open_resolver(
        settings.dns.servers, validating=settings.dns.validating, timeout=settings.dns.timeout_seconds
    )
    path = subject.path
    verdict = await check_message(
        subject.message,
        Peer(ip=path.ip, helo=path.helo, sender=path.sender),
        resolver=resolver,
        server=settings.hostname,
    )
    splitter = Splitter()
    splitter.feed(subject.message)
    own = Own(expected(domains, server))
    asked = args.receivers or tuple(RECEIVERS)
    lines = explain(verdict.facts, splitter.finish(), path, len(subject.message), own, asked)
    _print(args, lines, path, say)
    return FINDINGS if any(line.level is Level.BAD for line in lines) else Exit.OK


async def _received(args: argparse.Namespace, store: Store, say: Translator) -> Subject:
    if not args.message:
        raise ExplainError(say("name a message, or --from ADDRESS"))
    message = _with_crlf(await _read(args, store, say))
    path = path_of(message)
    if args.ip:
        known = path or MailPath(ip=args.ip, helo="", sender="")
        path = replace(known, ip=args.ip, helo=args.helo or known.helo or args.ip)
    if path is None:
        raise ExplainError(say("no Received field of ours says where the message came from; give --ip and --helo"))
    return Subject(message, path)


async def _outgoing(
    args: argparse.Namespace, settings: Settings, store: Store, domains: set[str], say: Translator
) -> Subject:
    """The message as it would leave: given or a short one, signed with the keys in use."""
    sender = Address.parse(args.sender)
    if sender.domain not in domains:
        raise ExplainError(say("{domain} is no domain of this server", domain=shown(sender.domain)))
    ip = args.ip or settings.public_ipv4 or settings.public_ipv6
    if not ip:
        raise ExplainError(say("the settings name no public address; give --ip"))
    message = _with_crlf(await _read(args, store, say)) if args.message else _sample(sender)
    ring = StoredKeys(store.keys, read_wrap_key(settings.dkim.wrap_key_file))
    signature = await sign_outgoing(message, ring, sender_domain=sender.domain)
    path = MailPath(ip=ip, helo=args.helo or settings.hostname, sender=str(sender))
    return Subject(signature.fields + message, path)


async def _read(args: argparse.Namespace, store: Store, say: Translator) -> bytes:
    """The file's content, else the body of a queue row or of a blob."""
    if args.content is not None:
        return bytes(args.content)
    blob = None
    if args.message.isdigit() and (item := await store.queue.item(int(args.message))) is not None:
        blob = item.blob_id
    elif len(args.message) == 32:
        with contextlib.suppress(ValueError):
            blob = bytes.fromhex(args.message)
    if blob is None:
        raise ExplainError(say("{message} is no file and no message id", message=args.message))
    return b"".join([piece async for piece in store.messages.chunks(blob)])


def _with_crlf(message: bytes) -> bytes:
    """Saved files often have lost their CR; signatures were made with it."""
    return message if b"\r\n" in message else message.replace(b"\n", b"\r\n")


def _sample(sender: Address) -> bytes:
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    return (
        f"From: <{sender}>\r\nTo: <test@example.com>\r\nSubject: Test\r\nDate: {date}\r\n"
        f"Message-ID: <{time.time_ns()}@{sender.domain}>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nTest\r\n"
    ).encode()


def _print(args: argparse.Namespace, lines: list[Line], path: MailPath, say: Translator) -> None:
    asked = [RECEIVERS[name] for name in args.receivers or RECEIVERS]
    if args.json:
        data = {
            "ip": path.ip,
            "helo": path.helo,
            "sender": path.sender,
            "lines": [line.plain(say) for line in lines],
            "rules": [{"receiver": one.title, "pages": one.pages, "read": one.read} for one in asked],
        }
        print(json.dumps(data, ensure_ascii=False))
        return
    whom = shown(path.sender.rpartition("@")[2]) if path.sender else "<>"
    heading = "What {ip} ({helo}) would send for {whom}:" if args.sender else "What came from {ip} ({helo}) for {whom}:"
    print(say(heading, ip=path.ip, helo=path.helo, whom=whom))
    for line in lines:
        print(line.shown(say))
    for one in asked:
        print(
            say(
                "{title}: rules as published, read {read}: {pages}",
                title=one.title,
                read=one.read,
                pages=", ".join(one.pages),
            )
        )
