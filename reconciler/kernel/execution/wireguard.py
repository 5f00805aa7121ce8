"""WireGuard devices and peers, of the kernel or of a daemon; which of the two, the transport says.

Both are born where their UDP socket shall be and then live elsewhere: the kernel's is asked for there and
born at home; a daemon makes its link where it runs, and we move it. A peer is always changed by itself.
"""

from __future__ import annotations

from contextlib import suppress

from reconciler.kernel.codec import link as link_codec
from reconciler.kernel.codec import uapi, wireguard
from reconciler.kernel.execution.links import change_link, delete_link
from reconciler.kernel.execution.work import Refused, Step, Work
from reconciler.kernel.objects import WireGuard, WireGuardPeer
from reconciler.kernel.transport import TransportError


def add_device(work: Work, step: Step, item: WireGuard) -> None:
    """Complete with key and port before it is up. What a failure leaves half-made is taken away again."""
    private_key = work.private_key(item.public_key)
    work.settle(step)
    if _in_kernel(work):
        _add_in_kernel(work, step, item, private_key)
    else:
        _add_daemon(work, step, item, private_key)


def change_device(work: Work, step: Step, before: WireGuard, after: WireGuard) -> None:
    """Key and port are set on the living device; it is never set down."""
    key = None if before.public_key == after.public_key else work.private_key(after.public_key)
    port = None if before.listen_port == after.listen_port else after.listen_port
    if key is not None or port is not None:
        _configure(work, step, after, key, port)
    if before.mtu != after.mtu or not before.up:
        change_link(work, step, before, after)


def delete_device(work: Work, step: Step, item: WireGuard) -> None:
    if _in_kernel(work):
        delete_link(work, step, item)
        return
    work.settle(step)
    work.transport.wireguard_stop(item.name)
    work.known.gone(item.namespace, item.name)


def add_peer(work: Work, step: Step, item: WireGuardPeer) -> None:
    _set_peer(work, step, item, update_only=False)


def change_peer(work: Work, step: Step, _before: WireGuardPeer, after: WireGuardPeer) -> None:
    """A peer that has gone meanwhile stays so: half of it would be no peer."""
    _set_peer(work, step, after, update_only=True)


def delete_peer(work: Work, step: Step, item: WireGuardPeer) -> None:
    if _in_kernel(work):
        work.pipeline.wireguard(step.position, item.namespace, wireguard.remove_peer(item))
        return
    work.settle(step)
    if item.device in work.transport.wireguard_running():
        _ask_daemon(work, item.device, uapi.remove_peer(item))


def _in_kernel(work: Work) -> bool:
    return work.transport.wireguard_kind() == "kernel"


def _add_in_kernel(work: Work, step: Step, item: WireGuard, private_key: bytes) -> None:
    index = work.known.choose(1)
    home = work.handle(item.namespace, item.underlay_namespace)
    create = link_codec.create_wireguard(item, index, home)
    work.pipeline.route(step.position, item.underlay_namespace, create)
    work.settle(step)
    work.known.made(item.namespace, item.name, index)
    try:
        _configure(work, step, item, private_key, item.listen_port)
        work.pipeline.route(step.position, item.namespace, link_codec.mark(index, step.alias))
        work.settle(step)
    except (Refused, TransportError):
        work.transport.route_request(item.namespace, [link_codec.delete_link(index)])
        work.known.gone(item.namespace, item.name)
        raise


def _add_daemon(work: Work, step: Step, item: WireGuard, private_key: bytes) -> None:
    work.transport.wireguard_start(item.underlay_namespace, item.name)
    try:
        _ask_daemon(work, item.name, uapi.set_device(private_key, item.listen_port))
        _move_home(work, step, item)
    except (Refused, TransportError):
        with suppress(TransportError):
            work.transport.wireguard_stop(item.name)
        raise


def _move_home(work: Work, step: Step, item: WireGuard) -> None:
    """Its MTU is set before it moves, while the daemon still hears of it. The new index is one that nothing
    in the birth namespace will ever have: the daemon goes on listening there for news of the old one."""
    birth_index = work.links(item.underlay_namespace)[item.name].ifindex
    index = work.known.choose(1)
    resize = link_codec.set_link(birth_index, mtu=item.mtu, up=False)
    move = link_codec.move(birth_index, index, work.transport.namespace_handle(item.namespace), step.alias)
    work.pipeline.route(step.position, item.underlay_namespace, resize)
    work.pipeline.route(step.position, item.underlay_namespace, move)
    work.settle(step)
    work.known.gone(item.underlay_namespace, item.name)
    work.known.made(item.namespace, item.name, index, daemon=True)


def _configure(
    work: Work, step: Step, item: WireGuard, private_key: bytes | None, listen_port: int | None
) -> None:
    if _in_kernel(work):
        payload = wireguard.set_device(item.name, private_key, listen_port)
        work.pipeline.wireguard(step.position, item.namespace, payload)
    else:
        work.settle(step)
        _ask_daemon(work, item.name, uapi.set_device(private_key, listen_port))


def _set_peer(work: Work, step: Step, item: WireGuardPeer, *, update_only: bool) -> None:
    if _in_kernel(work):
        for payload in wireguard.set_peer(item, update_only=update_only):
            work.pipeline.wireguard(step.position, item.namespace, payload)
        return
    work.settle(step)
    _ask_daemon(work, item.device, uapi.set_peer(item, update_only=update_only))


def _ask_daemon(work: Work, device: str, request: str) -> None:
    code = uapi.error_of(work.transport.wireguard_uapi(device, request))
    if code:
        raise Refused(code, f"the WireGuard daemon of {device} refused its configuration")
