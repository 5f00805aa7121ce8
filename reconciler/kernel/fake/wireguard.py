"""WireGuard's configuration, the same for the kernel's devices and for the userspace daemon's."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from reconciler.kernel.fake.records import Peer, WireGuardState
from reconciler.kernel.objects import IPNetwork

NO_KEY = bytes(32)


@lru_cache(maxsize=4096)
def public_of(private_key: bytes) -> str:
    """The base64 public key, "" for no key."""
    if not private_key or private_key == NO_KEY:
        return ""
    return b64encode(
        X25519PrivateKey.from_private_bytes(clamped(private_key)).public_key().public_bytes_raw()
    ).decode()


def clamped(private_key: bytes) -> bytes:
    """As both implementations store it (RFC 7748, 5)."""
    key = bytearray(private_key)
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return bytes(key)


def with_private_key(state: WireGuardState, private_key: bytes) -> WireGuardState:
    """A peer that has our own public key goes."""
    if private_key == NO_KEY:
        return replace(state, private_key=b"", public_key="")
    key = clamped(private_key)
    public = public_of(key)
    peers = tuple(peer for peer in state.peers if peer.public_key != public)
    return replace(state, private_key=key, public_key=public, peers=peers)


def peer_of(state: WireGuardState, public_key: str) -> Peer | None:
    return next((peer for peer in state.peers if peer.public_key == public_key), None)


def with_peer(state: WireGuardState, peer: Peer) -> WireGuardState:
    """The peer in its place, or last if it is new."""
    if peer_of(state, peer.public_key) is None:
        return replace(state, peers=(*state.peers, peer))
    return _mapped(state, lambda one: peer if one.public_key == peer.public_key else one)


def without_peer(state: WireGuardState, public_key: str) -> WireGuardState:
    return replace(state, peers=tuple(peer for peer in state.peers if peer.public_key != public_key))


def with_allowed_ip(state: WireGuardState, public_key: str, network: IPNetwork) -> WireGuardState:
    """One allowed IP belongs to one peer: it is taken from whoever has it."""

    def moved(peer: Peer) -> Peer:
        if peer.public_key == public_key:
            return replace(peer, allowed_ips=peer.allowed_ips | {network})
        return (
            replace(peer, allowed_ips=peer.allowed_ips - {network}) if network in peer.allowed_ips else peer
        )

    return _mapped(state, moved)


def _mapped(state: WireGuardState, change: Callable[[Peer], Peer]) -> WireGuardState:
    return replace(state, peers=tuple(change(peer) for peer in state.peers))
