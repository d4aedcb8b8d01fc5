"""The linter's notes in words, each with what to do. Texts are translated here."""

from __future__ import annotations

from maild.locale import Translator
from maild.verify.spf.lint import Fault, Note

_TEXTS = {
    Fault.NO_RECORD: "There is no SPF record at {term}. Enter one.",
    Fault.SEVERAL_RECORDS: "{term} has more than one SPF record; then none counts. Leave one.",
    Fault.SYNTAX: "The SPF record cannot be read: {term}. Correct that term.",
    Fault.TOO_MANY_LOOKUPS: "The SPF record needs {term} look-ups, but 10 are allowed. Remove includes.",
    Fault.TOO_MANY_VOIDS: "{term} names of the SPF record do not exist, allowed are 2. Remove them.",
    Fault.ALLOWS_ALL: "The SPF term {term} lets everyone send in this domain's name. Remove it.",
    Fault.NO_END: "The SPF record ends without -all, so nothing is refused. Add -all.",
    Fault.AFTER_ALL: "The SPF term {term} stands behind all and is never looked at. Move or remove it.",
    Fault.USES_PTR: "The SPF term {term} is slow and should not be used. Name addresses instead.",
    Fault.BROKEN_INCLUDE: "The SPF term {term} leads to no SPF record; receivers report an error. Remove it.",
    Fault.LONG: "The SPF record of {term} octets is longer than one DNS packet holds safely. Shorten it.",
    Fault.OWN_ADDRESS: "SPF gives our own address {term} the result {result}; it must be pass. Add the address.",
    Fault.DNS: "SPF could not be looked up: {term}. Try again later.",
}


def note_text(note: Note, say: Translator) -> str:
    """One note as sentences."""
    return say(_TEXTS[note.fault], term=note.term, result=note.result or "")
