"""The lock of a run, as the host script takes it: a file that is held open and gone when its holder ends.

Shared by the sessions of one host. Not journalled: it is no change that a deploy makes.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from lab.model.errors import of_system
from lab.model.files import Files

FOLDER = "C:\\ProgramData\\Mailhost"
PATH = FOLDER + "\\run.lock"
Holder = dict[str, Any]


class RunLock:
    """At most one session holds it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._owner: object | None = None
        self._holder: Holder = {}

    def take(self, owner: object, holder: Holder) -> Holder | None:
        """None when it is the owner's now, otherwise who holds it."""
        with self._lock:
            if self._owner is owner:
                return None
            if self._owner is not None:
                return dict(self._holder)
            self._owner, self._holder = owner, holder
            place = self._files.drive.real(PATH)
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(json.dumps(holder), encoding="utf-8")
            except OSError as error:
                self._owner = None
                raise of_system(error, PATH) from error
            return None

    def other(self, asking: object) -> Holder | None:
        """Who holds it, when that is not the one who asks."""
        with self._lock:
            return None if self._owner in (None, asking) else dict(self._holder)

    def release(self, owner: object) -> None:
        """Gives it back; nothing happens when another holds it."""
        with self._lock:
            if self._owner is owner:
                self._owner = None
                self._files.drive.real(PATH).unlink(missing_ok=True)
