"""Commits in an order in which each comes after its parents."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.ledger.repository.objects import CommitId

Parents = Mapping[CommitId, tuple[CommitId, ...]]


def parents_first(parents: Parents) -> dict[CommitId, tuple[CommitId, ...]]:
    """The same commits, each after those of its parents that are among them.

    In the time that it takes to look at each parent twice, however they are woven.
    """
    order: dict[CommitId, tuple[CommitId, ...]] = {}
    entered: set[CommitId] = set()
    for start in sorted(parents):
        waiting = [start]
        while waiting:
            commit = waiting[-1]
            if commit in entered:
                waiting.pop()
                order.setdefault(commit, parents[commit])
            else:
                entered.add(commit)
                waiting += [each for each in parents[commit] if each in parents and each not in entered]
    return order
