"""What each kind of resource makes of the model's primitives: the model engine's answer to ``read`` and ``apply``.

One module a kind, with ``read(host, key)`` and ``apply(host, desired)``; both take what travels in a request and say
what the kind's PowerShell would say. What several kinds need lies in ``states``, ``fetch`` and ``native``.
"""
