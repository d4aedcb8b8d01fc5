"""Accounts: who a name is, who a SID is, and which SIDs the token of an account carries.

Local users are recorded; virtual accounts of services exist by their name alone. Passwords are not kept here.
"""

from __future__ import annotations

from collections.abc import Iterable

from lab.model import acl, commandline, sids
from lab.model.errors import ERROR_SERVICE_LOGON_FAILED, HostError, access_denied
from lab.model.files import Files
from lab.model.paths import parent
from lab.model.state import Journal, State

MACHINE = "S-1-5-21-2746512391-1840763518-3392518760"  # this lab's own, of the form that every machine has


class Accounts:
    """The accounts of one host."""

    def __init__(self, state: State, journal: Journal) -> None:
        self._state = state
        self._journal = journal

    def users(self) -> list[str]:
        """The local users."""
        return sorted(row["name"] for row in self._state.section("users").values())

    def add_user(self, name: str, groups: Iterable[str] = (sids.USERS,)) -> str:
        """Makes a local user and returns the SID."""
        users = self._state.section("users")
        if name.casefold() in users:
            return str(users[name.casefold()]["sid"])
        relative = 500 if not users else 1000 + len(users)
        with self._state.changing():
            users[name.casefold()] = {"name": name, "sid": f"{MACHINE}-{relative}", "groups": sorted(groups)}
            self._journal.record("account", name, "state", "absent", "present")
        return f"{MACHINE}-{relative}"

    def sid(self, name: str) -> str:
        """The SID of an account name; ``not-found`` for one that nobody has."""
        if name.upper().startswith("S-1-"):
            return name.upper()
        domain, _, last = name.rpartition("\\")
        if domain.casefold() == "nt service":
            return sids.service_sid(last)
        user = self._state.section("users").get(last.casefold())
        if user is not None and domain.casefold() not in ("nt authority", "builtin"):
            return str(user["sid"])
        known = sids.well_known(name)
        if known is None:
            raise HostError("not-found", f"No account has the name '{name}'.", name, 1332)
        return known

    def name(self, sid: str, services: Iterable[str] = ()) -> str | None:
        """The account's full name, None for a SID that nobody has."""
        if sid in sids.WELL_KNOWN:
            return sids.WELL_KNOWN[sid]
        for user in self._state.section("users").values():
            if user["sid"] == sid:
                return f"WIN-LAB\\{user['name']}"
        for service in (*services, "TrustedInstaller"):
            if sids.service_sid(service) == sid:
                return f"NT SERVICE\\{service}"
        return None

    def token(self, account: str, service: str | None = None) -> list[str]:
        """The SIDs in the token of a service or task that runs as the account; 1069 when it cannot log on."""
        common = [sids.EVERYONE, sids.AUTHENTICATED_USERS, sids.USERS]
        own = [sids.service_sid(service), sids.SERVICE, sids.ALL_SERVICES] if service else []
        try:
            sid = self.sid(account.removeprefix(".\\"))
        except HostError as error:
            raise logon_failed(account) from error
        if sid == sids.SYSTEM:
            return [sid, sids.ADMINISTRATORS, *common, *own]
        if sid.startswith("S-1-5-80-"):
            if service is None or sid != sids.service_sid(service):
                raise logon_failed(account)
            return [sid, *common, *own]
        user = next((row for row in self._state.section("users").values() if row["sid"] == sid), None)
        if user is None and sid not in (sids.LOCAL_SERVICE, sids.NETWORK_SERVICE):
            raise logon_failed(account)
        return [sid, *(user["groups"] if user else ()), *common, *own]


def logon_failed(account: str) -> HostError:
    """Error 1069."""
    message = f"The account '{account}' cannot log on here."
    return HostError("other", message, account, ERROR_SERVICE_LOGON_FAILED)


def check_command_line(files: Files, token: list[str], line: str) -> None:
    """Refuses a command line whose program the token may not run, or whose files it may not read.

    Every argument that names something on drive C counts, and the folder that the program lies in.
    """
    for number, argument in enumerate(commandline.split(line)):
        path = argument.partition("=")[2] if argument.startswith("--") and "=" in argument else argument
        path = path.replace("/", "\\")
        if path[1:3] != ":\\":
            continue
        if files.stat(path) is None:
            if number == 0:
                raise HostError("not-found", f"The system cannot find the file '{path}'.", path, 2)
            continue
        needed = acl.READ_EXECUTE if number == 0 else acl.READ
        places = [path, parent(path)] if number == 0 else [path]
        for place in places:
            if not files.allows(place, token, needed):
                raise access_denied(place, f"The account has no access to '{place}' (error 5).")
