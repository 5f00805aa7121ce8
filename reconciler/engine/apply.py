"""Carry plans out: each owner's as a whole or not at all, many owners' operations in one pipeline.

Phase 1 of a plan adds and changes, is verified by looking again, and is taken back if anything of it
failed. Then the commit mark goes to disk. Phase 2 deletes and is only ever retried.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.engine.journal import Journal, JournalError
from reconciler.engine.plan import Batch, Plan, plan
from reconciler.engine.result import (
    Applied,
    CleanupPending,
    NotStarted,
    Refused,
    Result,
    RollbackFailed,
    RolledBack,
    Unchanged,
    describe,
)
from reconciler.kernel.graph import Graph, KernelObject, Observed
from reconciler.kernel.objects import Key, Namespace, Sysctl
from reconciler.kernel.port import Kernel, KernelUnavailable, Operation, Outcome

GONE = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ESRCH, errno.EADDRNOTAVAIL})
"""What a kernel says to the deletion of something that isn't there (any more): good enough."""

ROUNDS = 2
"""How often phase 2 is tried."""

RESTORE_ROUNDS = 3
"""How often a way back is tried: one for an operation that fails once, one for what others flush."""


@dataclass(slots=True)
class Failure:
    """Why an owner's phase failed, and the outcomes that say so."""

    reason: str
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass(slots=True)
class Made:
    """What phase 1 came to: results that are final already, and the plans whose phase 2 is due."""

    results: dict[str, Result] = field(default_factory=dict)
    committed: list[Plan] = field(default_factory=list)


class Applier:
    """Applies plans to `kernel`, leaning on `journal`. Raises nothing for what a kernel refuses."""

    def __init__(self, kernel: Kernel, journal: Journal) -> None:
        self._kernel = kernel
        self._journal = journal

    def apply(self, plan: Plan) -> Result:
        """Both phases of one owner's plan."""
        return self.apply_all([plan])[plan.owner]

    def apply_all(self, plans: Sequence[Plan]) -> dict[str, Result]:
        """Both phases of several owners' plans: all that is made is made before anything is deleted."""
        made = self.make(plans)
        return made.results | self.clean(made.committed)

    # --- phase 1 -------------------------------------------------------------------------------
    def make(self, plans: Sequence[Plan]) -> Made:
        """Phase 1 of all these plans, in one pipeline; one owner's failure leaves the others alone."""
        made = Made(results={plan.owner: _unopened(plan) for plan in plans if plan.clashes or plan.empty})
        due = [plan for plan in plans if plan.owner not in made.results]
        if not due:
            return made
        try:
            self._journal.begin({plan.owner: plan.previous for plan in due})
        except JournalError as error:
            made.results |= {plan.owner: NotStarted(plan.owner, str(error), error.advice) for plan in due}
            return made
        failures = self._carry_out({plan.owner: plan.phase_1 for plan in due})
        failures |= self._verify([plan for plan in due if plan.owner not in failures])
        made.committed = [plan for plan in due if plan.owner not in failures]
        failures |= self._commit(made)
        made.results |= self._roll_back([plan for plan in due if plan.owner in failures], failures)
        return made

    def _commit(self, made: Made) -> dict[str, Failure]:
        """Without the mark on disk a restart would not know that this is the state to keep."""
        try:
            self._journal.commit(plan.owner for plan in made.committed)
        except JournalError as error:
            failures = {plan.owner: Failure(str(error)) for plan in made.committed}
            made.committed = []
            return failures
        return {}

    def _carry_out(self, work: Mapping[str, tuple[Batch, ...]]) -> dict[str, Failure]:
        """The n-th batches of all owners go together; an owner that failed gets no further batch."""
        failures: dict[str, Failure] = {}
        for number in range(max(map(len, work.values()), default=0)):
            operations = [
                operation
                for owner, batches in work.items()
                if owner not in failures
                for operation in (batches[number] if number < len(batches) else ())
            ]
            self._execute(operations, failures)
        for failure in failures.values():
            failure.reason = failure.reason or describe(_causes(failure.outcomes))
        return failures

    def _execute(self, operations: Sequence[Operation], failures: dict[str, Failure]) -> None:
        if not operations:
            return
        try:
            outcomes = self._kernel.execute(operations)
        except KernelUnavailable as error:
            failures |= {operation.owner: Failure(str(error)) for operation in operations}
            return
        for outcome in outcomes:
            if not (outcome.ok or _gone_already(outcome)):
                failures.setdefault(outcome.operation.owner, Failure("")).outcomes.append(outcome)

    def _verify(self, plans: Sequence[Plan]) -> dict[str, Failure]:
        """Look at what phase 1 touched. What differs (an operation may flush what leans on its object)
        is put right once, and must be right then."""
        touched = {plan.owner: _namespaces(plan.phase_1) for plan in plans if plan.phase_1}
        checked = [plan for plan in plans if plan.owner in touched]
        try:
            left = self._left(checked, touched)
            flushed = [plan for plan in checked if left[plan.owner]]
            if not flushed:
                return {}
            again = self._plans([plan.desired for plan in flushed], [plan.previous for plan in flushed])
            failures = self._carry_out({plan.owner: plan.phase_1 for plan in again})
            left = self._left(flushed, {plan.owner: _all_namespaces(plan) for plan in flushed})
        except KernelUnavailable as error:
            return {plan.owner: Failure(str(error)) for plan in checked}
        wrong = {owner: Failure(f"not as it should be: {keys}") for owner, keys in left.items() if keys}
        return wrong | failures

    def _left(self, plans: Sequence[Plan], namespaces: Mapping[str, set[str]]) -> dict[str, str]:
        """By owner, what in `namespaces` is still not as it should be; empty for nothing."""
        if not plans:
            return {}
        observed = self._kernel.observe(
            [key for plan in plans for key in _sysctls(plan.desired.objects, namespaces[plan.owner])],
            set().union(*namespaces.values()),
        )
        return {plan.owner: _differences(plan.desired, namespaces[plan.owner], observed) for plan in plans}

    def _plans(self, graphs: Sequence[Graph], others: Sequence[Iterable[KernelObject]] = ()) -> list[Plan]:
        """Fresh plans for `graphs`, from a look at their namespaces and those of the `others`."""
        objects = [item for graph in graphs for item in graph.objects]
        objects += [item for other in others for item in other]
        namespaces = {item.key.namespace for item in objects}
        observed = self._kernel.observe(_sysctls(objects, namespaces), namespaces)
        return [plan(graph, observed) for graph in graphs]

    # --- the way back --------------------------------------------------------------------------
    def _roll_back(self, plans: Sequence[Plan], failures: Mapping[str, Failure]) -> dict[str, Result]:
        """From observation, not by inverse operations: whatever was half done, this ends it."""
        pending = self._journal.pending
        before = {plan.owner: pending[plan.owner].previous for plan in plans}
        problems = self.restore(
            {plan.owner: Graph.of(plan.owner, before[plan.owner], plan.desired.edges) for plan in plans},
            [(*plan.desired.objects, *plan.previous) for plan in plans],
        )
        self._journal.finish(owner for owner in before if owner not in problems)
        return {
            plan.owner: _rolled_back(plan, failures[plan.owner], problems.get(plan.owner)) for plan in plans
        }

    def restore(
        self, targets: Mapping[str, Graph], others: Sequence[Iterable[KernelObject]] = ()
    ) -> dict[str, str]:
        """Make each owner's objects what its target says, deletions included; `others` are objects whose
        namespaces have to be looked at too. Returns what could not be restored, by owner."""
        if not targets:
            return {}
        problems: dict[str, str] = {}
        left = dict(targets)
        try:
            for _ in range(RESTORE_ROUNDS):
                plans = self._plans(list(left.values()), others)
                left = {plan.owner: left[plan.owner] for plan in plans if not plan.empty}
                if not left:
                    return {}
                problems = self._restore_round([plan for plan in plans if not plan.empty])
            plans = self._plans(list(left.values()), others)
        except KernelUnavailable as error:
            return dict.fromkeys(left, str(error))
        return {plan.owner: problems.get(plan.owner) or _summary(plan) for plan in plans if not plan.empty}

    def _restore_round(self, plans: Sequence[Plan]) -> dict[str, str]:
        problems = {plan.owner: "; ".join(clash.message for clash in plan.clashes) for plan in plans}
        failures = self._carry_out({plan.owner: plan.phase_1 + plan.phase_2 for plan in plans})
        return problems | {owner: failure.reason for owner, failure in failures.items()}

    # --- phase 2 -------------------------------------------------------------------------------
    def clean(self, plans: Sequence[Plan]) -> dict[str, Result]:
        """Phase 2 of plans whose phase 1 is committed. Retried forward, never taken back."""
        failures: dict[str, Failure] = {}
        work = {plan.owner: plan.phase_2 for plan in plans if plan.phase_2}
        for _ in range(ROUNDS):
            failures = self._carry_out(work)
            work = {owner: batches for owner, batches in work.items() if owner in failures}
        flushed = [plan for plan in plans if plan.owner not in failures and _may_flush(plan)]
        failures |= self._heal(flushed)
        self._journal.finish(plan.owner for plan in plans if plan.owner not in failures)
        return {plan.owner: _cleaned(plan, failures.get(plan.owner)) for plan in plans}

    def _heal(self, plans: Sequence[Plan]) -> dict[str, Failure]:
        """A deletion may have taken along what should stay (the last address of a link its routes)."""
        try:
            left = self._left(plans, {plan.owner: _namespaces(plan.phase_2) for plan in plans})
        except KernelUnavailable as error:
            return {plan.owner: Failure(str(error)) for plan in plans}
        flushed = [plan for plan in plans if left[plan.owner]]
        targets = {plan.owner: plan.desired for plan in flushed}
        problems = self.restore(targets, [plan.previous for plan in flushed])
        return {owner: Failure(reason) for owner, reason in problems.items()}


def recover(kernel: Kernel, journal: Journal) -> dict[str, str]:
    """Take back what was begun and never committed when the last process died. Returns what could not be
    restored, by owner.

    Normally the next pass simply converges to what is desired now; this is for who wants the last good
    state without knowing what is desired.
    """
    begun = [item for item in journal.pending.values() if not item.committed]
    targets = {item.owner: Graph.of(item.owner, item.previous) for item in begun}
    # What a first creation left behind lies in namespaces that no target names: look everywhere.
    observed = kernel.observe([key for graph in targets.values() for key in _sysctls(graph.objects, None)])
    there = [observed.of(owner).values() for owner in targets]
    problems = Applier(kernel, journal).restore(targets, there)
    journal.finish(owner for owner in targets if owner not in problems)
    return problems


def _unopened(plan: Plan) -> Result:
    return Refused(plan.owner, plan.clashes) if plan.clashes else Unchanged(plan.owner)


def _rolled_back(plan: Plan, failure: Failure, problem: str | None) -> Result:
    failed = tuple(failure.outcomes)
    if problem is None:
        return RolledBack(plan, failure.reason, failed)
    return RollbackFailed(plan, failure.reason, problem, failed)


def _cleaned(plan: Plan, failure: Failure | None) -> Result:
    if failure is None:
        return Applied(plan)
    return CleanupPending(plan, failure.reason, tuple(failure.outcomes))


def _gone_already(outcome: Outcome) -> bool:
    return outcome.operation.verb == "delete" and outcome.code in GONE


def _causes(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Without those that were not even tried on account of another."""
    return [outcome for outcome in outcomes if outcome.code != errno.ECANCELED] or outcomes


def _namespaces(batches: Iterable[Batch]) -> set[str]:
    return {operation.key.namespace for batch in batches for operation in batch}


def _all_namespaces(plan: Plan) -> set[str]:
    return {item.key.namespace for item in (*plan.desired.objects, *plan.previous)}


def _sysctls(objects: Iterable[KernelObject], namespaces: Collection[str] | None) -> list[Key]:
    return [
        item.key
        for item in objects
        if isinstance(item, Sysctl) and (namespaces is None or item.namespace in namespaces)
    ]


def _differences(desired: Graph, namespaces: Collection[str], observed: Observed) -> str:
    inside = tuple(item for item in desired.objects if item.key.namespace in namespaces)
    again = plan(Graph(desired.owner, inside, desired.edges), observed)
    return _summary(again) if again.phase_1 or again.clashes else ""


def _summary(plan: Plan) -> str:
    keys = [str(clash.key) for clash in plan.clashes]
    keys += [f"{operation.verb} {operation.key}" for operation in plan.operations()]
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")


def _may_flush(plan: Plan) -> bool:
    """Whether phase 2 deletes single objects beside others that stay."""
    return bool(plan.desired.objects) and any(
        not isinstance(operation.before, Namespace) for batch in plan.phase_2 for operation in batch
    )
