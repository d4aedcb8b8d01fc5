"""What the daemon works with once its store is open, built from the settings and changed by a reload.

``session`` makes the session of a new connection; what it is given is of that moment, so running sessions keep what
they began with. Checks that the settings leave off are not built.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from maild.delivery.rewriting import KeyedRewriting
from maild.delivery.router import Router
from maild.dns.names import to_query
from maild.dns.resolver import CachingResolver, system_servers
from maild.dns.upstream import CaresUpstream, DirectUpstream, Upstream
from maild.imap import serve as imap
from maild.imap.commands import COMMANDS as IMAP_COMMANDS
from maild.imap.session import Services as ImapServices
from maild.locale import translator
from maild.log import Log
from maild.net import FairQueue, Session, address_of
from maild.policy import Gate, Login, Rates
from maild.policy.gate import now_us
from maild.policy.strangers import Strangers
from maild.pop3 import session as pop3
from maild.pop3.commands import COMMANDS as POP3_COMMANDS
from maild.settings import DNS, Listener, Policy, Settings
from maild.smtp import dialogue
from maild.smtp.context import Context
from maild.smtp.verification import MessageVerifier
from maild.store import Store
from maild.verify.decision import Rules
from maild.verify.dmarc.gathering import Gatherer
from maild.web import leave


@dataclass(slots=True)
class Services:
    """The parts that sessions share, and the settings they work by."""

    settings: Settings
    store: Store
    gate: Gate
    login: Login
    rates: Rates
    resolver: CachingResolver
    gatherer: Gatherer
    smtp: Context
    _rewrites: KeyedRewriting | None

    @classmethod
    def build(
        cls,
        settings: Settings,
        store: Store,
        rewrites: KeyedRewriting | None,
        *,
        hashing: FairQueue,
        log: Log,
    ) -> Services:
        """Everything for an open store."""
        gate = Gate(store, settings.auto_ban, log)
        login = Login(store, gate, hashing, log)
        policy = settings.policy
        rates = Rates(store.access, policy.messages_per_hour, policy.recipients_per_day)
        resolver = CachingResolver(upstream(settings.dns))
        context = Context(
            hostname=settings.hostname,
            default_domain=settings.default_domain,
            limits=settings.limits,
            store=store,
            router=Router(store.directory, store.mailboxes, default_domain=settings.default_domain, log=log),
            gate=gate,
            login=login,
            rates=rates,
            log=log,
            now=_local_now,
            lifetime_hours=settings.queue.lifetime_hours,
        )
        built = cls(settings, store, gate, login, rates, resolver, Gatherer(), context, rewrites)
        built.configure(settings)
        return built

    def configure(self, settings: Settings) -> None:
        """Takes settings, at first and after a reload."""
        if settings.dns != self.settings.dns:
            self.resolver.ask(upstream(settings.dns))
        self.settings = settings
        policy = settings.policy
        self.gate.configure(settings.auto_ban)
        self.login.configure(default_domain=settings.default_domain, scram=settings.policy.scram)
        self.rates.configure(policy.messages_per_hour, policy.recipients_per_day)
        counted = self.gatherer.note if settings.dmarc.send_reports else None
        verifier = MessageVerifier(self.resolver, settings.hostname, rules_of(policy), counted)
        strangers = Strangers(policy, self.resolver, self.store.state)
        smart_host = bool(settings.queue.smart_host)
        self.smtp = replace(
            self.smtp,
            hostname=settings.hostname,
            default_domain=settings.default_domain,
            limits=settings.limits,
            router=Router(
                self.store.directory,
                self.store.mailboxes,
                smart_host=smart_host,
                default_domain=settings.default_domain,
                rewriting=self._rewrites,
                log=self.smtp.log,
            ),
            lifetime_hours=settings.queue.lifetime_hours,
            addresses=frozenset(map(address_of, filter(None, (settings.public_ipv4, settings.public_ipv6)))),
            language=settings.language,
            translator=translator,
            verifier=verifier if policy.verify else None,
            screen=strangers if strangers.wanted else None,
        )

    def session(self, listener: Listener) -> Session:
        """The session of a new connection."""
        if listener.protocol == "imap":
            return imap.session(self._imap, listener)
        if listener.protocol == "pop3":
            return pop3.session(self._pop3, listener)
        if listener.protocol == "http":
            return leave.session(leave.Services(self.store, self.settings.language, translator))
        return dialogue.session(lambda: self.smtp, listener)

    def _imap(self) -> ImapServices:
        settings = self.settings
        return ImapServices(self.store, self.login, settings.hostname, settings.limits, now_us, IMAP_COMMANDS)

    def _pop3(self) -> pop3.Services:
        settings = self.settings
        return pop3.Services(self.store, self.login, settings.hostname, settings.limits, POP3_COMMANDS)


def rules_of(policy: Policy) -> Rules:
    """How a stranger's message is judged; sealers in the form that seals have."""
    sealers = frozenset(filter(None, map(to_query, policy.trusted_sealers)))
    return Rules(dmarc_reject=policy.dmarc_reject, trusted_sealers=sealers)


def upstream(dns: DNS) -> Upstream:
    """The resolver's servers: dnspython where their DNSSEC answers count, c-ares, which is faster, elsewhere."""
    if dns.validating and (servers := dns.servers or system_servers()):
        return DirectUpstream(servers, timeout=dns.timeout_seconds, validating=True)
    return CaresUpstream(dns.servers, timeout=dns.timeout_seconds)


def _local_now() -> dt.datetime:
    return dt.datetime.now().astimezone()
