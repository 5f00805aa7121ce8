"""Laws of the judge, over histories by honest and dishonest people."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

import pytest
from hypothesis import event, given, settings

from property_tests.ledger_histories import (
    BEGUN,
    Move,
    Repository,
    beginning,
    entry,
    histories,
    honest_histories,
    judged,
    repository,
    state_of,
)
from property_tests.ledger_oracle import Oracle
from reconciler.ledger.governed import is_governed
from reconciler.ledger.judging.judge import judge
from reconciler.ledger.judging.provider import Transaction
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import CommitId, object_id
from reconciler.ledger.verdict import Reason
from reconciler.model.documents import Farm, Policy, Rule, Signers, Suspension, Tenant
from reconciler.model.loader import load
from reconciler.model.model import Model
from reconciler.model.paths import place_of
from tests.integration.ledger.world import DAVE

many = settings(max_examples=5 * settings().max_examples)
"""An example takes about a millisecond."""


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(7)
def test_a_rejected_transaction_changes_nothing_in_effect(moves: list[Move]) -> None:
    for before, _, after, verdict in judged(repository(moves)):
        event(verdict.code)
        if not verdict.reason.changes_state:
            assert after.model == before.model
            assert after.books.entries == before.books.entries
            assert after.books.mark == before.books.mark
            assert after.keyring == before.keyring


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(7)
def test_an_accepted_transaction_puts_in_effect_exactly_what_it_touches(moves: list[Move]) -> None:
    made = repository(moves)
    for before, transaction, after, verdict in judged(made):
        if not verdict.reason.changes_state:
            continue
        result = made.nodes[transaction.commit].files
        for path in {*before.books.entries, *after.books.entries}:
            touched = path.decode() in verdict.paths
            expected = entry(result.get(path.decode())) if touched else before.books.effective(path)
            assert after.books.effective(path) == expected


@many
@given(histories(withdrawals=True))
def test_books_and_model_are_two_views_of_one_state(moves: list[Move]) -> None:
    made = repository(moves)
    for *_, after, _ in judged(made):
        effective = {path.decode(): made.blobs[name] for path, name in after.books.entries.items()}
        assert after.model == Model.of({path: load(path, data) for path, data in effective.items()})
        assert after.keyring == State.of(after.books, after.model).keyring


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(8)
def test_all_that_comes_into_effect_was_signed_by_those_it_takes(moves: list[Move]) -> None:
    """Seen from outside: the content of each path was signed, as it is, by enough of those named before."""
    made = repository(moves)
    for before, transaction, after, verdict in judged(made):
        if not verdict.reason.changes_state:
            continue
        for path in verdict.paths:
            if before.books.effective(path.encode()) != after.books.effective(path.encode()):
                signers = _signers(before.model, path, path in _present(after), verdict.reason)
                approving = _approving(made, transaction, path, signers)
                assert len(approving) >= signers.threshold, (path, verdict)


def _present(state: State) -> set[str]:
    return {path.decode() for path in state.books.entries}


def _signers(model: Model, path: str, stays: bool, reason: Reason) -> Signers:
    place = place_of(path)
    assert place is not None and model.policy is not None
    policy, old = model.policy, model.documents.get(path)
    if reason is Reason.RECOVERY:
        assert place.kind is Tenant and old and stays
        return policy.spec.root
    if place.kind is Policy:
        return policy.spec.root
    if isinstance(old, Farm) and stays:
        return old.spec.farmers
    if isinstance(old, Tenant):
        return old.spec.signers
    if place.kind in (Farm, Tenant, Suspension):
        return _by_rule(policy.spec.rules, path) or policy.spec.root
    if place.farm:
        farm = model.farm(place.farm)
        assert farm is not None
        return _by_rule(farm.spec.rules, path) or farm.spec.farmers
    tenant = model.tenant(place.tenant)
    assert tenant is not None
    return _by_rule(tenant.spec.rules, path) or tenant.spec.signers


def _by_rule(rules: tuple[Rule, ...], path: str) -> Signers | None:
    """In a path's names there is no slash, so fnmatch's `*` is ours as soon as the segments are as many."""
    for rule in rules:
        same = (pattern for pattern in rule.paths if pattern.count("/") == path.count("/"))
        if any(fnmatchcase(path, pattern) for pattern in same):
            return rule.signers
    return None


def _approving(made: Repository, transaction: Transaction, path: str, signers: Signers) -> set[str]:
    """Principals who signed a commit new to the ledger in which the path is what it came to be."""
    wanted = made.nodes[transaction.commit].files.get(path)
    new = {transaction.commit, *made.merged(transaction)}
    people = (made.nodes[commit].by for commit in new if made.nodes[commit].files.get(path) == wanted)
    texts = {person.key.text for person in people if person}
    return {each.name for each in signers.principals if texts & set(each.keys)}


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(11)
def test_a_tenants_networks_are_changed_by_whom_it_named_unless_a_recovery_came_before(
    moves: list[Move],
) -> None:
    """Whoever holds acme's keys got them from acme: dave's were there first, and only dave hands them on."""
    made = repository(moves)
    rightful, recovered = {DAVE.key.text}, False
    for before, transaction, after, verdict in judged(made):
        if not verdict.reason.changes_state or recovered:
            continue
        new = {transaction.commit, *made.merged(transaction)}
        signed = {person.key.text for person in (made.nodes[each].by for each in new) if person}
        if any(path.startswith("tenants/ac/acme/") for path in _changed_paths(before, after)):
            recovered = verdict.reason is Reason.RECOVERY
            assert recovered or rightful & signed, verdict
        tenant = after.model.tenant("acme")
        if tenant is not None and not recovered:
            named = (tenant.spec.signers, *(rule.signers for rule in tenant.spec.rules))
            rightful |= {key for each in named for person in each.principals for key in person.keys}


def _changed_paths(before: State, after: State) -> list[str]:
    old, new = before.books.entries, after.books.entries
    return [path.decode() for path in {*old, *new} if old.get(path) != new.get(path)]


@many
@given(histories(withdrawals=True))
def test_a_removed_tenant_never_comes_back(moves: list[Move]) -> None:
    gone: set[str] = set()
    for before, _, after, _ in judged(repository(moves)):
        tenants = [
            {path for path in _present(each) if path.endswith("/tenant.yaml")} for each in (before, after)
        ]
        gone |= tenants[0] - tenants[1]
        assert gone.isdisjoint(tenants[1])
        assert {path.split("/")[2] for path in gone} == set(after.books.retired)


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(10)
def test_versions_of_the_policy_only_go_up_by_one(moves: list[Move]) -> None:
    for before, _, after, _ in judged(repository(moves)):
        assert before.model.policy is not None and after.model.policy is not None
        assert after.model.policy.spec.version - before.model.policy.spec.version in (0, 1)


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(1)
def test_judging_again_gives_the_same(moves: list[Move]) -> None:
    made = repository(moves)
    assert [verdict for *_, verdict in judged(made)] == [verdict for *_, verdict in judged(made)]


@many
@given(histories(withdrawals=True))
@pytest.mark.rule(1)
def test_hashes_tell_histories_and_states_apart(moves: list[Move]) -> None:
    hashes = Counter(after.books.hash for _, _, after, _ in judged(repository(moves)))
    assert all(count == 1 for count in hashes.values())


@many
@given(honest_histories())
def test_commits_and_reverts_end_where_starting_at_the_end_would(moves: list[Move]) -> None:
    made = repository(moves)
    states = [beginning(made), *(after for _, _, after, _ in judged(made))]
    for commit, state in zip(made.chain, states, strict=True):
        files = {path.encode(): entry(blob) for path, blob in made.nodes[commit].files.items()}
        governed = {path: seen.id for path, seen in files.items() if seen and is_governed(path)}
        if governed == dict(state.books.entries):
            started = state_of(commit, made.nodes[commit].files)
            assert started.model == state.model
            assert started.keyring == state.keyring
            assert started.books.entries == state.books.entries


@many
@given(histories(max_size=12))
@pytest.mark.rule(7)
def test_a_rejected_transaction_matters_to_none_that_does_not_touch_its_paths(moves: list[Move]) -> None:
    """Without its content, all later transactions on other paths get the same verdict.

    (On its own paths later ones may differ: what was refused there has to be repaired first.)"""
    made = repository([move for move in moves if not hasattr(move, "others")])
    rejected = next(
        (verdict for *_, verdict in judged(made) if not verdict.accepted),
        None,
    )
    if rejected is None:
        return
    refused = set(rejected.paths)
    with_it = [verdict for *_, verdict in judged(made)][rejected.position :]
    without = [verdict for *_, verdict in judged(_without(made, rejected.commit, refused))][
        rejected.position :
    ]
    for one, other in zip(with_it, without, strict=True):
        if refused & set(one.paths):
            return
        assert (one.reason, one.paths) == (other.reason, other.paths)


def _without(made: Repository, commit: CommitId, paths: set[str]) -> Repository:
    """The same chain in which this transaction and those after it leave these paths as they were."""
    changed = Repository(dict(made.nodes), list(made.chain), dict(made.blobs), dict(made.raws))
    at = made.chain.index(commit)
    kept = made.nodes[made.chain[at - 1]].files
    for name in made.chain[at:]:
        node = made.nodes[name]
        files = {path: blob for path, blob in node.files.items() if path not in paths}
        files.update({path: blob for path, blob in kept.items() if path in paths})
        changed.nodes[name] = type(node)(node.parents, files, node.by)
    return changed


def test_the_beginning_is_in_effect() -> None:
    made = repository([])
    state = state_of(made.chain[0], BEGUN)
    assert _present(state) == set(BEGUN)
    assert (
        judge(state, Transaction(CommitId("0" * 40), (made.chain[0],), b"", ()), made).verdict.reason
        is Reason.VOID
    )


LATER = {
    "invalid-document",
    "policy-removed",
    "policy-version",
    "proof-missing",
    "proof-invalid",
    "tenant-has-networks",
    "name-retired",
    "violation",
    "recovery-exceeded",
    "threshold",
}
"""Codes of steps 6 to 8."""


@pytest.mark.rule(4, 5, 6, 7, 8, 9)
@many
@given(histories(max_size=10))
def test_the_judge_agrees_with_a_plain_reading_of_the_specification(moves: list[Move]) -> None:
    made = repository(moves)
    oracle = Oracle(made)
    for before, transaction, _, verdict in judged(made):
        expected = oracle.code(transaction.commit)
        if expected is None:
            assert verdict.reason.changes_state or verdict.code in LATER, verdict
        else:
            assert verdict.code == expected, verdict
        assert {path.encode(): object_id("blob", blob.data) for path, blob in oracle.now.items()} == dict(
            before.books.entries
        )
        event(verdict.code)
        if verdict.reason.changes_state:
            assert verdict.paths == tuple(oracle.touched(transaction.commit))
            oracle.accept(transaction.commit)
