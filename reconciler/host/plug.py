"""Plugging a namespace into a network's bridge, and pulling it out again.

The namespace belongs to somebody else: only the one interface that we put into it, its addresses and
default routes are ours. The port carries an alias of its own, so that the engine, which looks after what
the ledger asks for, leaves it alone.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Interface, IPv6Interface
from pathlib import Path
from socket import AF_INET6

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from reconciler.compile.names import bridge_name, namespace_name
from reconciler.host.attachment import Attachment, AttachmentError

ALIAS = "tnet-attach:"
_NODAD = 0x02  # IFA_F_NODAD, linux/if_addr.h


def _namespace_file(namespace: str) -> Path:
    return Path(namespace) if namespace.startswith("/") else Path("/run/netns") / namespace


@contextmanager
def _namespace(name: str) -> Iterator[IPRoute]:
    path = _namespace_file(name)
    if not path.exists():
        raise AttachmentError(f"there is no namespace {name} on this node", f"make it: ip netns add {name}")
    with _entered(path) as route:
        yield route


def _entered(path: Path) -> IPRoute:
    """A file under /run/netns outlives its namespace if the machine or `ip netns` died in between."""
    try:
        return IPRoute(netns=str(path))
    except OSError as error:
        raise AttachmentError(f"{path} is no namespace that can be entered: {error.strerror}") from error


def _index(route: IPRoute, name: str) -> int | None:
    with suppress(NetlinkError):
        found: int = route.link("get", ifname=name)[0]["index"]
        return found
    return None


def is_plugged(attachment: Attachment) -> bool:
    """The port is in the bridge, and its addresses fit there; False too when the network has no namespace on
    this node now."""
    if not _namespace_file(namespace_name(attachment.netid)).exists():
        return False
    with _namespace(namespace_name(attachment.netid)) as route:
        bridge = _index(route, bridge_name(attachment.netid))
        if bridge is None or _master(route, attachment.port) != bridge:
            return False
        return _fits(route, attachment, bridge)


def _fits(route: IPRoute, attachment: Attachment, bridge: int) -> bool:
    """Whether the network still has the addresses here that the attachment was made for."""
    has = {found.get_attr("IFA_ADDRESS") for found in route.get_addr(index=bridge)}
    return {str(attachment.gateway_ipv4), str(attachment.gateway_ipv6)} <= has


def _master(route: IPRoute, name: str) -> int | None:
    """The bridge that a link is in; None too if there is no such link."""
    with suppress(NetlinkError):
        found: int | None = route.link("get", ifname=name)[0].get_attr("IFLA_MASTER")
        return found
    return None


def plug(attachment: Attachment) -> None:
    """Make the port and the interface, whole or not at all. A port that lost its bridge, or whose maker died,
    is made whole: it goes into the bridge last, when all else is done.

    Raises AttachmentError if a namespace or the bridge is missing, or the interface's name is taken.
    """
    check_guest(attachment)
    with _namespace(namespace_name(attachment.netid)) as route:
        bridge = _index(route, bridge_name(attachment.netid))
        if bridge is None:
            raise AttachmentError(
                f"{attachment.tenant}/{attachment.network} has no bridge on this node yet",
                "wait until `tnet status` says Converged",
            )
        if not _fits(route, attachment, bridge):
            raise AttachmentError(
                f"{attachment.tenant}/{attachment.network} has other addresses on this node than "
                f"{attachment.namespace} was given",
                "detach it and attach it again",
            )
        is_new = _index(route, attachment.port) is None
        try:
            if is_new:
                _make_port(route, attachment, bridge)
            _configure(attachment)
            _enter_bridge(route, attachment, bridge)
        except (NetlinkError, AttachmentError):
            if is_new:
                _delete_port(route, attachment)
            raise


def check_guest(attachment: Attachment) -> None:
    """Raises AttachmentError for a namespace that must not be in a tenant's network."""
    path = _namespace_file(attachment.namespace)
    with suppress(OSError):
        if path.samefile("/proc/self/ns/net"):
            raise AttachmentError(
                f"{attachment.namespace} is the node's own namespace", "attach a container's"
            )
    if attachment.seen and attachment.seen != seen(attachment.namespace):
        raise AttachmentError(
            f"{attachment.namespace} is another namespace now than the one that was attached",
            f"detach it: tnet detach {attachment.tenant}/{attachment.network} {attachment.namespace}",
        )


def seen(namespace: str) -> str:
    """Which namespace stands behind a path of a process: its inode and the boot, because process ids are
    given out again. "" for a namespace that has a name of its own."""
    if not namespace.startswith("/proc/"):
        return ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path(namespace).stat().st_ino}"
    return ""


def _make_port(route: IPRoute, attachment: Attachment, bridge: int) -> None:
    mtu = route.get_links(bridge)[0].get_attr("IFLA_MTU")
    descriptor = os.open(_namespace_file(attachment.namespace), os.O_RDONLY | os.O_CLOEXEC)
    try:
        peer = {"ifname": attachment.interface, "net_ns_fd": descriptor, "mtu": mtu}
        route.link("add", ifname=attachment.port, kind="veth", mtu=mtu, peer=peer)
    except NetlinkError as error:
        raise _refused(attachment, error) from error
    finally:
        os.close(descriptor)


def _enter_bridge(route: IPRoute, attachment: Attachment, bridge: int) -> None:
    index = _index(route, attachment.port)
    route.link("set", index=index, master=bridge, state="up", ifalias=ALIAS + attachment.identity)


def _refused(attachment: Attachment, error: NetlinkError) -> AttachmentError:
    if error.code == errno.EEXIST:
        return AttachmentError(
            f"{attachment.namespace} has an interface {attachment.interface}, or the port exists already",
            "choose another name with --interface",
        )
    return AttachmentError(
        f"{attachment.namespace} can't be attached: {os.strerror(error.code)}", "see the kernel's log"
    )


def _configure(attachment: Attachment) -> None:
    with _namespace(attachment.namespace) as route:
        index = _index(route, attachment.interface)
        if index is None:
            raise AttachmentError(f"{attachment.namespace} has no interface {attachment.interface} any more")
        route.link("set", index=1, state="up")
        route.link("set", index=index, state="up")
        for address in (attachment.ipv4, attachment.ipv6):
            _address(route, index, address)
        _default_route(route, dst="default", gateway=str(attachment.gateway_ipv4))
        _default_route(route, dst="::/0", gateway=str(attachment.gateway_ipv6), family=AF_INET6)


def _address(route: IPRoute, index: int, address: IPv4Interface | IPv6Interface) -> None:
    flags = _NODAD if address.version == 6 else 0
    prefix = address.network.prefixlen
    with _unless_there():
        route.addr("add", index=index, address=str(address.ip), prefixlen=prefix, flags=flags)


def _default_route(route: IPRoute, **arguments: str | int) -> None:
    """A namespace that has a default route keeps it: this network is then one of several."""
    with _unless_there():
        route.route("add", **arguments)


@contextmanager
def _unless_there() -> Iterator[None]:
    try:
        yield
    except NetlinkError as error:
        if error.code != errno.EEXIST:
            raise


def _delete_port(route: IPRoute, attachment: Attachment) -> None:
    index = _index(route, attachment.port)
    if index is not None:
        route.link("del", index=index)


def unplug(attachment: Attachment) -> None:
    """Remove the port, and with it the interface; nothing to do where the network is gone already."""
    if not _namespace_file(namespace_name(attachment.netid)).exists():
        return
    with _namespace(namespace_name(attachment.netid)) as route:
        _delete_port(route, attachment)


def plug_again(attachments: Iterable[Attachment]) -> tuple[tuple[Attachment, str], ...]:
    """Give networks that were built anew their containers back; returns those that could not, with why."""
    failed = []
    for attachment in attachments:
        try:
            if not is_plugged(attachment):
                plug(attachment)
        except (AttachmentError, NetlinkError) as error:
            failed.append((attachment, str(error)))
    return tuple(failed)
