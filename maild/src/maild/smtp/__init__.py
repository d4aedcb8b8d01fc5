"""SMTP, both sides: the server session and the client that delivers to other servers.

The server is a coroutine a connection over ``net.Stream``: ``grammar`` and ``body`` are pure, ``dialogue`` knows the
commands, ``reception`` takes a finished message to the store.
"""
