"""Sharing out what is not enough for all: in turns, so that who holds little keeps it."""

from __future__ import annotations

from collections.abc import Mapping


def shares(held: Mapping[str, int], together: int) -> dict[str, int]:
    """What everybody keeps of what they hold, so that it adds up to `together` at most.

    One for each, then a second for each that has one, and so on; the last, incomplete turn goes in the
    order of names. Costs no more than sorting, however much is held.
    """
    level = _full_turns(sorted(held.values()), together)
    kept = {name: min(count, level) for name, count in held.items()}
    left = together - sum(kept.values())
    for name in sorted(name for name, count in held.items() if count > level)[:left]:
        kept[name] += 1
    return kept


def _full_turns(counts: list[int], together: int) -> int:
    """How many turns everybody can take who still has something to place; `counts` go up."""
    left, level = together, 0
    for number, count in enumerate(counts):
        takers = len(counts) - number
        if (count - level) * takers > left:
            return level + left // takers
        left -= (count - level) * takers
        level = count
    return level
