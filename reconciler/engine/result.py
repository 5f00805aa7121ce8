"""What became of one owner's plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from reconciler.engine.clash import Clash
from reconciler.engine.plan import Plan
from reconciler.kernel.port import Outcome


class _OfPlan:
    """What came of a plan, and so of the plan's owner."""

    __slots__ = ()
    plan: Plan

    @property
    def owner(self) -> str:
        return self.plan.owner


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Everything was as it should be; no operation was carried out."""

    owner: str

    ok: ClassVar[bool] = True

    @property
    def message(self) -> str:
        return "up to date"


@dataclass(frozen=True, slots=True)
class Applied(_OfPlan):
    """The owner's objects are as the plan says."""

    plan: Plan

    ok: ClassVar[bool] = True

    @property
    def message(self) -> str:
        return f"{sum(1 for _ in self.plan.operations())} operations done"


@dataclass(frozen=True, slots=True)
class Refused:
    """The plan clashes with what others hold; nothing was done."""

    owner: str
    clashes: tuple[Clash, ...]

    ok: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return "; ".join(clash.message for clash in self.clashes)

    @property
    def advice(self) -> str:
        return "; ".join(dict.fromkeys(clash.advice for clash in self.clashes))


@dataclass(frozen=True, slots=True)
class NotStarted:
    """Nothing was done for this owner: there is no order for its objects, or no journal to lean on."""

    owner: str
    reason: str
    advice: str = ""

    ok: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return f"{self.reason}; nothing was changed"


@dataclass(frozen=True, slots=True)
class AwaitingConfirmation:
    """The owner would be removed, but so many are leaving at once that a person has to say yes."""

    owner: str
    leaving: int
    present: int

    ok: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return f"{self.leaving} of {self.present} networks would be removed at once: waiting for confirmation"


@dataclass(frozen=True, slots=True)
class RolledBack(_OfPlan):
    """Phase 1 failed; the owner's objects are again what they were. `reason` says what failed."""

    plan: Plan
    reason: str
    failed: tuple[Outcome, ...] = ()

    ok: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return f"{self.reason}; everything is as it was before"


@dataclass(frozen=True, slots=True)
class RollbackFailed(_OfPlan):
    """Phase 1 failed and so did the way back; the journal keeps what the owner had. The next pass
    converges from whatever is there."""

    plan: Plan
    reason: str
    rollback: str
    failed: tuple[Outcome, ...] = ()

    ok: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return f"{self.reason}; the rollback failed too: {self.rollback}"


@dataclass(frozen=True, slots=True)
class CleanupPending(_OfPlan):
    """All that should be there is there and in use, but something that should have gone has not."""

    plan: Plan
    reason: str
    failed: tuple[Outcome, ...] = ()

    ok: ClassVar[bool] = False

    @property
    def message(self) -> str:
        return f"in use, but not cleaned up: {self.reason}"


Result = (
    Unchanged
    | Applied
    | Refused
    | NotStarted
    | AwaitingConfirmation
    | RolledBack
    | RollbackFailed
    | CleanupPending
)


def describe(outcomes: Sequence[Outcome], limit: int = 3) -> str:
    """The first few of them, and how many more there are."""
    shown = "; ".join(str(outcome) for outcome in outcomes[:limit])
    more = len(outcomes) - limit
    return f"{shown}; and {more} more" if more > 0 else shown
