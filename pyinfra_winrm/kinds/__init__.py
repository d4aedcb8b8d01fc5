"""The kinds of resources there are, and the dataclasses that describe them.

Each kind is a module here (the dataclass, its comparison and the wording of a difference) beside a PowerShell file of
the same name (reading the state, applying a wanted one). Nothing here talks to a host.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pyinfra_winrm.kinds import (
    archive,
    directory,
    event_source,
    file,
    firewall_group,
    greeting,
    iis_virtual_directory,
    junction,
    mysql_database,
    mysql_server,
    program,
    python_release,
    reconcile,
    registry_value,
    scheduled_task,
    service,
    time_sync,
    winrm_listener,
)
from pyinfra_winrm.kinds.acl import Acl, Allow
from pyinfra_winrm.kinds.archive import Archive
from pyinfra_winrm.kinds.directory import Directory
from pyinfra_winrm.kinds.download import Download, Upload
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.event_source import EventSource
from pyinfra_winrm.kinds.file import File
from pyinfra_winrm.kinds.firewall_group import FirewallGroup, FirewallRule
from pyinfra_winrm.kinds.greeting import Greeting
from pyinfra_winrm.kinds.iis_virtual_directory import IISVirtualDirectory
from pyinfra_winrm.kinds.junction import Junction
from pyinfra_winrm.kinds.mysql_database import MySQLDatabase
from pyinfra_winrm.kinds.mysql_server import MySQLServer
from pyinfra_winrm.kinds.program import Program
from pyinfra_winrm.kinds.python_release import PythonRelease
from pyinfra_winrm.kinds.reconcile import Reconcile
from pyinfra_winrm.kinds.registry_value import RegistryValue
from pyinfra_winrm.kinds.scheduled_task import AtStartup, Daily, ScheduledTask
from pyinfra_winrm.kinds.service import FailureActions, Service
from pyinfra_winrm.kinds.time_sync import TimeSync
from pyinfra_winrm.kinds.winrm_listener import WinRMListener
from pyinfra_winrm.resource import Kind

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        module.KIND.name: module.KIND
        for module in (
            directory,
            file,
            junction,
            archive,
            program,
            python_release,
            mysql_server,
            mysql_database,
            service,
            firewall_group,
            iis_virtual_directory,
            scheduled_task,
            registry_value,
            event_source,
            time_sync,
            winrm_listener,
            greeting,
            reconcile,
        )
    }
)

__all__ = [
    "KINDS",
    "Acl",
    "Allow",
    "Archive",
    "AtStartup",
    "Daily",
    "Directory",
    "Download",
    "EventSource",
    "FailureActions",
    "File",
    "FirewallGroup",
    "FirewallRule",
    "Greeting",
    "IISVirtualDirectory",
    "InvalidResourceError",
    "Junction",
    "MySQLDatabase",
    "MySQLServer",
    "Program",
    "PythonRelease",
    "Reconcile",
    "RegistryValue",
    "ScheduledTask",
    "Service",
    "TimeSync",
    "Upload",
    "WinRMListener",
]
