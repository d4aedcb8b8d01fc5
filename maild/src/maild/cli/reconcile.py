"""``maild reconcile``: brings domains, people, lists, routes, IP ranges, DKIM keys, certificates to a desired state.

``--desired FILE`` is JSON; ``--dry`` only says what would change; ``--absent`` removes what the file names. Ends with 0
in step or brought there, 2 when it would change something, 1 on an error. What is not declared is named as not managed
and left alone.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.locale import Translator, translator
from maild.outgoing import ROUTE_PURPOSE
from maild.policy.passwords import kept
from maild.reconcile import Change, Desired, Plan, ReconcileError, Tools, absent, from_nothing, read, reconcile
from maild.reconcile.certificates import Writer
from maild.reconcile.passwords import FirstPasswords
from maild.reconcile.traffic import Sealing
from maild.settings import Settings
from maild.store import SchemaState, schema_head, schema_of
from maild.wrapping import WRAP_OCTETS, WrappingError, read_wrap_key, unwrap, wrap

FINDINGS = 2


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("reconcile", help="bring mail objects to a desired state", description=__doc__)
    add_settings(command)
    command.add_argument("--desired", type=Path, required=True, help="file with the desired state, JSON")
    command.add_argument("--dry", action="store_true", help="only say what would change")
    command.add_argument("--absent", action="store_true", help="remove everything that the desired state names")
    command.add_argument("--json", action="store_true", help="print changes and not_managed as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compares, and without ``--dry`` changes."""
    settings = settings_of(args)
    return finish(lambda: _run(args, settings))


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    try:
        desired = read(args.desired.read_bytes())
    except OSError as error:
        raise ReconcileError(f"{args.desired}: {error.strerror}") from error
    found, revision = await schema_of(settings.database)
    if args.absent and found is SchemaState.MISSING:
        return _said(args, settings, Plan(changes=[], not_managed=[]))
    desired = absent(desired) if args.absent else desired
    behind = found in {SchemaState.MISSING, SchemaState.OLDER}
    schema = [Change("schema", "database", "revision", revision or None, schema_head())] if behind else []
    plan = await (_ask(settings, desired, found) if args.dry else _apply(settings, desired))
    return _said(args, settings, Plan(changes=[*schema, *plan.changes], not_managed=plan.not_managed))


def _said(args: argparse.Namespace, settings: Settings, plan: Plan) -> int:
    """Prints the plan; the exit status that goes with it."""
    _print(plan, translator(settings.language), as_json=args.json)
    return FINDINGS if args.dry and plan.changes else Exit.OK


async def _apply(settings: Settings, desired: Desired) -> Plan:
    async with opened(settings) as store:
        key = read_wrap_key(settings.dkim.wrap_key_file, create=True)
        tools = _tools(desired, key, settings)
        return await reconcile(store, desired, tools, apply=True)


async def _ask(settings: Settings, desired: Desired, found: SchemaState) -> Plan:
    file = settings.dkim.wrap_key_file
    # Asking makes nothing: a stand-in key only tells that every wrapped secret differs, as it does without the file.
    key = read_wrap_key(file) if file.exists() else bytes(WRAP_OCTETS)
    tools = _tools(desired, key, settings)
    if found is not SchemaState.CURRENT and found is not SchemaState.NEWER:
        return from_nothing(desired, tools) if found is SchemaState.MISSING else Plan(changes=[], not_managed=[])
    async with opened(settings, migrate=False) as store:
        return await reconcile(store, desired, tools, apply=False)


def _tools(desired: Desired, key: bytes, settings: Settings) -> Tools:
    def opens(wrapped: bytes, password: str) -> bool:
        try:
            return unwrap(wrapped, key, ROUTE_PURPOSE) == password.encode()
        except WrappingError:
            return False

    def sealed(password: str) -> bytes:
        return wrap(password.encode(), key, ROUTE_PURPOSE)

    return Tools(
        passwords=FirstPasswords(
            Path(desired.first_passwords) if desired.first_passwords else None,
            partial(kept, scram=settings.policy.scram),
        ),
        sealing=Sealing(wrap_key=key, route=sealed, opens=opens),
        certificates=Writer(settings.tls.folder),
    )


def _print(plan: Plan, _: Translator, *, as_json: bool) -> None:
    if as_json:
        shown = {
            "changes": [asdict(change) for change in plan.changes],
            "not_managed": [asdict(found) for found in plan.not_managed],
        }
        print(json.dumps(shown, ensure_ascii=False))
        return
    for change in plan.changes:
        print(
            f"{change.object} {change.name}: {change.field}: {_shown(change.current, _)} -> {_shown(change.wanted, _)}"
        )
    for found in plan.not_managed:
        print(_("{what} {name}: not managed", what=found.object, name=found.name))
    if not plan.changes:
        print(_("in step"))


def _shown(value: object, _: Translator) -> str:
    return _("nothing") if value in {None, ""} else str(value)
