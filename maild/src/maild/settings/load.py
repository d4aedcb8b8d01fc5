"""Reads the settings file into ``Settings``, or says in one sentence what is wrong where.

Unknown keys are refused with the nearest known name; relative paths are taken from the file's folder. A file that
cannot be read, is no TOML or has wrong values raises ``SettingsError`` and nothing else.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from maild.settings.errors import SettingsError, of_msgspec
from maild.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Loading:
    """Settings and the hash of the very bytes they were read from."""

    settings: Settings
    sha256: str


def load(path: str | Path) -> Settings:
    """The settings in the file at ``path``."""
    return read(path).settings


def read(path: str | Path) -> Loading:
    """The settings in the file at ``path``, with their hash."""
    file = Path(path)
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError("there is no settings file {file}", file=file) from error
    except OSError as error:
        raise SettingsError("{file}: {problem}", file=file, problem=error.strerror or error) from error
    except UnicodeDecodeError as error:
        raise SettingsError("{file}: not UTF-8 at byte {position}", file=file, position=error.start) from error
    try:
        return Loading(parse(text, file.resolve().parent), hashlib.sha256(data).hexdigest())
    except SettingsError as error:
        raise SettingsError("{file}: {problem}", file=file, problem=error) from error


def parse(text: str, folder: Path) -> Settings:
    """The settings in ``text``; relative paths are below ``folder``."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("this is no TOML: {problem}", problem=error) from error
    refuse_unknown_keys(tree, msgspec.inspect.type_info(Settings), "")

    def to_path(wanted: type, value: Any) -> Any:
        if wanted is Path and isinstance(value, str):
            return folder / value
        raise TypeError(f"a text is wanted, not {value!r}")

    try:
        settings = msgspec.convert(_with_default_paths(tree), Settings, dec_hook=to_path)
    except msgspec.ValidationError as error:
        raise of_msgspec(str(error)) from error
    check(settings)
    return settings


def _with_default_paths(tree: dict[str, Any]) -> dict[str, Any]:
    """Fills in relative default paths, so that they are resolved like written ones."""
    return _filled(tree, msgspec.inspect.type_info(Settings))


def _filled(tree: dict[str, Any], info: msgspec.inspect.Type) -> dict[str, Any]:
    info = _plain(info)
    if not isinstance(info, msgspec.inspect.StructType):
        return tree
    filled = dict(tree)
    for field in info.fields:
        inner = _plain(field.type)
        if isinstance(inner, msgspec.inspect.StructType) and isinstance(filled.get(field.encode_name, {}), dict):
            filled[field.encode_name] = _filled(filled.get(field.encode_name, {}), inner)
        elif isinstance(field.default, Path):
            filled.setdefault(field.encode_name, str(field.default))
    return filled


def refuse_unknown_keys(tree: Any, info: msgspec.inspect.Type, where: str) -> None:
    """Raises for the first key that no table has, naming the nearest one that does."""
    for table, known, place in _tables(tree, _plain(info), where):
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
                unknown = f"{place}{name}"
                if near:
                    raise SettingsError("unknown key `{key}`; did you mean `{near}`?", key=unknown, near=near[0])
                raise SettingsError(
                    "unknown key `{key}`; known here: {keys}", key=unknown, keys=", ".join(sorted(known))
                )


def _tables(tree: Any, info: msgspec.inspect.Type, where: str) -> Iterator[tuple[dict[str, Any], list[str], str]]:
    if isinstance(info, msgspec.inspect.StructType) and isinstance(tree, dict):
        yield tree, [field.encode_name for field in info.fields], where
        for field in info.fields:
            if field.encode_name in tree:
                yield from _tables(tree[field.encode_name], _plain(field.type), f"{where}{field.encode_name}.")
    elif isinstance(info, msgspec.inspect.VarTupleType) and isinstance(tree, list):
        for number, item in enumerate(tree):
            yield from _tables(item, _plain(info.item_type), f"{where[:-1]}[{number}].")


def _plain(info: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """The type without its metadata."""
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    return info


def check(settings: Settings) -> None:
    """Raises for values that are each well formed and cannot stand together."""
    seen: dict[tuple[str, int], str] = {}
    names: set[str] = set()
    for listener in settings.listeners:
        if listener.name in names:
            raise SettingsError("two listeners are named `{name}`", name=listener.name)
        names.add(listener.name)
        _address(listener.bind, f"listeners `{listener.name}`: bind")
        if listener.protocol == "http" and listener.tls != "implicit":
            raise SettingsError("listener `{name}`: http needs tls = `implicit`", name=listener.name)
        if listener.protocol == "smtp" and listener.tls == "none" and listener.auth != "off":
            raise SettingsError(
                "listener `{name}`: auth needs tls, a password never goes in clear text", name=listener.name
            )
    for listener in settings.open_listeners:
        place = (listener.bind, listener.real_port)
        if place in seen:
            raise SettingsError(
                "listeners `{one}` and `{other}` share port {port}",
                one=seen[place],
                other=listener.name,
                port=listener.real_port,
            )
        seen[place] = listener.name
    if settings.public_ipv4:
        _address(settings.public_ipv4, "public_ipv4", 4)
    if settings.public_ipv6:
        _address(settings.public_ipv6, "public_ipv6", 6)
    for network in settings.auto_ban.never:
        _network(network, "auto_ban.never")
    _check_policy(settings)
    if settings.database.engine == "mysql" and settings.database.password_file is None:
        raise SettingsError("database: mysql needs `password_file`")


def _check_policy(settings: Settings) -> None:
    for blocklist in settings.policy.block_lists:
        for network in blocklist.answers:
            _network(network, f"policy.block_lists `{blocklist.zone}`: answers")
    if settings.dmarc.send_reports and not settings.reports_domain:
        raise SettingsError("dmarc: send_reports needs `reports_domain`, or a `default_domain` above it")


def _address(value: str, where: str, version: int | None = None) -> None:
    try:
        found = ipaddress.ip_address(value)
    except ValueError as error:
        raise SettingsError("{where}: `{value}` is no IP address", where=where, value=value) from error
    if version is not None and found.version != version:
        raise SettingsError("{where}: `{value}` is no IPv{version} address", where=where, value=value, version=version)


def _network(value: str, where: str) -> None:
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise SettingsError(
            "{where}: `{value}` is no network, write it as ADDRESS/BITS", where=where, value=value
        ) from error
