"""How the system starts, stops and reloads the daemon: POSIX signals, and the dispatcher of Windows services.

Both tell the same three things to the daemon: run, reload, stop.
"""
