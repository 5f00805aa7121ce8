"""The state of one fake kernel: its namespaces and what is in them.

Everything is kept in dictionaries of immutable values, so a snapshot is a copy of those dictionaries.
The meaning is in the modules beside this one; here is only what there is, and the numbers it gets.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.fake.nft.tables import Table
from reconciler.kernel.fake.records import (
    Addr,
    Fdb,
    FibRoute,
    FibRule,
    Link,
    LoopbackDetails,
    Neigh,
    WireGuardState,
)
from reconciler.kernel.objects import HOST, IPAddress, IPNetwork

HOST_ID = 0
"""The id of the agent's own namespace; named ones get the numbers after it."""

FIRST_INODE = 4026532000

RouteKey = tuple[int, IPNetwork, int, int]
"""Table, destination, TOS, metric: what tells routes apart for the kernel."""

LOCAL_TABLE, MAIN_TABLE, DEFAULT_TABLE = 255, 254, 253


def default_rules() -> tuple[FibRule, ...]:
    """The rules every namespace is born with (fib_default_rules_init, fib6_rules_net_init)."""
    v4 = [
        FibRule(4, p, t, protocol=2)
        for p, t in ((0, LOCAL_TABLE), (32766, MAIN_TABLE), (32767, DEFAULT_TABLE))
    ]
    v6 = [FibRule(6, p, t, protocol=2) for p, t in ((0, LOCAL_TABLE), (32766, MAIN_TABLE))]
    return (*v4, *v6)


@dataclass
class Netns:
    """One network namespace. Links are by index; what hangs on a link is by its device id."""

    id: int
    inode: int
    links: dict[int, Link] = field(default_factory=dict)
    indexes: dict[int, int] = field(default_factory=dict)
    """Device id to index, of the links here."""
    next_index: int = 1
    addresses4: dict[int, tuple[Addr, ...]] = field(default_factory=dict)
    addresses6: dict[int, tuple[Addr, ...]] = field(default_factory=dict)
    routes4: dict[RouteKey, tuple[FibRoute, ...]] = field(default_factory=dict)
    routes6: dict[RouteKey, tuple[FibRoute, ...]] = field(default_factory=dict)
    tables4: frozenset[int] = frozenset()
    """IPv4 tables that have ever had a route: the kernel makes them then and keeps them."""
    custom_rules4: bool = False
    """Whether an IPv4 rule was ever added or deleted."""
    rules: tuple[FibRule, ...] = field(default_factory=default_rules)
    neighbours: dict[tuple[int, IPAddress], Neigh] = field(default_factory=dict)
    fdb: dict[tuple[int, str], tuple[Fdb, ...]] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    """Values that differ from a fresh namespace's, by path below /proc/sys; not those of links."""
    link_sysctls: dict[int, dict[str, str]] = field(default_factory=dict)
    """The same of each device (`ipv4/rp_filter`); the inner dictionaries are replaced, never changed."""
    nft: dict[tuple[str, str], Table] = field(default_factory=dict)
    nft_handle: int = 0
    nft_generation: int = 1
    nsids: dict[int, int] = field(default_factory=dict)
    """Namespace id to the nsid it is known by here (see rtnetlink's peernet2id)."""

    def link(self, index: int) -> Link | None:
        return self.links.get(index)

    def device(self, device: int | None) -> Link | None:
        """The link with that device id, None if it isn't here."""
        index = self.indexes.get(device or -1)
        return None if index is None else self.links[index]

    def put(self, link: Link) -> None:
        """Put a changed link, or a new one, where its index says."""
        self.links[link.index] = link
        self.indexes[link.device] = link.index

    def remove(self, link: Link) -> None:
        del self.links[link.index]
        del self.indexes[link.device]

    def named(self, name: str) -> Link | None:
        return next((link for link in self.links.values() if link.name == name), None)

    def ordered(self) -> list[Link]:
        """As a dump walks them: by index."""
        return [self.links[index] for index in sorted(self.links)]

    def copy(self) -> Netns:
        values = {name: _copied(getattr(self, name)) for name in self.__dataclass_fields__}
        return Netns(**values)


def _copied(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Daemon:
    """A userspace WireGuard: the device it holds, and the namespace its sockets are in."""

    name: str
    device: int
    birth: int


@dataclass
class World:
    """One kernel. `names` leads from /run/netns to namespace ids; HOST has none there."""

    names: dict[str, int] = field(default_factory=dict)
    spaces: dict[int, Netns] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    """Device id to the id of the namespace it is in."""
    wireguards: dict[int, WireGuardState] = field(default_factory=dict)
    daemons: dict[str, Daemon] = field(default_factory=dict)
    next_space: int = HOST_ID
    next_device: int = 1
    handles: dict[int, int] = field(default_factory=dict)
    """Numbers good for IFLA_NET_NS_FD, to namespace ids."""

    def add_space(self) -> Netns:
        space = Netns(self.next_space, FIRST_INODE + self.next_space)
        self.spaces[space.id] = space
        self.next_space += 1
        lo = Link(
            self.new_device(),
            self.new_index(space),
            "lo",
            "loopback",
            "00:00:00:00:00:00",
            65536,
            LoopbackDetails(),
        )
        self.put(space, lo)
        space.link_sysctls[lo.device] = {
            "ipv6/accept_dad": "-1",
            "ipv6/use_tempaddr": "-1",
            "ipv6/mtu": "65536",
            "ipv4/disable_policy": "1",
            "ipv4/disable_xfrm": "1",
        }
        return space

    def space(self, name: str) -> Netns | None:
        """The namespace of that name, HOST for ""; None if there is none."""
        return self.spaces.get(HOST_ID if name == HOST else self.names.get(name, -1))

    def name_of(self, space_id: int) -> str:
        """The name of a namespace, "" for HOST and for one without a name."""
        return next((name for name, known in self.names.items() if known == space_id), HOST)

    def new_device(self) -> int:
        self.next_device += 1
        return self.next_device - 1

    @staticmethod
    def new_index(space: Netns) -> int:
        """As xa_alloc_cyclic: the first free one from where the last search ended."""
        index = next(i for i in itertools.count(space.next_index) if i not in space.links)
        space.next_index = index + 1
        return index

    def put(self, space: Netns, link: Link) -> None:
        """Put a new link, or a changed one, into its namespace."""
        space.put(link)
        self.places[link.device] = space.id

    def find(self, device: int) -> tuple[Netns, Link] | None:
        """Where a device is now; None if it has gone."""
        space = self.spaces.get(self.places.get(device, -1))
        link = None if space is None else space.device(device)
        return None if space is None or link is None else (space, link)

    def devices(self) -> Iterator[tuple[Netns, Link]]:
        for space in self.spaces.values():
            for link in space.ordered():
                yield space, link

    def snapshot(self) -> World:
        """A copy that shares no mutable state with this one."""
        values = {name: _copied(getattr(self, name)) for name in self.__dataclass_fields__}
        values["spaces"] = {key: space.copy() for key, space in self.spaces.items()}
        return World(**values)

    def restore(self, snapshot: World) -> None:
        """Become what `snapshot` was; it can be restored from again."""
        for name, value in vars(snapshot.snapshot()).items():
            setattr(self, name, value)

    def render(self, namespace: str | None = None) -> str:
        """As `ip`, `wg` and `nft` would print it (render.py): equal worlds print the same."""
        from reconciler.kernel.fake.render import render

        return render(self, namespace)
