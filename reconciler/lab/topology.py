"""The lab's farm, as data: which machines there are, how they are cabled and addressed.

Two farms. `paris` has p1 and p2, on one LAN and with a fast network of their own between them; `lyon` has
l1, public, and l2, hidden behind the NAT router `box` beside a LAN host. `internet` routes between the
farms and `outside`, a host that has nothing to do with any of them. All addresses are for documentation
(RFC 5737, RFC 3849) or private (RFC 1918, RFC 4193).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import Literal

Role = Literal["node", "router", "host"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface: on its own, or a bridge with `ports`. Addresses are `address/length`."""

    name: str
    addresses: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A routing table of its own for packets that carry `mark`: everything goes by way of this neighbour.

    With it a machine can throw packets for addresses that nobody announces at a node, as an attacker
    on the same wire would.
    """

    mark: int
    name: str
    via: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine: its role, interfaces, default gateways, and what makes a router of it."""

    name: str
    role: Role
    interfaces: tuple[Interface, ...]
    gateways: tuple[str, ...] = ()
    masquerade: str = ""
    tables: tuple[Table, ...] = ()
    farm: str = ""

    @property
    def node(self) -> str:
        """The node's name in the ledger, `<farm>/<node>`."""
        return f"{self.farm}/{self.name}"

    def addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """Every address of the machine, without prefix lengths."""
        found = (address for interface in self.interfaces for address in interface.addresses)
        return tuple(ip_interface(address).ip for address in found)


@dataclass(frozen=True, slots=True)
class Cable:
    """A wire (a veth pair) between two interfaces, each given as (machine, interface or port)."""

    left: tuple[str, str]
    right: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Topology:
    machines: tuple[Machine, ...]
    cables: tuple[Cable, ...]

    def machine(self, name: str) -> Machine:
        """Raises KeyError if there is none of that name."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)

    @property
    def nodes(self) -> tuple[Machine, ...]:
        return tuple(machine for machine in self.machines if machine.role == "node")


UPLINK = "eth0"
FAST = "fast0"

FAST_ADDRESSES = {"p1": "10.99.0.1", "p2": "10.99.0.2"}

INTERNET = Machine(
    "internet",
    "router",
    (
        Interface("paris", ("192.0.2.1/24", "2001:db8:1::1/64", "2001:db8:2::1/64"), ("p1", "p2")),
        Interface("lyon", ("198.51.100.1/24", "2001:db8:3::1/64"), ("l1", "box")),
        Interface("far", ("203.0.113.1/24", "2001:db8:ffff::1/64")),
    ),
    tables=(
        Table(1, "p1", ("192.0.2.10", "2001:db8:1::10")),
        Table(2, "p2", ("192.0.2.20", "2001:db8:2::10")),
        Table(3, "l1", ("198.51.100.10", "2001:db8:3::10")),
    ),
)

P1 = Machine(
    "p1",
    "node",
    (
        Interface(UPLINK, ("192.0.2.10/24", "2001:db8:1::10/64")),
        Interface(FAST, (f"{FAST_ADDRESSES['p1']}/24",)),
    ),
    gateways=("192.0.2.1", "2001:db8:1::1"),
    farm="paris",
)

P2 = Machine(
    "p2",
    "node",
    (
        Interface(UPLINK, ("192.0.2.20/24", "2001:db8:2::10/64")),
        Interface(FAST, (f"{FAST_ADDRESSES['p2']}/24",)),
    ),
    gateways=("192.0.2.1", "2001:db8:2::1"),
    farm="paris",
)

L1 = Machine(
    "l1",
    "node",
    (Interface(UPLINK, ("198.51.100.10/24", "2001:db8:3::10/64")),),
    gateways=("198.51.100.1", "2001:db8:3::1"),
    farm="lyon",
)

BOX = Machine(
    "box",
    "router",
    (
        Interface("wan", ("198.51.100.20/24", "2001:db8:3::20/64")),
        Interface("lan", ("192.168.77.1/24", "fd77::1/64"), ("l2", "lanhost")),
    ),
    gateways=("198.51.100.1", "2001:db8:3::1"),
    masquerade="wan",
)

L2 = Machine(
    "l2",
    "node",
    (Interface(UPLINK, ("192.168.77.10/24", "fd77::10/64")),),
    gateways=("192.168.77.1", "fd77::1"),
    farm="lyon",
)

LANHOST = Machine(
    "lanhost",
    "host",
    (Interface("eth0", ("192.168.77.50/24", "fd77::50/64")),),
    gateways=("192.168.77.1", "fd77::1"),
    tables=(Table(4, "l2", ("192.168.77.10", "fd77::10")),),
)

OUTSIDE = Machine(
    "outside",
    "host",
    (Interface("eth0", ("203.0.113.10/24", "2001:db8:ffff::10/64")),),
    gateways=("203.0.113.1", "2001:db8:ffff::1"),
)

FARM = Topology(
    machines=(INTERNET, P1, P2, L1, BOX, L2, LANHOST, OUTSIDE),
    cables=(
        Cable(("p1", UPLINK), ("internet", "p1")),
        Cable(("p2", UPLINK), ("internet", "p2")),
        Cable(("l1", UPLINK), ("internet", "l1")),
        Cable(("box", "wan"), ("internet", "box")),
        Cable(("outside", "eth0"), ("internet", "far")),
        Cable(("l2", UPLINK), ("box", "l2")),
        Cable(("lanhost", "eth0"), ("box", "lanhost")),
        Cable(("p1", FAST), ("p2", FAST)),
    ),
)

NAT_ADDRESSES = tuple(address.split("/")[0] for address in BOX.interfaces[0].addresses)
"""Where the nodes behind a NAT router are seen to come from."""
