"""A mail daemon for Windows and Linux: SMTP, IMAP and POP3 on one MySQL schema or one SQLite file.

Packages depend downwards only: ``cli`` and ``app`` on everything, ``mail``, ``settings``, ``log`` and ``locale`` on
nothing of ours.
"""

__version__ = "0.1.0"
