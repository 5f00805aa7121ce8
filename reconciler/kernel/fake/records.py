"""What a kernel holds, as immutable records. The world keeps them in dictionaries and replaces them whole,
so that a snapshot is a copy of dictionaries and two states can be compared by value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from reconciler.kernel.objects import IPAddress, IPInterface, IPNetwork


@dataclass(frozen=True, slots=True)
class BridgeDetails:
    pass


@dataclass(frozen=True, slots=True)
class LoopbackDetails:
    pass


@dataclass(frozen=True, slots=True)
class VethDetails:
    """`peer` is the device id of the other end."""

    peer: int


@dataclass(frozen=True, slots=True)
class VxlanDetails:
    """`birth` is the namespace id whose UDP socket it uses, `link` the underlay device's id (None: any)."""

    vni: int
    local: IPAddress | None
    port: int
    learning: bool
    birth: int
    link: int | None


@dataclass(frozen=True, slots=True)
class WireGuardDetails:
    """`birth` is the namespace id that its UDP socket is in. The configuration is in `World.wireguards`."""

    birth: int


@dataclass(frozen=True, slots=True)
class TunDetails:
    """A TUN device, made and held open by a userspace daemon."""

    birth: int


Details = BridgeDetails | LoopbackDetails | VethDetails | VxlanDetails | WireGuardDetails | TunDetails


@dataclass(frozen=True, slots=True)
class Link:
    """A network device. `device` names it for its whole life, also across moves between namespaces."""

    device: int
    index: int
    name: str
    kind: str
    mac: str
    mtu: int
    details: Details
    up: bool = False
    group: int = 0
    alias: str = ""
    master: int | None = None
    """The device id of the bridge it is a port of."""
    noarp: bool = False
    promiscuous: bool = False
    carrier: bool = True
    ready: bool = False
    """Whether it was up and had its carrier since it was last set up (IF_READY)."""
    mtu_chosen: bool = False
    """Whether somebody changed a bridge's MTU: until then it follows its ports'."""
    random_mac: bool = False
    """Whether the kernel chose `mac`: a bridge with such a one takes its lowest port's."""


@dataclass(frozen=True, slots=True)
class Addr:
    """An address on a device, as IFA_* tells it."""

    device: int
    address: IPInterface
    scope: int
    flags: int
    broadcast: IPAddress | None = None
    label: str = ""
    protocol: int = 0
    peer: IPAddress | None = None
    """IFA_ADDRESS where it differs from IFA_LOCAL."""
    metric: int = 0


class RouteType(IntEnum):
    """rtm_type (linux/rtnetlink.h)."""

    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    ANYCAST = 4
    MULTICAST = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8


@dataclass(frozen=True, slots=True)
class FibRoute:
    """A route. `device` is None only for the types that drop."""

    table: int
    destination: IPNetwork
    tos: int
    metric: int
    type: RouteType
    device: int | None
    via: IPAddress | None = None
    source: IPAddress | None = None
    protocol: int = 0
    scope: int = 0
    onlink: bool = False
    mtu: int = 0
    nexthop_scope: int = 0
    """IPv4: the scope the next hop was found in (RT_SCOPE_NOWHERE: a local address)."""
    ra_pref: int = 0


@dataclass(frozen=True, slots=True)
class FibRule:
    family: int
    priority: int
    table: int
    action: int = 1
    source: IPNetwork | None = None
    destination: IPNetwork | None = None
    iif: str = ""
    oif: str = ""
    mark: int = 0
    mask: int = 0
    protocol: int = 0
    invert: bool = False


@dataclass(frozen=True, slots=True)
class Neigh:
    device: int
    address: IPAddress
    mac: str
    state: int
    flags: int = 0
    protocol: int = 0


@dataclass(frozen=True, slots=True)
class Fdb:
    """One remote of a VXLAN device's forwarding entry."""

    device: int
    mac: str
    remote: IPAddress
    state: int
    flags: int
    port: int = 0
    vni: int = 0
    via: int = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """A WireGuard peer; its preshared key is not kept where it could be printed."""

    public_key: str
    endpoint: tuple[IPAddress, int] | None = None
    keepalive_s: int = 0
    allowed_ips: frozenset[IPNetwork] = frozenset()
    preshared_key: bytes = field(default=bytes(32), repr=False)


@dataclass(frozen=True, slots=True)
class WireGuardState:
    """The configuration of a WireGuard device, kernel or userspace."""

    private_key: bytes = field(default=b"", repr=False)
    public_key: str = ""
    listen_port: int = 0
    fwmark: int = 0
    peers: tuple[Peer, ...] = ()
