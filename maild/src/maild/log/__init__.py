"""The daemon's log: hMailServer's line format and JSON, a file a day, never a secret.

``Log`` is what code writes to, ``LogFiles`` what writes to disk; formats are in ``record``, searching in ``search``.
"""

from maild.log.files import LogFiles
from maild.log.log import Log
from maild.log.record import Kind, Record, as_json, as_line

__all__ = ["Kind", "Log", "LogFiles", "Record", "as_json", "as_line"]
