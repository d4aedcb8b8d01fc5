"""pyinfra on Windows: a WinRM connector, resources that are read, compared and changed, and plain operations.

The package knows nothing of what is deployed with it; it leaves the choice of resources to its callers.
"""
