"""A private authoritative name server for tests: zone text in, real UDP and TCP out, faults on command.

It answers from its own threads, so blocking oracles (pyspf, dkimpy, opendkim) and the daemon's loop can share one.
``secure`` sets the AD bit, as a validating resolver would.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

from tests.lib.ports import free_port

SOA = "@ 300 IN SOA ns hostmaster 1 3600 600 86400 60\n@ 300 IN NS ns\nns 300 IN A 127.0.0.1\n"


@dataclass(slots=True)
class Fault:
    """What is done to questions at a name: an rcode, silence, or a delay in seconds."""

    rcode: str = ""
    silent: bool = False
    delay: float = 0.0


@dataclass
class NameServer:
    """Serves zones on one port of an address over UDP and TCP until closed."""

    address: str = "127.0.0.1"
    port: int = 0
    secure: bool = False
    zones: dict[dns.name.Name, dns.zone.Zone] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._udp, self._tcp = self._bind()
        self._open = True
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def _bind(self) -> tuple[socket.socket, socket.socket]:
        for _ in range(20):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind((self.address, self.port or free_port()))
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                udp.close()
                tcp.close()
                continue
            self.port = udp.getsockname()[1]
            tcp.listen(64)
            udp.settimeout(0.1)
            tcp.settimeout(0.1)
            return udp, tcp
        raise OSError("no port is free for both UDP and TCP")

    @property
    def server(self) -> str:
        """``address:port`` as resolvers take it."""
        return f"{self.address}:{self.port}"

    def zone(self, origin: str, text: str) -> None:
        """Serves this zone from now on; SOA and NS are added unless they are there."""
        name = _wire(origin)
        whole = text if " SOA " in text else SOA + text
        with self._lock:
            self.zones[name] = dns.zone.from_text(whole, origin=name, relativize=False)

    def fault(self, name: str, *, rcode: str = "", silent: bool = False, delay: float = 0.0) -> None:
        """From now on questions at this name (``*`` for all) meet this fault."""
        self.faults[_key(name)] = Fault(rcode, silent, delay)

    def heal(self) -> None:
        """Ends all faults."""
        self.faults.clear()

    def close(self) -> None:
        """Stops answering."""
        self._open = False
        for thread in self._threads:
            thread.join(2)
        self._udp.close()
        self._tcp.close()

    def answer(self, question: dns.message.Message) -> dns.message.Message | None:
        """The reply to a question, None for silence."""
        name, rdtype = question.question[0].name, question.question[0].rdtype
        text = name.to_text(omit_final_dot=True).lower()
        self.asked[text, dns.rdatatype.to_text(rdtype)] += 1
        fault = self.faults.get(text) or self.faults.get("*") or Fault()
        if fault.delay:
            time.sleep(fault.delay)
        if fault.silent:
            return None
        reply = dns.message.make_response(question)
        reply.flags |= dns.flags.AA | dns.flags.RA
        if self.secure:
            reply.flags |= dns.flags.AD
        if fault.rcode:
            reply.set_rcode(dns.rcode.from_text(fault.rcode))
            return reply
        with self._lock:
            self._fill(reply, name, rdtype)
        return reply

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> None:
        for _ in range(16):
            zone = self._zone_of(name)
            if zone is None:
                if not reply.answer:
                    reply.set_rcode(dns.rcode.REFUSED)
                return
            node = zone.get_node(name) or _wildcard(zone, name)
            if node is None:
                below = any(n != name and n.is_subdomain(name) for n in zone.nodes)
                reply.set_rcode(dns.rcode.NOERROR if below else dns.rcode.NXDOMAIN)
                self._authority(reply, zone)
                return
            found = node.get_rdataset(zone.rdclass, rdtype)
            if found is not None:
                reply.answer.append(_rrset(name, found))
                return
            alias = node.get_rdataset(zone.rdclass, dns.rdatatype.CNAME)
            if alias is None:
                self._authority(reply, zone)
                return
            reply.answer.append(_rrset(name, alias))
            name = alias[0].target

    def _zone_of(self, name: dns.name.Name) -> dns.zone.Zone | None:
        fitting = [origin for origin in self.zones if name.is_subdomain(origin)]
        return self.zones[max(fitting, key=len)] if fitting else None

    @staticmethod
    def _authority(reply: dns.message.Message, zone: dns.zone.Zone) -> None:
        assert zone.origin is not None
        soa = zone.get_rdataset(zone.origin, dns.rdatatype.SOA)
        if soa is not None:
            reply.authority.append(_rrset(zone.origin, soa))

    def _serve_udp(self) -> None:
        while self._open:
            try:
                wire, peer = self._udp.recvfrom(4096)
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._one_datagram, args=(wire, peer), daemon=True).start()

    def _one_datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        with contextlib.suppress(dns.exception.DNSException, OSError):
            question = dns.message.from_wire(wire)
            reply = self.answer(question)
            if reply is None:
                return
            room = max(512, question.payload)
            try:
                packed = reply.to_wire(max_size=room)
            except dns.exception.TooBig:
                short = dns.message.make_response(question)
                short.flags |= dns.flags.TC | dns.flags.AA
                packed = short.to_wire()
            self._udp.sendto(packed, peer)

    def _serve_tcp(self) -> None:
        while self._open:
            try:
                peer, _ = self._tcp.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._one_stream, args=(peer,), daemon=True).start()

    def _one_stream(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(dns.exception.DNSException, OSError, struct.error):
            peer.settimeout(5)
            stream = peer.makefile("rb")
            while head := stream.read(2):
                question = dns.message.from_wire(stream.read(struct.unpack("!H", head)[0]))
                reply = self.answer(question)
                if reply is None:
                    return
                packed = reply.to_wire(max_size=65535)
                peer.sendall(struct.pack("!H", len(packed)) + packed)


def _wildcard(zone: dns.zone.Zone, name: dns.name.Name) -> dns.node.Node | None:
    """The nearest ``*`` above a name (RFC 4592), names in between apart: no zone of ours has them."""
    assert zone.origin is not None
    while name != zone.origin:
        name = name.parent()
        found = zone.get_node(dns.name.Name((b"*", *name.labels)))
        if found is not None:
            return found
    return None


def _rrset(name: dns.name.Name, rdataset: object) -> dns.rrset.RRset:
    made = dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))  # type: ignore[attr-defined, call-overload]
    assert isinstance(made, dns.rrset.RRset)
    return made


def _wire(name: str) -> dns.name.Name:
    return dns.name.from_text(name, idna_codec=dns.name.IDNA_2003)


def _key(name: str) -> str:
    return "*" if name == "*" else _wire(name).to_text(omit_final_dot=True).lower()


@contextlib.contextmanager
def serving(**zones: str) -> Iterator[NameServer]:
    """A name server with these zones (``example_net="..."``: underscores stand for dots) for the time of a block."""
    server = NameServer()
    try:
        for origin, text in zones.items():
            server.zone(origin.replace("_", "."), text)
        yield server
    finally:
        server.close()
