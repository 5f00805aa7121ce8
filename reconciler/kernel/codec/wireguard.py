"""WireGuard in the kernel: generic netlink family `wireguard` (linux/wireguard.h).

Payloads here begin with the generic netlink header; the transport puts the netlink header before it. A
device's private key appears in the payload of `set_device` and nowhere else; nothing decodes one.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network

from reconciler.kernel.codec.wire import (
    AF_INET,
    AF_INET6,
    as_text,
    attribute,
    attributes,
    each_attribute,
    family_of,
    nested,
    u8,
    u16,
    u32,
)
from reconciler.kernel.objects import IPAddress, IPNetwork, WireGuardPeer

FAMILY = "wireguard"
WG_CMD_GET_DEVICE, WG_CMD_SET_DEVICE = 0, 1
_VERSION = 1

WGDEVICE_A_IFINDEX = 1
WGDEVICE_A_IFNAME = 2
WGDEVICE_A_PRIVATE_KEY = 3
WGDEVICE_A_PUBLIC_KEY = 4
WGDEVICE_A_FLAGS = 5
WGDEVICE_A_LISTEN_PORT = 6
WGDEVICE_A_PEERS = 8
WGDEVICE_F_REPLACE_PEERS = 1

WGPEER_A_PUBLIC_KEY = 1
WGPEER_A_FLAGS = 3
WGPEER_A_ENDPOINT = 4
WGPEER_A_KEEPALIVE = 5
WGPEER_A_ALLOWEDIPS = 9
WGPEER_F_REMOVE_ME = 1
WGPEER_F_REPLACE_ALLOWEDIPS = 2
WGPEER_F_UPDATE_ONLY = 4

WGALLOWEDIP_A_FAMILY, WGALLOWEDIP_A_IPADDR, WGALLOWEDIP_A_CIDR_MASK = 1, 2, 3

_GENL = struct.Struct("=BBxx")
_ALLOWED_IPS_A_MESSAGE = 1000
"""An attribute's length is 16 bits, and an allowed IP takes up to 44 bytes."""


@dataclass(frozen=True, slots=True)
class PeerSeen:
    public_key: str
    endpoint: tuple[IPAddress, int] | None
    keepalive_s: int
    allowed_ips: frozenset[IPNetwork]


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A device and its peers; `public_key` is "" for a device without a private key."""

    name: str
    public_key: str
    listen_port: int
    peers: tuple[PeerSeen, ...]


def get_device(name: str) -> bytes:
    return _GENL.pack(WG_CMD_GET_DEVICE, _VERSION) + _name(name)


def set_device(name: str, private_key: bytes | None, listen_port: int | None) -> bytes:
    """Sets what is given and leaves the peers alone."""
    body = _name(name)
    if private_key is not None:
        body += attribute(WGDEVICE_A_PRIVATE_KEY, private_key)
    if listen_port is not None:
        body += u16(WGDEVICE_A_LISTEN_PORT, listen_port)
    return _GENL.pack(WG_CMD_SET_DEVICE, _VERSION) + body


def set_peer(peer: WireGuardPeer, *, update_only: bool) -> list[bytes]:
    """The peer as a whole, its allowed IPs replaced; its session lives on.

    With `update_only` a peer that isn't there is left so. Several payloads for very many allowed IPs.
    """
    flags = WGPEER_F_REPLACE_ALLOWEDIPS | (WGPEER_F_UPDATE_ONLY if update_only else 0)
    chunks = _chunks(sorted(peer.allowed_ips, key=_network_order)) or [[]]
    first = _peer(
        peer.public_key, flags, _endpoint(peer) + u16(WGPEER_A_KEEPALIVE, peer.keepalive_s), chunks[0]
    )
    rest = [_peer(peer.public_key, WGPEER_F_UPDATE_ONLY, b"", chunk) for chunk in chunks[1:]]
    return [_set(peer.device, item) for item in [first, *rest]]


def remove_peer(peer: WireGuardPeer) -> bytes:
    """No error if it isn't there."""
    return _set(peer.device, _peer(peer.public_key, WGPEER_F_REMOVE_ME | WGPEER_F_UPDATE_ONLY, b"", []))


def decode_device(payloads: Iterable[bytes]) -> DeviceSeen:
    """The answers to one `get_device`, merged: a peer whose allowed IPs don't fit is continued in the next
    message under the same public key, and then comes without endpoint and keepalive."""
    device: dict[int, bytes] = {}
    peers: dict[bytes, PeerSeen] = {}
    for payload in payloads:
        seen = attributes(payload, 4)
        device = seen | device
        for item in _nests(seen.get(WGDEVICE_A_PEERS, b"")):
            key = item[WGPEER_A_PUBLIC_KEY]
            peers[key] = _merged(peers.get(key), item)
    return DeviceSeen(
        name=as_text(device.get(WGDEVICE_A_IFNAME)),
        public_key=_base64(device.get(WGDEVICE_A_PUBLIC_KEY, b"")),
        listen_port=int.from_bytes(device.get(WGDEVICE_A_LISTEN_PORT, b"\0\0"), "little"),
        peers=tuple(peers.values()),
    )


def _set(device: str, peer: bytes) -> bytes:
    return _GENL.pack(WG_CMD_SET_DEVICE, _VERSION) + _name(device) + nested(WGDEVICE_A_PEERS, peer)


def _name(name: str) -> bytes:
    return attribute(WGDEVICE_A_IFNAME, name.encode() + b"\0")


def _peer(public_key: str, flags: int, settings: bytes, allowed_ips: list[IPNetwork]) -> bytes:
    body = attribute(WGPEER_A_PUBLIC_KEY, b64decode(public_key)) + u32(WGPEER_A_FLAGS, flags) + settings
    if allowed_ips:
        body += nested(WGPEER_A_ALLOWEDIPS, *map(_allowed_ip, allowed_ips))
    return nested(0, body)


def _allowed_ip(network: IPNetwork) -> bytes:
    address = network.network_address
    return nested(
        0,
        u16(WGALLOWEDIP_A_FAMILY, family_of(address)),
        attribute(WGALLOWEDIP_A_IPADDR, address.packed),
        u8(WGALLOWEDIP_A_CIDR_MASK, network.prefixlen),
    )


def _endpoint(peer: WireGuardPeer) -> bytes:
    """struct sockaddr_in or sockaddr_in6; nothing for a peer that dials us."""
    if peer.endpoint is None:
        return b""
    address, port = peer.endpoint
    if address.version == 4:
        return attribute(
            WGPEER_A_ENDPOINT, struct.pack("=H", AF_INET) + _port(port) + address.packed + bytes(8)
        )
    packed = struct.pack("=H", AF_INET6) + _port(port) + bytes(4) + address.packed + bytes(4)
    return attribute(WGPEER_A_ENDPOINT, packed)


def _port(port: int) -> bytes:
    return port.to_bytes(2, "big")


def _decode_endpoint(packed: bytes | None) -> tuple[IPAddress, int] | None:
    if packed is None:
        return None
    family = int.from_bytes(packed[:2], "little")
    port = int.from_bytes(packed[2:4], "big")
    if family == AF_INET:
        return IPv4Address(packed[4:8]), port
    return IPv6Address(packed[8:24]), port


def _merged(known: PeerSeen | None, item: dict[int, bytes]) -> PeerSeen:
    allowed = frozenset(map(_decode_allowed_ip, _nests(item.get(WGPEER_A_ALLOWEDIPS, b""))))
    if known is not None:
        return PeerSeen(known.public_key, known.endpoint, known.keepalive_s, known.allowed_ips | allowed)
    return PeerSeen(
        _base64(item[WGPEER_A_PUBLIC_KEY]),
        _decode_endpoint(item.get(WGPEER_A_ENDPOINT)),
        int.from_bytes(item.get(WGPEER_A_KEEPALIVE, b""), "little"),
        allowed,
    )


def _decode_allowed_ip(item: dict[int, bytes]) -> IPNetwork:
    return ip_network((item[WGALLOWEDIP_A_IPADDR], item[WGALLOWEDIP_A_CIDR_MASK][0]))


def _nests(data: bytes) -> Iterator[dict[int, bytes]]:
    return (attributes(payload) for _, payload in each_attribute(data))


def _base64(key: bytes) -> str:
    return b64encode(key).decode() if any(key) else ""


def _network_order(network: IPNetwork) -> tuple[int, bytes, int]:
    return network.version, network.network_address.packed, network.prefixlen


def _chunks(items: list[IPNetwork]) -> list[list[IPNetwork]]:
    size = _ALLOWED_IPS_A_MESSAGE
    return [items[start : start + size] for start in range(0, len(items), size)]
