"""One bounded HTTPS GET from an address that we resolved ourselves; redirects are not followed.

Blocking, so it runs in a thread. The certificate is verified for the URL's host by the context that is passed in.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import urllib.parse
from collections.abc import Sequence

from maild.net.errors import NetError


class FetchError(NetError, OSError):
    """The document could not be had; the text says why."""


async def https_get(
    url: str, addresses: Sequence[str], context: ssl.SSLContext, *, limit: int, seconds: float
) -> bytes:
    """The body, at most ``limit`` + 1 bytes of it; the first address that answers is used."""
    return await asyncio.to_thread(_get, url, addresses, context, limit, seconds)


def _get(url: str, addresses: Sequence[str], context: ssl.SSLContext, limit: int, seconds: float) -> bytes:
    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    try:
        connection.sock = context.wrap_socket(_connected(addresses, port, seconds), server_hostname=host)
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        if answer.status != http.HTTPStatus.OK:
            raise FetchError(f"{url} answered {answer.status}")
        return answer.read(limit + 1)
    except (http.client.HTTPException, OSError) as error:
        raise FetchError(f"{url}: {error}") from error
    finally:
        connection.close()


def _connected(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    fault: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            fault = error
    raise fault or OSError("no address")
