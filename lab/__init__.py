"""A stand-in for a Windows Server: real WS-Management in front of a model of the host, for dry runs, demos and tests.

It promises the wire protocol, the refusals and the traps of Windows that deploying meets; it leaves the behaviour of
Windows programs themselves to a real server.
"""
