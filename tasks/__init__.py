"""The bundle: what a Windows Server needs to be a mail server, as lists of resources made from typed settings.

Each module is one concern and a pure function from settings and host facts to resources; reading and changing the
host is left to ``pyinfra_winrm``, serving mail to ``maild``.
"""
