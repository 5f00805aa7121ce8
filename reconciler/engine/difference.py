"""What differs between the objects that were seen and the objects that are wanted, and what one
difference drags along: content goes with its container, a veth's ends live and die together, and who
claims what a leaving object holds must wait until it is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.engine.claims import Claim, claims
from reconciler.engine.comparison import changes_in_place, same
from reconciler.kernel.graph import KernelObject
from reconciler.kernel.objects import Key, Sysctl, Veth, VethPeer, link_key

Objects = Mapping[Key, KernelObject]


@dataclass(frozen=True, slots=True)
class Replacement:
    """An object that is taken away in phase 1: deleted first, then (unless `after` is None) made again.

    `loss` is what that costs. `because` names the object on whose account it goes: the container that
    takes it along, the other end of a veth, or the one that claims what it holds; None if it can't
    become `after` in place.
    """

    before: KernelObject
    after: KernelObject | None
    because: Key | None = None

    @property
    def key(self) -> Key:
        return self.before.key

    @property
    def loss(self) -> str:
        return self.before.loss


@dataclass(slots=True)
class Difference:
    """What to make, change, make again and delete. `delete_first` and `deleted` hold only what needs a
    deletion of its own; `claimants` are those that wait for something in `delete_first`."""

    before: Objects
    added: dict[Key, KernelObject] = field(default_factory=dict)
    changed: dict[Key, KernelObject] = field(default_factory=dict)
    remade: dict[Key, Replacement] = field(default_factory=dict)
    evicted: dict[Key, Replacement] = field(default_factory=dict)
    claimants: set[Key] = field(default_factory=set)
    delete_first: dict[Key, KernelObject] = field(default_factory=dict)
    deleted: dict[Key, KernelObject] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.added or self.changed or self.remade or self.deleted)

    def made(self) -> Iterator[tuple[Key, KernelObject]]:
        """All that is made or changed, as it shall be."""
        yield from self.added.items()
        yield from self.changed.items()
        for key, item in self.remade.items():
            if item.after is not None:
                yield key, item.after

    @property
    def replacements(self) -> tuple[Replacement, ...]:
        """All that is disturbed, ordered by key."""
        return tuple(item for _, item in sorted({**self.remade, **self.evicted}.items()))


def difference(wanted: Objects, seen: Objects) -> Difference:
    """Compare by key and value, then follow the consequences."""
    diff = Difference(seen)
    _compare(diff, wanted)
    # Nobody knows what a sysctl was before it was ours, so one that is wanted no more is left alone.
    diff.deleted = {
        key: item for key, item in seen.items() if key not in wanted and not isinstance(item, Sysctl)
    }
    if diff.remade or diff.added:
        _join_veth_ends(diff, wanted)
    if diff.deleted:
        _evict(diff)
    if diff.remade or diff.evicted or diff.deleted:
        _follow_containers(diff, wanted)
    return diff


def _compare(diff: Difference, wanted: Objects) -> None:
    for key, item in wanted.items():
        before = diff.before.get(key)
        if before is None:
            diff.added[key] = item
        elif not same(before, item):
            if changes_in_place(before, item):
                diff.changed[key] = item
            else:
                diff.remade[key] = Replacement(before, item)


def _join_veth_ends(diff: Difference, wanted: Objects) -> None:
    """Neither end can be made beside an old other end."""
    for key in [*diff.added, *diff.remade]:
        other = _other_end(wanted[key])
        if other is not None and other in diff.before and other in wanted and other not in diff.remade:
            diff.remade[other] = Replacement(diff.before[other], wanted[other], because=key)
            diff.changed.pop(other, None)
            diff.claimants.add(key)


def _other_end(item: KernelObject) -> Key | None:
    match item:
        case Veth():
            return link_key(item.peer_namespace, item.peer_name)
        case VethPeer():
            return link_key(item.maker_namespace, item.maker_name)
        case _:
            return None


def _evict(diff: Difference) -> None:
    """Send ahead what leaves while something new claims what it holds."""
    held: dict[Claim, Key] = {claim: key for key, item in diff.deleted.items() for claim in claims(item)}
    if not held:
        return
    for key, item in diff.made():
        for claim in claims(item):
            holder = held.get(claim)
            if holder is not None:
                diff.evicted[holder] = Replacement(diff.deleted[holder], None, because=key)
                diff.claimants.add(key)


def _follow_containers(diff: Difference, wanted: Objects) -> None:
    first = diff.remade.keys() | diff.evicted.keys()
    roots = first | diff.deleted.keys()
    diff.delete_first = {key: diff.before[key] for key in first if not _within(key, diff.before, first)}
    if first:
        _make_content_again(diff, wanted, frozenset(first))
    diff.deleted = {
        key: item
        for key, item in diff.deleted.items()
        if key not in first and not _within(key, diff.before, roots)
    }


def _make_content_again(diff: Difference, wanted: Objects, first: frozenset[Key]) -> None:
    """What stays inside an object that is made again has to be made again too. What moves out of it
    in place (a route to another link) moves before, and is not lost."""
    for key, item in diff.before.items():
        if key not in wanted or key in diff.remade or not _within(key, diff.before, first):
            continue
        stays_in = _within(key, wanted, first)
        if stays_in is not None:
            diff.remade[key] = Replacement(item, wanted[key], because=stays_in)
            diff.changed.pop(key, None)


def _within(key: Key, objects: Objects, containers: set[Key] | frozenset[Key]) -> Key | None:
    """The nearest of `containers` that holds `key`, directly or not."""
    item = objects.get(key)
    while item is not None and item.container is not None:
        if item.container in containers:
            return item.container
        item = objects.get(item.container)
    return None
