"""The one error a resource raises about itself: a value that no Windows host could have.

It is raised while settings become resources, on the controller, before any host is asked.
"""

from __future__ import annotations


class InvalidResourceError(ValueError):
    """A resource was described with a value that Windows does not accept; the message says which and what to give."""
