"""The kernel's WireGuard over generic netlink (drivers/net/wireguard/netlink.c), by pyroute2's `wgmsg`."""

from __future__ import annotations

import errno
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from pyroute2.netlink.generic.wireguard import wgmsg

from reconciler.kernel.fake import wireguard
from reconciler.kernel.fake.decode import HEADER, Nest, check_only, plain
from reconciler.kernel.fake.records import Link, Peer, WireGuardState
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns, World
from reconciler.kernel.objects import IPNetwork

WG_CMD_GET_DEVICE, WG_CMD_SET_DEVICE = 0, 1
WGDEVICE_F_REPLACE_PEERS = 1
REMOVE_ME, REPLACE_ALLOWEDIPS, UPDATE_ONLY = 1, 2, 4
FAMILY_ID = 32
"""Stands for the number that generic netlink gives the family."""

_DEVICE = ("IFINDEX", "IFNAME", "PRIVATE_KEY", "FLAGS", "LISTEN_PORT", "FWMARK", "PEERS")
_PEER = ("PUBLIC_KEY", "PRESHARED_KEY", "FLAGS", "ENDPOINT", "PERSISTENT_KEEPALIVE_INTERVAL", "ALLOWEDIPS")


def decode(payload: bytes) -> Nest:
    """A payload that begins with the generic netlink header."""
    message = wgmsg(bytearray(HEADER.pack(HEADER.size + len(payload), FAMILY_ID, 1, 0, 0) + payload))
    message.decode()
    nest = plain(message)
    check_only(nest, tuple(f"WGDEVICE_A_{name}" for name in _DEVICE), "a WireGuard message")
    return nest


def _attr(nest: Nest, name: str, default: Any = None) -> Any:
    return nest.attrs.get(name, default)


def device(world: World, space: Netns, nest: Nest) -> Link:
    """lookup_interface. Raises Refused EBADR, ENODEV, EOPNOTSUPP."""
    index, name = _attr(nest, "WGDEVICE_A_IFINDEX"), _attr(nest, "WGDEVICE_A_IFNAME")
    if (index is None) == (name is None):
        raise Refused(errno.EBADR)
    link = space.link(index) if index is not None else space.named(name)
    if link is None:
        raise Refused(errno.ENODEV)
    if link.kind != "wireguard":
        raise Refused(errno.EOPNOTSUPP)
    return link


# --- set ---------------------------------------------------------------------------------------------


def set_device(world: World, space: Netns, payload: bytes) -> None:
    """One WG_CMD_SET_DEVICE. What came before a refused peer stays done."""
    nest = decode(payload)
    if nest.fields["cmd"] != WG_CMD_SET_DEVICE:
        raise NotModelled(f"WireGuard command {nest.fields['cmd']}")
    link = device(world, space, nest)
    state = _device_settings(world.wireguards[link.device], nest)
    world.wireguards[link.device] = state
    for peer in _attr(nest, "WGDEVICE_A_PEERS", ()):
        state = _set_peer(state, peer)
        world.wireguards[link.device] = state


def _device_settings(state: WireGuardState, nest: Nest) -> WireGuardState:
    if _attr(nest, "WGDEVICE_A_FLAGS", 0) & ~WGDEVICE_F_REPLACE_PEERS:
        raise Refused(errno.EOPNOTSUPP)
    if "WGDEVICE_A_FWMARK" in nest.attrs:
        state = replace(state, fwmark=nest.attrs["WGDEVICE_A_FWMARK"])
    if "WGDEVICE_A_LISTEN_PORT" in nest.attrs:
        state = replace(state, listen_port=nest.attrs["WGDEVICE_A_LISTEN_PORT"])
    if _attr(nest, "WGDEVICE_A_FLAGS", 0) & WGDEVICE_F_REPLACE_PEERS:
        state = replace(state, peers=())
    if "WGDEVICE_A_PRIVATE_KEY" in nest.attrs:
        state = wireguard.with_private_key(state, b64decode(nest.attrs["WGDEVICE_A_PRIVATE_KEY"]))
    return state


def _set_peer(state: WireGuardState, nest: Nest) -> WireGuardState:
    """set_peer: a peer with the device's own key is silently ignored."""
    check_only(nest, tuple(f"WGPEER_A_{name}" for name in _PEER), "a WireGuard peer")
    if "WGPEER_A_PUBLIC_KEY" not in nest.attrs:
        raise Refused(errno.EINVAL)
    public = nest.attrs["WGPEER_A_PUBLIC_KEY"].decode()
    flags = _attr(nest, "WGPEER_A_FLAGS", 0)
    if flags & ~(REMOVE_ME | REPLACE_ALLOWEDIPS | UPDATE_ONLY):
        raise Refused(errno.EOPNOTSUPP)
    known = wireguard.peer_of(state, public)
    if known is None and (flags & (REMOVE_ME | UPDATE_ONLY) or public == state.public_key):
        return state
    if flags & REMOVE_ME:
        return wireguard.without_peer(state, public)
    state = wireguard.with_peer(state, _settings(known or Peer(public), nest, flags))
    for network in _allowed_ips(nest):
        state = wireguard.with_allowed_ip(state, public, network)
    return state


def _settings(peer: Peer, nest: Nest, flags: int) -> Peer:
    if flags & REPLACE_ALLOWEDIPS:
        peer = replace(peer, allowed_ips=frozenset())
    if "WGPEER_A_PRESHARED_KEY" in nest.attrs:
        peer = replace(peer, preshared_key=b64decode(nest.attrs["WGPEER_A_PRESHARED_KEY"]))
    if "WGPEER_A_ENDPOINT" in nest.attrs:
        fields = nest.attrs["WGPEER_A_ENDPOINT"].fields
        peer = replace(peer, endpoint=(ip_address(fields["addr"]), fields["port"]))
    keepalive = _attr(nest, "WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL", peer.keepalive_s)
    return replace(peer, keepalive_s=keepalive)


def _allowed_ips(nest: Nest) -> Iterator[IPNetwork]:
    for item in _attr(nest, "WGPEER_A_ALLOWEDIPS", ()):
        packed = bytes.fromhex(item.attrs["WGALLOWEDIP_A_IPADDR"].replace(":", ""))
        length = item.attrs["WGALLOWEDIP_A_CIDR_MASK"]
        if length > len(packed) * 8:
            raise Refused(errno.EINVAL)
        yield ip_network((packed, length), strict=False)


# --- get ---------------------------------------------------------------------------------------------


def get_device(world: World, space: Netns, payload: bytes) -> list[bytes]:
    """The answer to WG_CMD_GET_DEVICE, one payload a peer: as unmerged as the kernel's."""
    nest = decode(payload)
    if nest.fields["cmd"] != WG_CMD_GET_DEVICE:
        raise NotModelled(f"WireGuard command {nest.fields['cmd']}")
    link = device(world, space, nest)
    state = world.wireguards[link.device]
    head: list[Any] = [
        ("WGDEVICE_A_LISTEN_PORT", state.listen_port),
        ("WGDEVICE_A_FWMARK", state.fwmark),
        ("WGDEVICE_A_IFINDEX", link.index),
        ("WGDEVICE_A_IFNAME", link.name),
    ]
    if state.public_key:
        head.append(("WGDEVICE_A_PRIVATE_KEY", b64encode(state.private_key).decode()))
        head.append(("WGDEVICE_A_PUBLIC_KEY", state.public_key))
    if not state.peers:
        return [_encoded(head)]
    rest = [_encoded([("WGDEVICE_A_PEERS", [_described(peer)])]) for peer in state.peers[1:]]
    return [_encoded([*head, ("WGDEVICE_A_PEERS", [_described(state.peers[0])])]), *rest]


def _encoded(attrs: list[Any]) -> bytes:
    message = wgmsg()
    message["cmd"], message["version"] = WG_CMD_GET_DEVICE, 1
    message["attrs"] = attrs
    message.encode()
    return bytes(message.data[HEADER.size :])


def _described(peer: Peer) -> dict[str, Any]:
    attrs: list[Any] = [
        ("WGPEER_A_PUBLIC_KEY", peer.public_key),
        ("WGPEER_A_PRESHARED_KEY", b64encode(peer.preshared_key).decode()),
        ("WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL", peer.keepalive_s),
        ("WGPEER_A_TX_BYTES", 0),
        ("WGPEER_A_RX_BYTES", 0),
        ("WGPEER_A_PROTOCOL_VERSION", 1),
    ]
    if peer.endpoint is not None:
        address, port = peer.endpoint
        attrs.append(("WGPEER_A_ENDPOINT", {"addr": str(address), "port": port}))
    allowed = sorted(peer.allowed_ips, key=lambda one: (one.version, one))
    attrs.append(("WGPEER_A_ALLOWEDIPS", [_allowed(network) for network in allowed]))
    return {"attrs": attrs}


def _allowed(network: IPNetwork) -> dict[str, Any]:
    family = 2 if network.version == 4 else 10
    packed = network.network_address.packed
    return {
        "attrs": [
            ("WGALLOWEDIP_A_FAMILY", family),
            ("WGALLOWEDIP_A_IPADDR", packed),
            ("WGALLOWEDIP_A_CIDR_MASK", network.prefixlen),
        ]
    }
