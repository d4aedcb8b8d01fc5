"""The daemon's settings: one typed TOML file, loaded once and again on reload.

``load(path)`` gives an immutable ``Settings`` or raises ``SettingsError``; ``example()`` prints the documented file.
"""

from maild.settings.errors import SettingsError
from maild.settings.example import example
from maild.settings.limits import Limits
from maild.settings.listeners import STANDARD_LISTENERS, TLS, Listener
from maild.settings.load import Loading, load, parse, read
from maild.settings.model import Settings
from maild.settings.parts import (
    ACME,
    DKIM,
    DMARC,
    DNS,
    AutoBan,
    BlockList,
    Certificate,
    Database,
    Greylisting,
    Logs,
    Policy,
    Queue,
    Retention,
)
from maild.settings.reload import waiting

__all__ = [
    "ACME",
    "DKIM",
    "DMARC",
    "DNS",
    "STANDARD_LISTENERS",
    "TLS",
    "AutoBan",
    "BlockList",
    "Certificate",
    "Database",
    "Greylisting",
    "Limits",
    "Listener",
    "Loading",
    "Logs",
    "Policy",
    "Queue",
    "Retention",
    "Settings",
    "SettingsError",
    "example",
    "load",
    "parse",
    "read",
    "waiting",
]
