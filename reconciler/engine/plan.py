"""The plan: what has to be done to one owner's objects, as data that can be printed, kept and refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.engine.clash import Clash, find_clashes
from reconciler.engine.difference import Difference, Replacement, difference
from reconciler.engine.order import batches, creation_order, needs_of, reversed_needs
from reconciler.kernel.graph import Graph, KernelObject, Observed
from reconciler.kernel.objects import Key
from reconciler.kernel.port import Operation

Batch = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What turns what was seen of one owner into what it should have.

    `phase_1` adds and changes, and can be undone; deletions in it are the first halves of
    replacements, and only those disturb traffic. `phase_2` deletes what is wanted no more; content goes
    with its container, without an operation of its own. Batches are carried out in order. A plan with
    clashes has no operations.

    `desired` and `previous` (what was seen) let whoever applies the plan check it and take it back.
    """

    desired: Graph
    previous: tuple[KernelObject, ...] = ()
    phase_1: tuple[Batch, ...] = ()
    phase_2: tuple[Batch, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    clashes: tuple[Clash, ...] = ()

    @property
    def owner(self) -> str:
        return self.desired.owner

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do and nothing in the way."""
        return not (self.phase_1 or self.phase_2 or self.clashes)

    @property
    def disruptive(self) -> bool:
        """Whether something that stays is taken away for a moment."""
        return bool(self.replacements)

    def operations(self) -> Iterable[Operation]:
        """Every operation, in the order of execution."""
        for batch in self.phase_1 + self.phase_2:
            yield from batch

    def render(self, *, colour: bool = False, title: str = "") -> str:
        """For a person, in the manner of `terraform plan`."""
        from reconciler.engine.render import render

        return render(self, colour=colour, title=title)

    def to_builtins(self) -> dict[str, Any]:
        """For a program: JSON types only, as docs/spec/plan.md describes."""
        from reconciler.engine.render import to_builtins

        return to_builtins(self)


def plan(desired: Graph, observed: Observed) -> Plan:
    """The least that makes `observed` what `desired` says, for the owner of `desired` alone.

    Pure: equal arguments give equal plans. Raises CircularNeed if the graph can't be made in any order.
    """
    seen = observed.of(desired.owner)
    wanted = desired.by_key()
    if seen == wanted:
        return Plan(desired)
    diff = difference(wanted, seen)
    if diff.empty:
        return Plan(desired)
    clashes = find_clashes(desired.owner, wanted, diff.added, observed)
    if clashes:
        return Plan(desired, clashes=clashes)
    return _ordered(desired, wanted, seen, diff)


def _ordered(
    desired: Graph, wanted: Mapping[Key, KernelObject], seen: Mapping[Key, KernelObject], diff: Difference
) -> Plan:
    makes = dict(diff.made())
    needs = needs_of(desired, makes)
    order = creation_order(makes, needs)
    late = _leaning_on(diff, order, needs)

    def operation(key: Key) -> Operation:
        if key in diff.changed:
            return Operation("change", desired.owner, seen[key], makes[key])
        return Operation("add", desired.owner, None, makes[key])

    def made(keys: list[Key]) -> tuple[Batch, ...]:
        return tuple(tuple(map(operation, batch)) for batch in batches(keys, needs.__getitem__))

    early = made([key for key in order if key not in late])
    first_halves = _deletions(desired.owner, diff.delete_first, seen)
    return Plan(
        desired,
        previous=tuple(seen.values()),
        phase_1=early + first_halves + made([key for key in order if key in late]),
        phase_2=_deletions(desired.owner, diff.deleted, seen),
        replacements=diff.replacements,
    )


def _leaning_on(diff: Difference, order: list[Key], needs: Mapping[Key, tuple[Key, ...]]) -> set[Key]:
    """What can be made only after the first halves of replacements are gone: the replaced, those that
    claim what a leaving object holds, and all that needs one of them."""
    late = set(diff.remade) | diff.claimants
    for key in order:
        if any(needed in late for needed in needs[key]):
            late.add(key)
    return late


def _deletions(
    owner: str, doomed: Mapping[Key, KernelObject], seen: Mapping[Key, KernelObject]
) -> tuple[Batch, ...]:
    """Dependents first."""
    if not doomed:
        return ()
    needs = {key: item.needs for key, item in doomed.items()}
    order = list(reversed(creation_order(doomed, needs)))
    dependents = reversed_needs(order, needs)
    return tuple(
        tuple(Operation("delete", owner, doomed[key], None) for key in batch)
        for batch in batches(order, dependents.__getitem__)
    )
