"""What can go wrong in the store, as one family.

Each error carries a public text that a protocol may show to its peer and a cause for the log. Callers only need to tell
apart: try again later (``StoreUnavailable``), the request cannot be met (the rest), and a defect (anything else).
The names are the field's; a suffix would say nothing more.
"""

from __future__ import annotations


class StoreError(Exception):
    """The root: ``public`` may be shown to a peer, ``cause`` belongs into the log."""

    public = "The mail store refused this."

    def __init__(self, cause: str = "", public: str | None = None) -> None:
        super().__init__(cause or public or self.public)
        self.cause = cause
        if public is not None:
            self.public = public


class StoreUnavailable(StoreError):  # noqa: N818
    """The database is away, slow, restarting or full: temporary, SMTP answers 4xx and IMAP ``NO [UNAVAILABLE]``."""

    public = "The mail store is not available at the moment, please try again later."


class StoreFull(StoreUnavailable):
    """No space left below the database: temporary for peers (452 4.3.1), urgent for the operator."""

    public = "Insufficient system storage."


class BudgetExhausted(StoreUnavailable):
    """Too many bytes of unfinished messages are held at once (452 4.3.1)."""

    public = "Too much mail is arriving at once, please try again later."


class NotFound(StoreError):  # noqa: N818
    """The named object is not there."""

    public = "There is no such object."


class MailboxGone(NotFound):
    """The mailbox was deleted meanwhile; a delivery resolves its recipient anew."""

    public = "There is no such mailbox."


class AlreadyExists(StoreError):  # noqa: N818
    """An object of that name is there."""

    public = "An object of that name already exists."


class NotAnAddress(StoreError):  # noqa: N818
    """A text that mail would be sent to is no address."""

    public = "That is no mail address."


class NotEmpty(StoreError):  # noqa: N818
    """Removing would lose mail, and that was not asked for (``purge``)."""

    public = "There is mail in it; removing it needs purge."


class InUse(StoreError):  # noqa: N818
    """Something else depends on the object (a domain with accounts in it)."""

    public = "It is still in use."


class OverQuota(StoreError):  # noqa: N818
    """The account has no room for this message (RFC 5530 OVERQUOTA, SMTP 552 5.2.2)."""

    public = "The mailbox is full."


class LeaseLost(StoreError):  # noqa: N818
    """The lease ran out and someone else may hold it: the outcome was not written."""

    public = "The lease of this message was lost."


class KeywordLimit(StoreError):  # noqa: N818
    """The account uses as many keywords as there are bits for (RFC 5530 LIMIT)."""

    public = "This account has reached its number of keywords."


class NotDurable(StoreError):  # noqa: N818
    """The database is set up so that an acknowledged commit can be lost; start-up refuses it."""

    public = "The database settings are not durable."


class SchemaMismatch(StoreError):  # noqa: N818
    """The schema is not one that this release can work on."""

    public = "The database schema does not fit this release."


class Corrupt(StoreError):  # noqa: N818
    """Stored data contradicts itself (a body whose hash differs)."""

    public = "The stored message is damaged."
