"""pyinfra on Windows: a WinRM connector, resources that are read, compared and changed, and plain operations.

The package knows nothing of what is deployed with it; it leaves the choice of resources to its callers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from pyinfra_winrm.resource import Resource

if TYPE_CHECKING:
    from pyinfra.api.host import Host


def prefetch(host: Host, resources: Sequence[Resource]) -> None:
    """Reads everything a deploy will ask this host for in one request, and again whenever something has changed."""
    cast("Any", host.connector).prefetch(resources)
