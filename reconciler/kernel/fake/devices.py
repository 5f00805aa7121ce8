"""A network device's life: it is born, goes up and down, moves to another namespace, and dies.

What each of these does to addresses, routes, neighbours, forwarding entries and to other devices is here,
so that every way there (a message, a namespace's end, a daemon's death) does the same.
"""

from __future__ import annotations

import errno
from dataclasses import replace

from reconciler.kernel.fake import carrier, fib4, fib6, ipv4, ipv6, sysctls
from reconciler.kernel.fake.records import (
    Addr,
    BridgeDetails,
    Details,
    Link,
    VethDetails,
    VxlanDetails,
)
from reconciler.kernel.fake.refusals import NotModelled, Refused
from reconciler.kernel.fake.world import Netns, World
from reconciler.kernel.objects import IPAddress

NUD_PERMANENT, NUD_NOARP = 0x80, 0x40


# --- names and numbers -------------------------------------------------------------------------------


def check_name(name: str) -> None:
    """dev_valid_name. Raises Refused EINVAL."""
    if "%" in name:
        raise NotModelled(f"a pattern as a link name: {name}")
    bad = not name or len(name) > 15 or name in (".", "..") or any(c in "/:" or c.isspace() for c in name)
    if bad:
        raise Refused(errno.EINVAL)


def free_name(space: Netns, pattern: str) -> str:
    """The first of pattern0, pattern1, ... that no link here has."""
    taken = {link.name for link in space.links.values()}
    return next(name for n in range(1 << 16) if (name := f"{pattern}{n}") not in taken)


def reserve_index(world: World, space: Netns, wanted: int) -> int:
    """dev_index_reserve: the index asked for, or with 0 the next free one. Raises Refused EBUSY."""
    if wanted in space.links:
        raise Refused(errno.EBUSY)
    return wanted or world.new_index(space)


def made_up_mac(world: World) -> str:
    """Where Linux takes a random address, the fake counts."""
    return ":".join(f"{octet:02x}" for octet in (0x02FA_0000_0000 + world.next_device).to_bytes(6, "big"))


# --- born --------------------------------------------------------------------------------------------


def register(world: World, space: Netns, link: Link) -> Link:
    """Put a device with a reserved index into its namespace."""
    world.put(space, link)
    sysctls.inherit(space, link)
    return link


# --- up and down ---------------------------------------------------------------------------------------


def set_up(world: World, space: Netns, link: Link) -> None:
    if isinstance(link.details, VethDetails) and world.find(link.details.peer) is None:
        raise Refused(errno.ENOTCONN)
    link = replace(link, up=True)
    world.put(space, link)
    if link.kind == "loopback" and link.device not in space.addresses4:
        _loopback_address(space, link)
    for address in space.addresses4.get(link.device, ()):
        ipv4.connect(space, link, address)
    ipv6.link_up(space, link)
    if isinstance(link.details, BridgeDetails):
        _bridge_opened(world, space, link)
    carrier.refresh(world, link.device)


def _loopback_address(space: Netns, link: Link) -> None:
    from ipaddress import IPv4Interface

    address = Addr(
        link.device,
        IPv4Interface("127.0.0.1/8"),
        ipv4.RT_SCOPE_HOST,
        ipv4.IFA_F_PERMANENT,
        label="lo",
    )
    ipv4.add(space, link, address, replacing=False)


def _bridge_opened(world: World, space: Netns, link: Link) -> None:
    """br_stp_enable_bridge looks at the ports, if there are any that are up."""
    if any(port.master == link.device and port.up and port.carrier for port in space.links.values()):
        carrier.recount(world, link.device)


def set_down(world: World, space: Netns, link: Link) -> None:
    link = replace(link, up=False, ready=False)
    world.put(space, link)
    fib4.drop_device(space, link.device, local_too=False)
    ipv6.link_down(space, link)
    drop_neighbours(space, link.device)
    if isinstance(link.details, VxlanDetails):
        _drop_learned(space, link.device)
    if isinstance(link.details, BridgeDetails) and _ports(space, link):
        carrier.recount(world, link.device)
    carrier.refresh(world, link.device)


def _ports(space: Netns, bridge: Link) -> list[Link]:
    return [link for link in space.links.values() if link.master == bridge.device]


def drop_neighbours(space: Netns, device: int) -> None:
    for key in [key for key in space.neighbours if key[0] == device]:
        del space.neighbours[key]


def _drop_learned(space: Netns, device: int) -> None:
    """vxlan_stop keeps what is permanent or needs no ARP."""
    for key, entries in list(space.fdb.items()):
        if key[0] == device and not entries[0].state & (NUD_PERMANENT | NUD_NOARP):
            del space.fdb[key]


# --- ports -------------------------------------------------------------------------------------------


def enslave(world: World, space: Netns, link: Link, master: Link | None) -> None:
    """do_set_master. Raises Refused EINVAL, ELOOP, EBUSY."""
    if link.master is not None:
        release(world, space, link)
        link = space.links[link.index]
    if master is None:
        return
    if not isinstance(master.details, BridgeDetails):
        raise Refused(errno.EOPNOTSUPP)
    _check_port(link)
    world.put(space, replace(link, master=master.device))
    _adopt_mac(world, space, master.device)
    follow_mtu(world, space, master.device)
    carrier.recount(world, master.device)


def _check_port(link: Link) -> None:
    """br_add_if: no loopback, nothing without an Ethernet header, no bridge in a bridge."""
    if link.kind == "loopback" or not link.mac:
        raise Refused(errno.EINVAL)
    if isinstance(link.details, BridgeDetails):
        raise Refused(errno.ELOOP, "Can not enslave a bridge to a bridge")


def release(world: World, space: Netns, link: Link) -> None:
    """br_del_if."""
    bridge = link.master
    world.put(space, replace(link, master=None))
    if bridge is not None:
        _adopt_mac(world, space, bridge)
        follow_mtu(world, space, bridge)
        carrier.recount(world, bridge)


def _adopt_mac(world: World, space: Netns, bridge: int) -> None:
    """A bridge whose address nobody chose takes the lowest of its ports' (br_stp_recalculate_bridge_id)."""
    found = world.find(bridge)
    if found is None or not found[1].random_mac:
        return
    macs = [port.mac for port in _ports(space, found[1])]
    mac = min(macs) if macs else "00:00:00:00:00:00"
    world.put(space, replace(found[1], mac=mac))


def follow_mtu(world: World, space: Netns, bridge: int) -> None:
    """br_mtu_auto_adjust: the least of the ports', 1500 without any, unless somebody has changed it."""
    link = space.device(bridge)
    if link is not None and not link.mtu_chosen:
        world.put(space, replace(link, mtu=min((port.mtu for port in _ports(space, link)), default=1500)))


def set_mac(world: World, space: Netns, link: Link, mac: str) -> None:
    """Raises Refused EADDRNOTAVAIL. A change of address forgets every neighbour of the link."""
    check_mac(mac)
    if not link.mac:
        raise Refused(errno.EOPNOTSUPP)
    changed = replace(link, mac=mac, random_mac=False)
    world.put(space, changed)
    drop_neighbours(space, link.device)
    if isinstance(link.details, BridgeDetails) and mac != link.mac:
        carrier.recount(world, link.device)
    if link.master is not None:
        _adopt_mac(world, space, link.master)


def check_mac(mac: str) -> None:
    octets = bytes.fromhex(mac.replace(":", ""))
    if octets[0] & 1 or not any(octets):
        raise Refused(errno.EADDRNOTAVAIL)


# --- moving and dying ----------------------------------------------------------------------------------


def move(world: World, space: Netns, link: Link, target: Netns, name: str | None, index: int) -> Link:
    """__dev_change_net_namespace. Raises Refused EINVAL, EEXIST, EBUSY."""
    if isinstance(link.details, BridgeDetails) or link.kind == "loopback":
        raise Refused(errno.EINVAL, "The interface netns is immutable")
    if target is space:
        return link
    new_name = _name_there(link, target, name)
    new_index = _index_there(world, link, target, index)
    _leave(world, space, link)
    space.remove(link)
    moved = replace(link, name=new_name, index=new_index, up=False, ready=False, master=None)
    _carry_fdb(space, target, link)
    register(world, target, moved)
    carrier.refresh(world, link.device)
    return target.links[new_index]


def _name_there(link: Link, target: Netns, wanted: str | None) -> str:
    """The name is kept where it is free there; the one asked for is used only where it isn't."""
    if target.named(link.name) is None:
        return link.name
    if wanted is None or target.named(wanted) is not None:
        raise Refused(errno.EEXIST, "An interface with the same name exists in the target netns")
    return wanted


def _index_there(world: World, link: Link, target: Netns, wanted: int) -> int:
    if wanted:
        if wanted in target.links:
            raise Refused(errno.EBUSY, f"The ifindex {wanted} is not available in the target netns")
        return wanted
    return link.index if link.index not in target.links else world.new_index(target)


def _leave(world: World, space: Netns, link: Link) -> None:
    """What NETDEV_UNREGISTER does here, when a device moves away as when it dies."""
    if link.up:
        set_down(world, space, link)
    if space.links[link.index].master is not None:
        release(world, space, space.links[link.index])
    for address in space.addresses4.pop(link.device, ()):
        ipv4.disconnect(space, link, address, ())
    for address in space.addresses6.pop(link.device, ()):
        if all(one.address.ip != address.address.ip for one in ipv6.all_addresses(space)):
            fib6.forget_source(space, address.address.ip)
    fib4.drop_device(space, link.device, local_too=True)
    fib6.drop_device(space, link.device)
    drop_neighbours(space, link.device)
    space.link_sysctls.pop(link.device, None)


def _carry_fdb(space: Netns, target: Netns, link: Link) -> None:
    """A VXLAN device's forwarding entries belong to the device and move with it."""
    for key in [key for key in space.fdb if key[0] == link.device]:
        target.fdb[key] = space.fdb.pop(key)


def unregister(world: World, device: int) -> None:
    """The end of a device, and of those that can't be without it."""
    found = world.find(device)
    if found is None:
        return
    space, link = found
    for port in _ports(space, link):
        release(world, space, space.links[port.index])
    _leave(world, space, link)
    space.remove(link)
    del world.places[device]
    for key in [key for key in space.fdb if key[0] == device]:
        del space.fdb[key]
    world.wireguards.pop(device, None)
    _followers(world, space, link)


def _followers(world: World, space: Netns, link: Link) -> None:
    if isinstance(link.details, VethDetails):
        unregister(world, link.details.peer)
    for _, other in list(world.devices()):
        if isinstance(other.details, VxlanDetails) and other.details.link == link.device:
            unregister(world, other.device)
    _end_daemon(world, link.device)


def _end_daemon(world: World, device: int) -> None:
    """A userspace WireGuard ends when its TUN device goes."""
    for name in [name for name, daemon in world.daemons.items() if daemon.device == device]:
        del world.daemons[name]


def end_space(world: World, space: Netns) -> None:
    """A namespace's end: its devices, and the VXLAN devices and daemons whose sockets were in it."""
    for link in list(space.links.values()):
        if link.kind != "loopback":
            unregister(world, link.device)
    for _, link in list(world.devices()):
        if isinstance(link.details, VxlanDetails) and link.details.birth == space.id:
            unregister(world, link.device)
    for name in [name for name, daemon in world.daemons.items() if daemon.birth == space.id]:
        unregister(world, world.daemons[name].device)
    for link in list(space.links.values()):
        world.places.pop(link.device, None)
    del world.spaces[space.id]
    for other in world.spaces.values():
        other.nsids.pop(space.id, None)


def same_vni(world: World, details: VxlanDetails, but: int = -1) -> bool:
    """Whether a VXLAN device born where this one is has its VNI and port already (vxlan_vni_in_use)."""
    return any(
        isinstance(other.details, VxlanDetails)
        and other.device != but
        and (other.details.birth, other.details.vni, other.details.port)
        == (details.birth, details.vni, details.port)
        and _family(other.details.local) == _family(details.local)
        for _, other in world.devices()
    )


def _family(address: IPAddress | None) -> int:
    return 4 if address is None else address.version


def born(details: Details) -> int | None:
    """The namespace that IFLA_LINK_NETNSID tells of, for kinds whose sockets stay where they were born."""
    if isinstance(details, VxlanDetails):
        return details.birth
    return None
