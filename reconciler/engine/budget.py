"""How many networks may leave a node at once without a person saying yes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PruneBudget:
    """A removal waits when it takes more than `spare` networks and more than `share` of those present."""

    share: float = 0.5
    spare: int = 3

    def exceeded(self, leaving: int, present: int) -> bool:
        return leaving > self.spare and leaving > self.share * present
