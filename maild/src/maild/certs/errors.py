"""What can go wrong with certificates, as one family; the text is for the administrator and says what to do."""

from __future__ import annotations


class CertsError(Exception):
    """The root of this package's errors."""


class AccountError(CertsError):
    """The ACME account cannot be used: its key file, its terms, or the server's opinion of it."""


class OrderError(CertsError):
    """The ACME server did not issue the certificate; ``failed`` has the reason of each name it names."""

    def __init__(self, text: str, failed: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.failed = failed or {}


class ResponderError(CertsError):
    """Challenges cannot be answered: the port is taken, or the webroot cannot be written."""
