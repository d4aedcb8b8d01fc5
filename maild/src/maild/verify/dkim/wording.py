"""A rotation of keys in words: where it is, and what people have to do. Texts are translated here."""

from __future__ import annotations

from maild.dns.names import shown
from maild.locale import Translator
from maild.verify.dkim.rotation import Phase, Rotation

_SENTENCES = {
    Phase.PUBLISHING: "{domain}: enter these records; the switch follows once every name server has them.",
    Phase.SETTLING: "{domain}: every name server has the new records; the switch follows soon.",
    Phase.LINGERING: "{domain}: mail is signed with the new keys; leave the old records for now.",
    Phase.WITHDRAWING: "{domain}: the old records can be removed now:",
    Phase.DONE: "{domain}: the keys have been changed.",
}


def sentence(rotation: Rotation, say: Translator) -> str:
    """Where the rotation is."""
    return say(_SENTENCES[rotation.phase], domain=shown(rotation.domain))
