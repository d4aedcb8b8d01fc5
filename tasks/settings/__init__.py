"""The typed settings of one host: what ``group_data`` and the inventory may say, with every default.

``load`` turns pyinfra's host data into ``Settings`` or raises ``SettingsError``, which names the key, what is wrong
with it and what to write instead. Nothing here reaches the host; secrets stay references until they are asked for.
"""

from tasks.settings.errors import SettingsError
from tasks.settings.host import (
    ACME,
    TLS,
    Backup,
    Database,
    Listener,
    Listeners,
    Logs,
    Python,
    Release,
    Web,
)
from tasks.settings.load import load
from tasks.settings.mail import (
    DKIM,
    DMARC,
    Account,
    Alias,
    AutoBan,
    Domain,
    IPRange,
    MailingList,
    Policy,
    Route,
    SmartHost,
)
from tasks.settings.model import Settings
from tasks.settings.secrets import SecretSource

__all__ = [
    "ACME",
    "DKIM",
    "DMARC",
    "TLS",
    "Account",
    "Alias",
    "AutoBan",
    "Backup",
    "Database",
    "Domain",
    "IPRange",
    "Listener",
    "Listeners",
    "Logs",
    "MailingList",
    "Policy",
    "Python",
    "Release",
    "Route",
    "SecretSource",
    "Settings",
    "SettingsError",
    "SmartHost",
    "Web",
    "load",
]
