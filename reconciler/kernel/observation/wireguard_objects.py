"""WireGuard devices and their peers, of the kernel or of a daemon.

The kernel says nothing of where a device's UDP socket is: it is taken to be in the node's own namespace,
where all are made. A device whose daemon doesn't answer counts as gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kernel.codec import uapi, wireguard
from reconciler.kernel.codec.link import LinkSeen
from reconciler.kernel.codec.wireguard import DeviceSeen
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import HOST, WireGuard, WireGuardPeer
from reconciler.kernel.observation.namespace_view import NamespaceView
from reconciler.kernel.transport import Transport, TransportError

_KIND_IN_KERNEL = "wireguard"
_KIND_OF_DAEMON = "tun"


def wireguard_objects(
    transport: Transport, seen: NamespaceView, running: frozenset[str]
) -> Iterator[tuple[str, KernelObject]]:
    """(owner, object); `running` are the devices that have a daemon."""
    for index, owner in seen.owners.items():
        link = seen.links[index]
        device = _device(transport, seen.name, link, running)
        if device is not None:
            yield owner, _link(seen.name, link, device)
            yield from ((owner, peer) for peer in _peers(seen.name, device))


def _device(
    transport: Transport, namespace: str, link: LinkSeen, running: frozenset[str]
) -> DeviceSeen | None:
    if link.kind == _KIND_IN_KERNEL:
        payload = wireguard.get_device(link.name)
        return wireguard.decode_device(transport.wireguard_dump(namespace, payload))
    if link.kind == _KIND_OF_DAEMON and link.name in running:
        return _ask_daemon(transport, link.name)
    return None


def _ask_daemon(transport: Transport, device: str) -> DeviceSeen | None:
    try:
        answer = transport.wireguard_uapi(device, uapi.GET)
    except TransportError:
        return None
    return None if uapi.error_of(answer) else uapi.decode_device(device, answer)


def _link(namespace: str, link: LinkSeen, device: DeviceSeen) -> WireGuard:
    return WireGuard(namespace, link.name, link.mtu, device.public_key, device.listen_port, HOST, link.up)


def _peers(namespace: str, device: DeviceSeen) -> Iterator[WireGuardPeer]:
    for peer in device.peers:
        yield WireGuardPeer(
            namespace, device.name, peer.public_key, peer.allowed_ips, peer.endpoint, peer.keepalive_s
        )
