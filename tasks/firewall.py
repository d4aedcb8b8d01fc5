"""One inbound rule for each port that is really used, all in one group, so that what is no longer used closes again."""

from __future__ import annotations

from pyinfra_winrm.kinds.firewall_group import FirewallGroup, FirewallRule
from tasks import challenge
from tasks.facts import Facts
from tasks.settings import Settings

GROUP = "Mailhost"


def resources(settings: Settings, facts: Facts) -> list[FirewallGroup]:
    """The group with a rule for each open listener, for the proof of names, and for the web."""
    rules = [
        FirewallRule(
            name=f"{name}-{listener.port}",
            ports=(settings.bound_port(listener),),
            description=f"{listener.protocol.upper()} on port {listener.port}",
            service=settings.service,
        )
        for name, listener in settings.listeners.enabled()
    ]
    if challenge.by_ourselves(settings, facts):
        port = settings.tls.acme.challenge_port
        rules.append(FirewallRule(name=f"acme-{port}", ports=(port,), description="Proof of host names (ACME HTTP-01)"))
    if settings.web.enabled:
        port = settings.web_port
        rules.append(
            FirewallRule(
                name=f"web-{settings.web.port}",
                ports=(port,),
                description="Administration and webmail",
                service=settings.service,
            )
        )
    return [FirewallGroup(name=GROUP, rules=tuple(rules))]
