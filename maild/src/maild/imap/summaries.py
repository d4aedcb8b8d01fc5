"""Summaries of messages: taken from the store, computed and kept where they are missing or of an older version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import msgspec

from maild.mail import summary as summarising
from maild.mail.summary import Summary
from maild.store.interface import Store
from maild.store.records.mail import Message, Structure

IN_LOOP = 64 * 1024
"""Octets of a message that is summarised at once; a larger one goes to a thread."""


async def of(store: Store, messages: Iterable[Message]) -> Mapping[bytes, Summary]:
    """The summaries of these messages by blob id. Raises what the store raises."""
    blobs = list(dict.fromkeys(message.blob_id for message in messages))
    found: dict[bytes, Summary] = {}
    for blob_id, stored in (await store.messages.structures(blobs)).items():
        summary = _decoded(stored)
        if summary is not None:
            found[blob_id] = summary
    missing = [blob_id for blob_id in blobs if blob_id not in found]
    if missing:
        computed = {blob_id: await _computed(store, blob_id) for blob_id in missing}
        await store.messages.save_structures({blob_id: _encoded(summary) for blob_id, summary in computed.items()})
        found |= computed
    return found


def _decoded(stored: Structure) -> Summary | None:
    if stored.version != summarising.VERSION:
        return None
    try:
        return summarising.decode(stored.data)
    except msgspec.DecodeError:
        return None


def _encoded(summary: Summary) -> Structure:
    return Structure(version=summarising.VERSION, data=summarising.encode(summary))


async def _computed(store: Store, blob_id: bytes) -> Summary:
    message = b"".join([piece async for piece in store.messages.chunks(blob_id)])
    if len(message) <= IN_LOOP:
        return summarising.summarise(message)
    return await asyncio.to_thread(summarising.summarise, message)
