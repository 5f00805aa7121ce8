"""The text protocol of a userspace WireGuard (wireguard.com/xplatform), as wireguard-go answers it."""

from __future__ import annotations

import errno
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from reconciler.kernel.fake import wireguard
from reconciler.kernel.fake.records import Peer, WireGuardState
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.objects import IPAddress


def ask(state: WireGuardState, request: str) -> tuple[WireGuardState, str]:
    """One request; returns the state after it and the answer. Settings before a bad line stay made."""
    if not request.endswith("\n\n"):
        raise NotModelled("a request that isn't ended by an empty line")
    first, *lines = request.rstrip("\n").split("\n")
    if first == "get=1":
        return state, _described(state) + "errno=0\n\n"
    if first != "set=1":
        raise NotModelled(f"a request that begins with {first!r}")
    session = _Session(state)
    try:
        for line in lines:
            session.take(line)
    except Refused as refused:
        return session.state, f"errno=-{refused.code}\n\n"
    return session.state, "errno=0\n\n"


@dataclass
class _Session:
    """One `set`: settings of the device, then of one peer after another.

    `peer` is the public key being configured; `ignored` while it is one that shall not be made."""

    state: WireGuardState
    peer: str | None = None
    ignored: bool = False
    fresh: bool = False

    def take(self, line: str) -> None:
        key, found, value = line.partition("=")
        if not found:
            raise Refused(errno.EPROTO)
        if key == "public_key":
            self._begin_peer(value)
        elif self.peer is None:
            self._of(_DEVICE_KEYS, key)(self, value)
        else:
            self._of(_PEER_KEYS, key)(self, value)

    @staticmethod
    def _of(keys: dict[str, Callable[[_Session, str], None]], key: str) -> Callable[[_Session, str], None]:
        if key not in keys:
            raise Refused(errno.EINVAL)
        return keys[key]

    def _begin_peer(self, value: str) -> None:
        public = b64encode(_hex(value)).decode()
        self.peer = public
        self.ignored = public == self.state.public_key
        self.fresh = not self.ignored and wireguard.peer_of(self.state, public) is None
        if self.fresh:
            self.state = wireguard.with_peer(self.state, Peer(public))

    def change(self, change: Callable[[Peer], Peer]) -> None:
        if self.ignored or self.peer is None:
            return
        known = wireguard.peer_of(self.state, self.peer)
        if known is not None:
            self.state = wireguard.with_peer(self.state, change(known))

    # --- the device ------------------------------------------------------------------------------------

    def private_key(self, value: str) -> None:
        self.state = wireguard.with_private_key(self.state, _hex(value))

    def listen_port(self, value: str) -> None:
        self.state = replace(self.state, listen_port=_number(value, 0xFFFF))

    def fwmark(self, value: str) -> None:
        self.state = replace(self.state, fwmark=_number(value or "0", 0xFFFFFFFF))

    def replace_peers(self, value: str) -> None:
        _true(value)
        self.state = replace(self.state, peers=())

    # --- a peer ----------------------------------------------------------------------------------------

    def update_only(self, value: str) -> None:
        """A peer that was only just made by naming it is unmade again, and what follows ignored."""
        _true(value)
        if self.fresh and self.peer is not None:
            self.state = wireguard.without_peer(self.state, self.peer)
            self.ignored = True

    def remove(self, value: str) -> None:
        _true(value)
        if not self.ignored and self.peer is not None:
            self.state = wireguard.without_peer(self.state, self.peer)
        self.ignored = True

    def preshared_key(self, value: str) -> None:
        key = _hex(value)
        self.change(lambda peer: replace(peer, preshared_key=key))

    def endpoint(self, value: str) -> None:
        place = _endpoint(value)
        self.change(lambda peer: replace(peer, endpoint=place))

    def keepalive(self, value: str) -> None:
        seconds = _number(value, 0xFFFF)
        self.change(lambda peer: replace(peer, keepalive_s=seconds))

    def replace_allowed_ips(self, value: str) -> None:
        _true(value)
        self.change(lambda peer: replace(peer, allowed_ips=frozenset()))

    def allowed_ip(self, value: str) -> None:
        try:
            network = ip_network(value, strict=False)
        except ValueError:
            raise Refused(errno.EINVAL) from None
        if not self.ignored and self.peer is not None:
            self.state = wireguard.with_allowed_ip(self.state, self.peer, network)

    def protocol_version(self, value: str) -> None:
        if value != "1":
            raise Refused(errno.EINVAL)


_DEVICE_KEYS: dict[str, Callable[[_Session, str], None]] = {
    "private_key": _Session.private_key,
    "listen_port": _Session.listen_port,
    "fwmark": _Session.fwmark,
    "replace_peers": _Session.replace_peers,
}
_PEER_KEYS: dict[str, Callable[[_Session, str], None]] = {
    "update_only": _Session.update_only,
    "remove": _Session.remove,
    "preshared_key": _Session.preshared_key,
    "endpoint": _Session.endpoint,
    "persistent_keepalive_interval": _Session.keepalive,
    "replace_allowed_ips": _Session.replace_allowed_ips,
    "allowed_ip": _Session.allowed_ip,
    "protocol_version": _Session.protocol_version,
}


def _hex(value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        raise Refused(errno.EINVAL) from None
    if len(key) != 32:
        raise Refused(errno.EINVAL)
    return key


def _number(value: str, most: int) -> int:
    if not value.isdigit() or int(value) > most:
        raise Refused(errno.EINVAL)
    return int(value)


def _true(value: str) -> None:
    if value != "true":
        raise Refused(errno.EINVAL)


def _endpoint(value: str) -> tuple[IPAddress, int]:
    host, found, port = value.rpartition(":")
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        raise Refused(errno.EINVAL) from None
    if not found or (address.version == 6) != host.startswith("["):
        raise Refused(errno.EINVAL)
    return address, _number(port, 0xFFFF)


# --- answering -----------------------------------------------------------------------------------------


def _described(state: WireGuardState) -> str:
    return "".join(f"{key}={value}\n" for key, value in _lines(state))


def _lines(state: WireGuardState) -> Iterator[tuple[str, str]]:
    if state.private_key:
        yield "private_key", state.private_key.hex()
    if state.listen_port:
        yield "listen_port", str(state.listen_port)
    if state.fwmark:
        yield "fwmark", str(state.fwmark)
    for peer in state.peers:
        yield from _peer_lines(peer)


def _peer_lines(peer: Peer) -> Iterator[tuple[str, str]]:
    yield "public_key", b64decode(peer.public_key).hex()
    yield "preshared_key", peer.preshared_key.hex()
    yield "protocol_version", "1"
    if peer.endpoint is not None:
        address, port = peer.endpoint
        yield "endpoint", f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"
    for name in ("last_handshake_time_sec", "last_handshake_time_nsec", "tx_bytes", "rx_bytes"):
        yield name, "0"
    yield "persistent_keepalive_interval", str(peer.keepalive_s)
    for network in sorted(peer.allowed_ips, key=lambda one: (one.version, one)):
        yield "allowed_ip", str(network)
