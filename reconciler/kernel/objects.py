"""The vocabulary: every kind of kernel object that tnet makes, as immutable values.

A value says what an object *is*, never how to make it. Two values with the same `key` are the same
object; they are equal when nothing about it has to change. Nothing here holds a secret: a WireGuard
device is named by its public key, and its private key is looked up where it is handed to the kernel.

Each class also declares what the planner must know of its kind:

`in_place`   fields that can change on the living object; any other difference means delete and create
`loss`       what is lost when it is deleted and created again (shown in the plan), or "" for nothing
`container`  the object whose deletion takes this one along
`needs`      the objects that must exist before this one can be made
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import ClassVar, NamedTuple

IPAddress = IPv4Address | IPv6Address
IPInterface = IPv4Interface | IPv6Interface
IPNetwork = IPv4Network | IPv6Network

HOST = ""
"""The name of the namespace the agent itself runs in: the node's own. All others are named."""

LINK_GROUP = 0x746E
"""IFLA_GROUP of every link that is ours ("tn"); survives a move between namespaces."""

PROTOCOL = 116
"""Origin of our routes, rules and neighbours (rtm_protocol, FRA_PROTOCOL, NDA_PROTOCOL): "t"."""

ALIAS_PREFIX = "tnet:"
"""IFLA_IFALIAS of our links and of `lo` in our namespaces is this, followed by the owner."""

NODE_OWNER = "node"
"""Owner of what serves the node as a whole; every other owner is a network's netid."""

FIRST_INDEX = 1 << 20
"""Interface indexes that we choose start here, far above those the kernel hands out."""


class Key(NamedTuple):
    """The identity of a kernel object: where it lives, of which kind it is, what it is called.

    A tuple, because keys are hashed and ordered for every object of a node in every pass.
    """

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        elsewhere = self.namespace and self.kind != "namespace"
        return f"{self.kind} {self.name}" + (f" in {self.namespace}" if elsewhere else "")


def namespace_key(name: str) -> Key:
    return Key(name, "namespace", name)


def link_key(namespace: str, name: str) -> Key:
    """Links of all kinds share one space of names in a namespace, so they share one kind of key."""
    return Key(namespace, "link", name)


def _in(namespace: str) -> tuple[Key, ...]:
    return () if namespace == HOST else (namespace_key(namespace),)


@dataclass(frozen=True, slots=True)
class Namespace:
    """A named network namespace under /run/netns, `lo` up and carrying the owner as its alias."""

    name: str

    in_place: ClassVar[frozenset[str]] = frozenset()
    loss: ClassVar[str] = "everything in it"

    @property
    def key(self) -> Key:
        return namespace_key(self.name)

    @property
    def container(self) -> Key | None:
        return None

    @property
    def needs(self) -> tuple[Key, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Sysctl:
    """One value under /proc/sys, `path` with slashes: `net/ipv4/conf/all/forwarding`."""

    namespace: str
    path: str
    value: str

    in_place: ClassVar[frozenset[str]] = frozenset({"value"})
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "sysctl", self.path)

    @property
    def link(self) -> str | None:
        """The link that a per-interface value belongs to, None for `all`, `default` and others."""
        parts = self.path.split("/")
        if len(parts) == 5 and parts[2] in ("conf", "neigh") and parts[3] not in ("all", "default"):
            return parts[3]
        return None

    @property
    def container(self) -> Key | None:
        if self.link is not None:
            return link_key(self.namespace, self.link)
        return None if self.namespace == HOST else namespace_key(self.namespace)

    @property
    def needs(self) -> tuple[Key, ...]:
        return () if self.container is None else (self.container,)


class _Link:
    """What links of all kinds share. Every one is in LINK_GROUP and carries its owner's alias.

    `up` is there to be seen as False, of a link that somebody has set down; nobody asks for that.
    """

    __slots__ = ()
    namespace: str
    name: str

    @property
    def key(self) -> Key:
        return link_key(self.namespace, self.name)

    @property
    def container(self) -> Key | None:
        return None if self.namespace == HOST else namespace_key(self.namespace)

    @property
    def needs(self) -> tuple[Key, ...]:
        return _in(self.namespace)


@dataclass(frozen=True, slots=True)
class Bridge(_Link):
    """A bridge; born in its namespace, since a bridge can't be moved."""

    namespace: str
    name: str
    mtu: int
    mac: str
    up: bool = True

    in_place: ClassVar[frozenset[str]] = frozenset({"mtu", "mac", "up"})
    loss: ClassVar[str] = "every port's membership"


@dataclass(frozen=True, slots=True)
class Veth(_Link):
    """The end of a veth pair that makes the pair; the other end is a `VethPeer`."""

    namespace: str
    name: str
    mtu: int
    peer_namespace: str
    peer_name: str
    up: bool = True

    in_place: ClassVar[frozenset[str]] = frozenset({"mtu", "up"})
    loss: ClassVar[str] = "the pair and all on it"

    @property
    def needs(self) -> tuple[Key, ...]:
        return _in(self.namespace) + _in(self.peer_namespace)


@dataclass(frozen=True, slots=True)
class VethPeer(_Link):
    """The other end of a `Veth`: it is born with it and dies with it."""

    namespace: str
    name: str
    mtu: int
    maker_namespace: str
    maker_name: str
    up: bool = True

    in_place: ClassVar[frozenset[str]] = frozenset({"mtu", "up"})
    loss: ClassVar[str] = "the pair and all on it"

    @property
    def container(self) -> Key | None:
        return link_key(self.maker_namespace, self.maker_name)

    @property
    def needs(self) -> tuple[Key, ...]:
        return (link_key(self.maker_namespace, self.maker_name),)


@dataclass(frozen=True, slots=True)
class Vxlan(_Link):
    """A VXLAN device (RFC 7348), static and nolearning. It lives in `namespace`; its UDP socket and
    `underlay_device` are in `underlay_namespace`, where a VNI can exist only once."""

    namespace: str
    name: str
    mtu: int
    mac: str
    vni: int
    local: IPAddress
    port: int
    underlay_namespace: str
    underlay_device: str
    up: bool = True

    in_place: ClassVar[frozenset[str]] = frozenset({"mtu", "mac", "up"})
    loss: ClassVar[str] = "traffic of this link until it is back"


@dataclass(frozen=True, slots=True)
class WireGuard(_Link):
    """A WireGuard device without its peers. It lives in `namespace`; its UDP socket is in
    `underlay_namespace`. `public_key` is base64 and stands for the private key."""

    namespace: str
    name: str
    mtu: int
    public_key: str
    listen_port: int
    underlay_namespace: str
    up: bool = True

    in_place: ClassVar[frozenset[str]] = frozenset({"mtu", "public_key", "listen_port", "up"})
    loss: ClassVar[str] = "the sessions with all peers"


@dataclass(frozen=True, slots=True)
class WireGuardPeer:
    """One peer of a WireGuard device; changed by itself, so that the others keep their sessions.

    `endpoint` is None where the peer dials us (it is behind NAT); an endpoint that the kernel has
    learned from such a peer is no difference. `keepalive_s` is 0 for off.
    """

    namespace: str
    device: str
    public_key: str
    allowed_ips: frozenset[IPNetwork]
    endpoint: tuple[IPAddress, int] | None
    keepalive_s: int

    in_place: ClassVar[frozenset[str]] = frozenset({"allowed_ips", "endpoint", "keepalive_s"})
    loss: ClassVar[str] = "the session with this peer"

    @property
    def key(self) -> Key:
        return Key(self.namespace, "wireguard-peer", f"{self.device} {self.public_key}")

    @property
    def container(self) -> Key | None:
        return link_key(self.namespace, self.device)

    @property
    def needs(self) -> tuple[Key, ...]:
        return (link_key(self.namespace, self.device),)


class _OnLink:
    """What leans on a link, and goes with it."""

    __slots__ = ()
    namespace: str
    link: str

    @property
    def container(self) -> Key | None:
        return link_key(self.namespace, self.link)

    @property
    def needs(self) -> tuple[Key, ...]:
        return (link_key(self.namespace, self.link),)


@dataclass(frozen=True, slots=True)
class Address(_OnLink):
    """An address on a link of ours; IPv6 without duplicate address detection."""

    namespace: str
    link: str
    address: IPInterface

    in_place: ClassVar[frozenset[str]] = frozenset()
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "address", f"{self.address} dev {self.link}")


@dataclass(frozen=True, slots=True)
class Route(_OnLink):
    """A unicast route in the main table with our protocol number.

    `via` is None for a route to the link itself; with `onlink` the next hop needs no address of ours
    beside it (a static `Neighbour` answers for it). `source` is the preferred source address.
    """

    namespace: str
    destination: IPNetwork
    link: str
    via: IPAddress | None = None
    onlink: bool = False
    source: IPAddress | None = None

    in_place: ClassVar[frozenset[str]] = frozenset({"link", "via", "onlink", "source"})
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "route", str(self.destination))


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy routing rule: packets from `source` (all if None) look up `table`."""

    namespace: str
    family: int
    priority: int
    table: int
    source: IPNetwork | None = None

    in_place: ClassVar[frozenset[str]] = frozenset()
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "rule", f"ipv{self.family} {self.priority}")

    @property
    def container(self) -> Key | None:
        return None if self.namespace == HOST else namespace_key(self.namespace)

    @property
    def needs(self) -> tuple[Key, ...]:
        return _in(self.namespace)


@dataclass(frozen=True, slots=True)
class Neighbour(_OnLink):
    """A permanent neighbour: this address on this link has this MAC."""

    namespace: str
    link: str
    address: IPAddress
    mac: str

    in_place: ClassVar[frozenset[str]] = frozenset({"mac"})
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "neighbour", f"{self.address} dev {self.link}")


@dataclass(frozen=True, slots=True)
class FdbEntry(_OnLink):
    """A static entry of a VXLAN device: frames to `mac` go to the tunnel end point `remote`."""

    namespace: str
    link: str
    mac: str
    remote: IPAddress

    in_place: ClassVar[frozenset[str]] = frozenset({"remote"})
    loss: ClassVar[str] = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, "fdb", f"{self.mac} dev {self.link}")
