"""A session with a lab of its own, without pyinfra around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.session import Session
from pyinfra_winrm.settings import DATA_META, connection
from tests.lib.deploying import PASSWORD_VARIABLE, Lab


@contextmanager
def session(lab: Lab) -> Iterator[Session]:
    """Connected to the lab's listener as an inventory would reach it; ends with the block."""
    data = {key: meta.default for key, meta in DATA_META.items()} | lab.data()
    settings = connection(data, {PASSWORD_VARIABLE: lab.config.password})
    opened = Session(settings, lambda name: KINDS[name].script.read_text(encoding="utf-8"))
    opened.connect()
    try:
        yield opened
    finally:
        opened.close()
