"""From pyinfra's host data to ``Settings``: unknown keys, merging, types, and what must agree with what."""

from __future__ import annotations

import difflib
import ipaddress
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pyinfra_winrm.settings import DATA_META
from tasks.settings.errors import SettingsError, of_msgspec
from tasks.settings.host import Listener, Listeners
from tasks.settings.mail import Domain
from tasks.settings.model import Settings
from tasks.settings.names import checked_name
from tasks.settings.secrets import SecretSource
from tasks.translation import marked

WINRM = "winrm_"
CONNECTOR_PREFIXES = (WINRM, "ssh_")  # keys that belong to a connector
OPERATION_KEYS = frozenset({"uninstall_purge", "rollback_to"})  # asked for by one operation, on its command line


def load(data: Mapping[str, Any]) -> Settings:
    """The settings in ``data``, or a ``SettingsError`` that names the key."""
    for key in data:
        if key.startswith(WINRM) and key not in DATA_META:
            raise _unknown(key, key, DATA_META)
    wanted = {
        key: value
        for key, value in data.items()
        if not key.startswith((*CONNECTOR_PREFIXES, "_")) and key not in OPERATION_KEYS
    }
    prepared = _prepared("", Settings, wanted)
    if not prepared.get("domains"):
        raise SettingsError("domains", "no domain is named", 'write domains = [{{"name": "테스트.net"}}]')
    try:
        settings = msgspec.convert(prepared, Settings, dec_hook=_already_parsed)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$.")
        path = path.rstrip("`")
        message, values = of_msgspec(what)
        choices = _choices(path)
        todo = marked("there are: {choices}") if choices else ""
        raise SettingsError(path or "group_data", message, todo, **values, choices=choices) from error
    return _agreeing(settings)


def _choices(path: str) -> str:
    """The values of a key that takes only some, as they are written; empty for any other."""
    wanted: Any = Settings
    for name in re.sub(r"\[[^]]*\]", "", path).split("."):
        inner = [part for part in (wanted, *typing.get_args(wanted)) if isinstance(part, type)]
        struct = next((part for part in inner if issubclass(part, msgspec.Struct)), None)
        wanted = typing.get_type_hints(struct).get(name) if struct else None
    values = [value for part in (wanted, *typing.get_args(wanted)) for value in _literals(part)]
    return ", ".join(map(repr, values))


def _literals(wanted: Any) -> tuple[Any, ...]:
    return typing.get_args(wanted) if typing.get_origin(wanted) is typing.Literal else ()


def _already_parsed(wanted: type, value: Any) -> Any:
    if not isinstance(value, wanted):
        raise TypeError(f"expected {wanted.__name__}")
    return value


def _prepared(key: str, wanted: Any, value: Any) -> Any:
    """``value`` with secrets parsed, listeners merged over their defaults, and every key known."""
    if wanted is SecretSource:
        return SecretSource.parse(key, value)
    origin = typing.get_origin(wanted)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        inner = [part for part in typing.get_args(wanted) if part is not type(None)]
        return _prepared(key, inner[0], value) if len(inner) == 1 else value
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_prepared(f"{key}[{n}]", typing.get_args(wanted)[0], item) for n, item in enumerate(value))
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) and isinstance(value, Mapping):
        return _prepared_struct(key, wanted, value)
    return value


def _prepared_struct(key: str, wanted: type[msgspec.Struct], value: Mapping[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    prepared: dict[str, Any] = {}
    for name, inner in value.items():
        full = f"{key}.{name}" if key else name
        if name not in hints:
            raise _unknown(full, name, hints)
        prepared[name] = _prepared(full, hints[name], inner)
    if wanted is Listeners:
        return {name: _merged(name, part) for name, part in prepared.items()}
    return prepared


def _merged(name: str, given: Any) -> Any:
    """One listener's fields over that listener's own defaults."""
    standard: Listener = getattr(Listeners(), name)
    return msgspec.to_builtins(standard) | given if isinstance(given, dict) else given


def _unknown(key: str, name: str, known: Iterable[str]) -> SettingsError:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if near:
        return SettingsError(key, "there is no such setting", "did you mean {near}?", near=near[0])
    choices = ", ".join(sorted(known))
    return SettingsError(key, "there is no such setting", "there are: {choices}", choices=choices)


def _agreeing(settings: Settings) -> Settings:
    """The same settings with names in readable form, when all that must agree does."""
    if not settings.present_domains:
        raise SettingsError("domains", "every domain is absent", "keep one, or use operate/uninstall.py")
    domains = tuple(_named(f"domains[{n}]", domain) for n, domain in enumerate(settings.domains))
    _each_once("domains", [name for domain in domains for name in (domain.name, *domain.aliases)])
    for key in ("hostname", "default_domain"):
        if (value := getattr(settings, key)) is not None:
            settings = msgspec.structs.replace(settings, **{key: checked_name(key, value)})
    for key, version in (("public_ipv4", 4), ("public_ipv6", 6)):
        _address_of(key, getattr(settings, key), version)
    if settings.dmarc.reports_domain is not None:
        name = checked_name("dmarc.reports_domain", settings.dmarc.reports_domain)
        dmarc = msgspec.structs.replace(settings.dmarc, reports_domain=name)
        settings = msgspec.structs.replace(settings, dmarc=dmarc)
    sealers = tuple(checked_name("trusted_sealers", name) for name in settings.trusted_sealers)
    settings = msgspec.structs.replace(settings, domains=domains, trusted_sealers=sealers)
    if settings.completing_domain not in [domain.name for domain in settings.present_domains]:
        raise SettingsError(
            "default_domain", "{name} is none of the domains", "name one of them", name=settings.default_domain
        )
    if settings.tls.source == "files" and not settings.tls.folder:
        raise SettingsError(
            "tls.folder",
            "tls.source is files, but no folder is named",
            'write tls = {{"source": "files", "folder": "C:/..."}}',
        )
    if settings.dns_validating and not settings.dns_servers:
        raise SettingsError(
            "dns_validating",
            "no resolver is named that it could be true of",
            "name the ones that check DNSSEC in dns_servers",
        )
    for number, span in enumerate(settings.ip_ranges):
        _network(f"ip_ranges[{number}].network", span.network)
    if settings.backup.recipient is not None and not settings.backup.recipient.startswith("age1"):
        # Not repeated: it may be the key that opens every backup.
        raise SettingsError(
            "backup.recipient", "this is no age public key", "write the one that starts with age1; no other goes here"
        )
    _ports_once(settings)
    return settings


def _named(key: str, domain: Domain) -> Domain:
    aliases = tuple(checked_name(f"{key}.aliases", alias) for alias in domain.aliases)
    host = checked_name(f"{key}.mail_host", domain.mail_host) if domain.mail_host else None
    for number, account in enumerate(domain.accounts):
        if "@" in account.address or not account.address.strip():
            raise SettingsError(
                f"{key}.accounts[{number}].address",
                "{address!r} is not the part before the @",
                "leave out the @ and the domain",
                address=account.address,
            )
    _each_once(f"{key}.accounts", [account.address.casefold() for account in domain.accounts])
    return msgspec.structs.replace(
        domain, name=checked_name(f"{key}.name", domain.name), aliases=aliases, mail_host=host
    )


def _each_once(key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(key, "{name} is there twice", "keep one of them", name=name)


def _address_of(key: str, value: str | None, version: int) -> None:
    if value is None:
        return
    try:
        found = ipaddress.ip_address(value)
    except ValueError as error:
        raise SettingsError(key, "{value!r} is not an IP address", value=value) from error
    if found.version != version:
        raise SettingsError(
            key,
            "{value} is an IPv{version} address",
            "it belongs in public_ipv{version}",
            value=value,
            version=found.version,
        )


def _network(key: str, value: str) -> None:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError as error:
        raise SettingsError(
            key, "{value!r} is no network", "write it as 203.0.113.0/24 or 203.0.113.7", value=value
        ) from error


def _ports_once(settings: Settings) -> None:
    ports: dict[int, str] = {}
    for name, listener in settings.listeners.enabled():
        if listener.port in ports:
            raise _taken(f"listeners.{name}.port", listener.port, ports)
        ports[listener.port] = name
    if settings.web.enabled and settings.web.port in ports:
        raise _taken("web.port", settings.web.port, ports)


def _taken(key: str, port: int, ports: Mapping[int, str]) -> SettingsError:
    return SettingsError(key, "{port} is also the port of {other}", port=port, other=ports[port])
