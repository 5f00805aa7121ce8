"""Policy routing rules (fib_rules.c): which tables a look-up visits, and how rules come and go."""

from __future__ import annotations

import errno
from dataclasses import replace

from reconciler.kernel.fake.records import FibRule
from reconciler.kernel.fake.refusals import Refused
from reconciler.kernel.fake.world import Netns
from reconciler.kernel.objects import IPAddress

FR_ACT_TO_TBL = 1


def of_family(space: Netns, family: int) -> list[FibRule]:
    return [rule for rule in space.rules if rule.family == family]


def tables_for(
    space: Netns, family: int, source: IPAddress | None, iif: str = "", mark: int = 0
) -> list[int]:
    """The tables that a packet from `source` (None: not chosen yet) is looked up in, in order."""
    return [rule.table for rule in of_family(space, family) if _applies(rule, source, iif, mark)]


def _applies(rule: FibRule, source: IPAddress | None, iif: str, mark: int) -> bool:
    fits = (
        (rule.source is None or (source is not None and source in rule.source))
        and (not rule.iif or rule.iif == iif)
        and (rule.mark == mark & rule.mask)
    )
    return fits != rule.invert


def add(space: Netns, rule: FibRule, exclusive: bool) -> None:
    """Insert by priority, after those of the same. Raises Refused EEXIST."""
    if exclusive and any(_alike(rule, other) for other in space.rules):
        raise Refused(errno.EEXIST)
    space.custom_rules4 |= rule.family == 4
    at = sum(1 for other in space.rules if (other.family, other.priority) <= (rule.family, rule.priority))
    space.rules = (*space.rules[:at], rule, *space.rules[at:])


def _alike(new: FibRule, known: FibRule) -> bool:
    """rule_exists does not look at a prefix that the new rule doesn't name."""
    like = known
    if new.source is None:
        like = replace(like, source=None)
    if new.destination is None:
        like = replace(like, destination=None)
    return like == new


def unused_priority(space: Netns, family: int) -> int:
    """Where none was asked for: one before the second rule (fib_default_rule_pref)."""
    known = of_family(space, family)
    return max(known[1].priority - 1, 0) if len(known) > 1 and known[1].priority else 0


def delete(space: Netns, wanted: dict[str, object]) -> None:
    """Delete the first rule that has all of `wanted`. Raises Refused ENOENT."""
    for rule in space.rules:
        if all(getattr(rule, name) == value for name, value in wanted.items()):
            space.custom_rules4 |= rule.family == 4
            space.rules = tuple(other for other in space.rules if other is not rule)
            return
    raise Refused(errno.ENOENT)
