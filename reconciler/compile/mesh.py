"""How a network's NRs reach each other: which kind of link, and through whom.

Two NRs are linked directly

- by VXLAN, if both nodes are in one farm's fast network, else
- by WireGuard, if at least one of them is public; a hidden one dials and keeps its NAT open.

Otherwise the first of the network's relays to which both are linked directly carries what they send each
other. All three are symmetric, so that both ends come to the same answer from the same ledger; and
none depends on a third NR that is not in `relays`, so adding a NR never changes how two others are linked.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.compile.member import Member

LinkKind = Literal["vxlan", "wireguard"]

KEEPALIVE_S = 25
"""Who dials sends at least every so many seconds; home routers forget a flow after 30."""


def dials(here: Member, there: Member) -> bool:
    """Whether `here` opens the session with `there` and keeps it open: a hidden one does, and of two public
    ones that with the lower index.

    Two ends that begin in the same moment each answer the other and give up their own beginning; they try
    again five seconds later (REKEY_TIMEOUT), and meet again as long as both send in step. So one begins,
    before there is traffic.
    """
    return there.public and (not here.public or here.index < there.index)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A NR that is linked directly, and the NRs that are reached through it."""

    member: Member
    kind: LinkKind
    behind: tuple[Member, ...] = ()

    @property
    def carried(self) -> tuple[Member, ...]:
        """Everyone whose packets come and go over this link: the neighbour first."""
        return (self.member, *self.behind)


@dataclass(frozen=True, slots=True)
class Mesh:
    """One NR's view of its network; everything sorted by index.

    `relaying` says that this NR has to forward between other NRs.
    """

    me: Member
    neighbours: tuple[Neighbour, ...]
    unreachable: tuple[Member, ...]
    relaying: bool

    def of_kind(self, kind: LinkKind) -> tuple[Neighbour, ...]:
        return tuple(neighbour for neighbour in self.neighbours if neighbour.kind == kind)


def direct_link(left: Member, right: Member) -> LinkKind | None:
    """How the two are linked, None if they are not. Symmetric."""
    if left.fast is not None and left.fast == right.fast:
        return "vxlan"
    return "wireguard" if left.public or right.public else None


def relay_between(left: Member, right: Member, relays: Iterable[Member]) -> Member | None:
    """The first of `relays` to which both are linked directly. Symmetric."""
    for relay in relays:
        if relay.index in (left.index, right.index):
            continue
        if direct_link(left, relay) is not None and direct_link(right, relay) is not None:
            return relay
    return None


def present_relays(members: Iterable[Member], relays: Iterable[str]) -> tuple[Member, ...]:
    """The relays that have a NR which is not suspended, in the order of the network's `relays`."""
    by_node = {member.node: member for member in members}
    return tuple(by_node[node] for node in dict.fromkeys(relays) if node in by_node)


def mesh_of(me: Member, members: Sequence[Member], relays: Iterable[str]) -> Mesh:
    """How `me` reaches all the others of `members`, which has one entry a node and includes `me`."""
    present = present_relays(members, relays)
    direct: dict[int, LinkKind] = {}
    behind: dict[int, list[Member]] = {}
    unreachable: list[Member] = []
    for other in sorted(members, key=lambda member: member.index):
        if other.index == me.index:
            continue
        kind = direct_link(me, other)
        if kind is not None:
            direct[other.index] = kind
        elif (relay := relay_between(me, other, present)) is not None:
            behind.setdefault(relay.index, []).append(other)
        else:
            unreachable.append(other)
    by_index = {member.index: member for member in members}
    neighbours = tuple(
        Neighbour(by_index[index], kind, tuple(behind.get(index, ()))) for index, kind in direct.items()
    )
    return Mesh(me, neighbours, tuple(unreachable), _relaying(me, members, present))


def _relaying(me: Member, members: Iterable[Member], relays: Sequence[Member]) -> bool:
    """Whether any two others, not linked directly, meet at `me`."""
    if all(relay.index != me.index for relay in relays):
        return False
    hidden = [member for member in members if not member.public and member.index != me.index]
    return any(
        direct_link(left, right) is None and _meet_at(me, left, right, relays)
        for left, right in itertools.combinations(_samples(hidden, relays), 2)
    )


def _meet_at(me: Member, left: Member, right: Member, relays: Sequence[Member]) -> bool:
    relay = relay_between(left, right, relays)
    return relay is not None and relay.index == me.index


def _samples(hidden: Iterable[Member], relays: Sequence[Member]) -> Iterator[Member]:
    """Two of each sort of hidden NR. They differ only in their fast segment and in the relays they are
    linked to, so looking at pairs of these few tells what looking at all pairs would."""
    taken: Counter[Hashable] = Counter()
    own = {relay.index for relay in relays}
    for member in hidden:
        linked = tuple(direct_link(member, relay) is not None for relay in relays)
        sort = (member.fast, linked, member.index if member.index in own else 0)
        taken[sort] += 1
        if taken[sort] <= 2:
            yield member
