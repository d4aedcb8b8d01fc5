"""A WS-Management server for the shells that WinRM clients open: SOAP, sign-on, shells and commands, faults.

What a command does is an engine's; nothing in here knows of it.
"""
