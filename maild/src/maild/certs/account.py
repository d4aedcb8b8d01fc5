"""The ACME account: a key in its folder, registered with the server the first time it is used.

The key is the account; backups hold it, so a rebuilt server goes on as the same one. One key a server, for staging and
production do not know each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from acme import client, messages
from acme import errors as acme_errors
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC
from josepy.util import ComparableECKey

from maild import __version__
from maild.certs import pairs
from maild.certs.errors import AccountError
from maild.mail import domain

DIRECTORIES = {
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
"""What the settings may say instead of a URL."""
TIMEOUT_SECONDS = 45
"""Time one request to the ACME server may take."""


NONCE_TRIES = 5
"""Rounds of a request whose nonce is refused, each of two tries: busy servers forget nonces (RFC 8555 section 6.5)."""


class _Network(client.ClientNetwork):
    """The library's network, which gives up after the second refused nonce; here that is no failure of the order."""

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """A signed request; raises what the last round raised."""
        for _ in range(NONCE_TRIES - 1):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Who the account is for."""

    directory: str
    contact: str
    terms_agreed: bool
    folder: Path
    ca_file: Path | None = None

    @property
    def url(self) -> str:
        """The directory's URL."""
        return DIRECTORIES.get(self.directory, self.directory)

    @property
    def key_file(self) -> Path:
        """Where the key of the account with this server lies."""
        return self.folder / f"{re.sub(r'[^A-Za-z0-9.-]', '-', urlsplit(self.url).netloc) or 'acme'}-key.pem"


def connect(registration: Registration) -> client.ClientV2:
    """A client of the registered account; raises ``AccountError``."""
    key = JWKEC(key=ComparableECKey(_key(registration)))
    trust: Any = str(registration.ca_file) if registration.ca_file else True
    # requests takes the path of CA certificates where the library's annotation only knows of yes and no.
    network = _Network(key, alg=ES256, verify_ssl=trust, user_agent=f"maild/{__version__}", timeout=TIMEOUT_SECONDS)
    try:
        directory = client.ClientV2.get_directory(registration.url, network)
        connected = client.ClientV2(directory, network)
        _register(connected, registration)
    except messages.Error as error:
        raise AccountError(f"{registration.url} refuses the account: {error.detail or error}") from error
    except (acme_errors.Error, requests.RequestException, JoseError, ValueError) as error:
        raise AccountError(f"{registration.url} does not answer as an ACME server: {error}") from error
    return connected


def _key(registration: Registration) -> pairs.Key:
    """The key in the folder, made there the first time."""
    place = pairs.Pair(registration.folder, registration.key_file.name.removesuffix("-key.pem"))
    found = pairs.key_of(place)
    if found is not None:
        return found
    if place.key.exists():
        raise AccountError(f"{place.key} is no ECDSA P-256 key in PEM that can be read")
    made = pairs.new_key()
    try:
        registration.folder.mkdir(parents=True, exist_ok=True)
        pairs.replace(place.key, pairs.pem_of(made), 0o600)
    except OSError as error:
        raise AccountError(f"{place.key}: {error.strerror or error}") from error
    return made


def _contact(registration: Registration) -> str | None:
    """The address in the form that authorities take: its domain in A-labels; raises ``AccountError``."""
    local, at, host = registration.contact.rpartition("@")
    try:
        return f"{local}{at}{domain.to_ascii(host)}" if host else None
    except domain.DomainError as error:
        raise AccountError(f"acme.contact {registration.contact}: {error}") from error


def _register(connected: client.ClientV2, registration: Registration) -> None:
    terms = connected.directory.meta.terms_of_service
    if terms and not registration.terms_agreed:
        raise AccountError(f"the terms of service are not agreed to: read {terms}, then set acme.terms_agreed = true")
    if connected.external_account_required():
        raise AccountError(f"{registration.url} wants an external account binding, which is not offered here")
    try:
        connected.new_account(
            messages.NewRegistration.from_data(email=_contact(registration), terms_of_service_agreed=True)
        )
    except acme_errors.ConflictError as known:
        resource = messages.RegistrationResource(uri=known.location, body=messages.Registration())
        connected.query_registration(resource)
