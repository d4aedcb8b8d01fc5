"""The primitives of a Windows host: files, registry, services, tasks and what else a deploy touches.

Everything public takes and returns what JSON can carry (and bytes), so both engines call the same methods. What a
resource kind makes of them is left to ``lab.kinds`` and to the PowerShell seam.
"""
