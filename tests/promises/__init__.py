"""One module a promise: what the project says of itself, and the run that shows it.

Each module has ``ABOUT`` (one line) and ``run(size) -> dict``: it raises ``AssertionError`` where the promise does not
hold and otherwise returns its figures. ``size`` is ``"small"`` (CI) or ``"full"`` (``make show``).
"""
