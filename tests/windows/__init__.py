"""The daemon under a Windows CPython in Wine: its own tests there, and the service it is."""
