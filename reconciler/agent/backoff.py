"""When to try a network again that could not be converged. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.kernel.graph import Graph

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0


@dataclass(frozen=True, slots=True)
class Failure:
    """How often an owner failed in a row, on which desired graph, and when it may be tried again."""

    times: int
    desired: Graph | None
    retry_at: float


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures by owner. A new desired state is tried at once: the commit may be the repair."""

    failures: Mapping[str, Failure] = field(default_factory=dict)

    def due(self, owner: str, desired: Graph | None, now: float) -> bool:
        failure = self.failures.get(owner)
        return failure is None or failure.desired != desired or now >= failure.retry_at

    def failed(self, owner: str, desired: Graph | None, now: float) -> Backoff:
        last = self.failures.get(owner)
        times = last.times + 1 if last is not None and last.desired == desired else 1
        delay_s = min(FIRST_DELAY_S * 2 ** (times - 1), LONGEST_DELAY_S)
        return replace(self, failures={**self.failures, owner: Failure(times, desired, now + delay_s)})

    def succeeded(self, owner: str) -> Backoff:
        return replace(self, failures={name: f for name, f in self.failures.items() if name != owner})

    def next_retry(self) -> float | None:
        """The earliest moment at which somebody may be tried again."""
        return min((failure.retry_at for failure in self.failures.values()), default=None)
