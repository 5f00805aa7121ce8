"""What has changed from one status to the next, as lines for the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.agent.status import Condition, Status


@dataclass(frozen=True, slots=True)
class News:
    """One line; `good` if nobody has to look."""

    text: str
    good: bool


def news(before: Status | None, after: Status) -> Iterator[News]:
    """Every change that a person may ask for later. After a start: all that doesn't hold."""
    if after.mark and (before is None or before.mark != after.mark):
        yield News(f"the ledger's state is {after.state_hash[:12]}, of {after.mark[:12]}", good=True)
    yield from _rejections(before, after)
    yield from _conditions(_subjects(before), _subjects(after))
    yield from _moved(before, after)
    yield from _left(before, after)


def _rejections(before: Status | None, after: Status) -> Iterator[News]:
    known = {rejection.commit for rejection in before.rejected} if before else set()
    for rejection in after.rejected:
        if rejection.commit not in known:
            text = f"rejected {rejection.commit[:12]} ({rejection.code}): {rejection.detail}"
            yield News(text, good=False)


def _conditions(
    before: dict[str, dict[str, Condition]], after: dict[str, dict[str, Condition]]
) -> Iterator[News]:
    for subject, conditions in after.items():
        earlier = before.get(subject)
        if earlier is None and all(condition.status for condition in conditions.values()):
            yield News(f"{subject}: ready", good=True)
        for condition in conditions.values():
            if _is_news(earlier.get(condition.type) if earlier else None, condition):
                yield News(f"{subject}: {_said(condition)}", condition.status)


def _is_news(before: Condition | None, after: Condition) -> bool:
    """What holds and held before is not, whatever its words."""
    if after.status:
        return before is not None and not before.status
    return before != after


def _moved(before: Status | None, after: Status) -> Iterator[News]:
    """Networks that another transaction has changed."""
    known = {(each.tenant, each.network): each.commit for each in before.networks} if before else {}
    for each in after.networks:
        if known.get((each.tenant, each.network), each.commit) != each.commit:
            yield News(f"{each.tenant}/{each.network}: as of {each.commit[:12]}", good=True)


def _left(before: Status | None, after: Status) -> Iterator[News]:
    for subject in _subjects(before).keys() - _subjects(after).keys():
        yield News(f"{subject}: is no longer this node's", good=True)


def _subjects(status: Status | None) -> dict[str, dict[str, Condition]]:
    """By node or network, its conditions by type."""
    if status is None:
        return {}
    networks = {f"{each.tenant}/{each.network}": each.conditions for each in status.networks}
    return {
        name: _by_type(conditions)
        for name, conditions in {status.node: status.node_conditions, **networks}.items()
    }


def _by_type(conditions: Iterable[Condition]) -> dict[str, Condition]:
    return {condition.type: condition for condition in conditions}


def _said(condition: Condition) -> str:
    holds = condition.type if condition.status else f"not {condition.type}"
    return f"{holds}, {condition.reason}" + (f": {condition.message}" if condition.message else "")
