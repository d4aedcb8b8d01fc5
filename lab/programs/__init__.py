"""Programs of a Windows host that have no Linux namesake: small stand-ins, each a process of its own."""
