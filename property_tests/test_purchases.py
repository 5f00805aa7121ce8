"""Laws of the purchase records, over histories of buying, granting, lapsing and being refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from hypothesis import event, given, settings
from hypothesis import strategies as st

from property_tests.purchase_histories import History, Move, history, moves
from reconciler.model.documents import Farm, Grant
from reconciler.model.model import Model
from reconciler.model.suspension import suspensions
from reconciler.records.event import Event, Kind, farm_of
from reconciler.records.held import Held
from reconciler.records.lease import leases
from reconciler.records.period import Period, Sum, sums

Key = tuple[str, str]

many = settings(max_examples=5 * settings().max_examples)
"""An example takes a few milliseconds."""


def networks(model: Model) -> dict[Key, frozenset[str]]:
    """Each network's nodes, from the documents in effect."""
    return {
        (tenant, each.metadata.name): frozenset(nr.node for nr in each.spec.resources)
        for tenant, each in model.networks()
    }


def suspended(model: Model) -> dict[Key, frozenset[str]]:
    found = {key: frozenset(suspensions(model, *key)) for key in networks(model)}
    return {key: nodes for key, nodes in found.items() if nodes}


def counted(model: Model, only_suspended: bool) -> Counter[Key]:
    """NRs by tenant and farm, from the documents in effect."""
    held = suspended(model) if only_suspended else networks(model)
    return Counter((key[0], farm_of(node)) for key, nodes in held.items() for node in nodes)


def held_at(events: Iterable[Event], position: int) -> Held:
    """What is held after the transaction at this position."""
    held = Held()
    for each in events:
        if each.position > position:
            break
        held.add(each)
    return held


@many
@given(moves)
def test_what_is_held_by_the_events_is_what_the_model_says_at_every_position(made: list[Move]) -> None:
    told = history(made)
    happened = told.events()
    for position, state in enumerate(told.states):
        held = held_at(happened, position)
        assert {key: frozenset(nodes) for key, nodes in held.networks.items()} == networks(state.model)
        assert {key: frozenset(nodes) for key, nodes in held.suspended.items()} == suspended(state.model)


@many
@given(moves)
def test_a_transaction_without_effect_has_no_events(made: list[Move]) -> None:
    told = history(made)
    counting = {record.verdict.position for record in told.records if record.verdict.changes_state}
    for each in told.events():
        event(each.kind.value)
        assert each.position in counting
        assert each.commit == told.records[each.position].verdict.commit


@many
@given(moves)
def test_a_rejected_transaction_changes_nothing_in_the_records(made: list[Move]) -> None:
    told = history(made)
    without = [record for record in told.records if record.verdict.accepted]
    quiet = History(told.repository, told.states, without)
    assert quiet.events() == told.events()


@many
@given(moves, st.data())
def test_the_sum_over_a_period_is_the_sum_over_its_parts(made: list[Move], data: st.DataObject) -> None:
    told = history(made)
    happened, last = told.events(), len(told.states) - 1
    first, middle, end = sorted(data.draw(st.lists(st.integers(0, last), min_size=3, max_size=3)))
    whole = by_account(happened, Period(first, end))
    left, right = by_account(happened, Period(first, middle)), by_account(happened, Period(middle, end))
    assert whole.keys() == left.keys() | right.keys()
    for key, each in whole.items():
        parts = [part for part in (left.get(key), right.get(key)) if part is not None]
        assert each.held == sum(part.held for part in parts)
        assert each.suspended == sum(part.suspended for part in parts)
        assert each.most == max(part.most for part in parts)
        assert each.start == (left[key].start if key in left else 0)
        assert each.end == (right[key].end if key in right else 0)


@many
@given(moves, st.data())
def test_sums_are_what_adding_up_the_model_position_by_position_gives(
    made: list[Move], data: st.DataObject
) -> None:
    told = history(made)
    last = len(told.states) - 1
    first, end = sorted(data.draw(st.lists(st.integers(0, last), min_size=2, max_size=2)))
    held = [counted(state.model, False) for state in told.states[first : end + 1]]
    stopped = [counted(state.model, True) for state in told.states[first : end + 1]]
    expected = {
        key: Sum(
            *key,
            start=held[0][key],
            end=held[-1][key],
            most=max(each[key] for each in held),
            held=sum(each[key] for each in held[:-1]),
            suspended=sum(each[key] for each in stopped[:-1]),
        )
        for key in set().union(*held)
    }
    assert by_account(told.events(), Period(first, end)) == expected


@many
@given(moves)
def test_every_resource_is_held_from_its_purchase_to_its_cancellation(made: list[Move]) -> None:
    told = history(made)
    spans = list(leases(told.events()))
    for position, state in enumerate(told.states):
        held = Counter(
            (each.tenant, each.network, each.node)
            for each in spans
            if each.since.position <= position and (each.until is None or position < each.until.position)
        )
        assert held == Counter((*key, node) for key, nodes in networks(state.model).items() for node in nodes)


@many
@given(moves)
def test_grants_in_the_records_are_those_in_effect(made: list[Move]) -> None:
    told = history(made)
    standing: set[Key] = set()
    for each in told.events():
        if each.kind is Kind.GRANT_REMOVAL:
            standing.remove((each.farm, each.tenant))
        elif each.kind.of_grant:
            assert ((each.farm, each.tenant) in standing) == (each.kind is Kind.GRANT_CHANGE)
            standing.add((each.farm, each.tenant))
    assert standing == set(granted(told.states[-1].model))


def granted(model: Model) -> Iterator[Key]:
    """Farm and tenant of every grant in effect; no tenant for one that is open to all."""
    for path, document in model.documents.items():
        if isinstance(document, Grant):
            yield path.split("/")[1], document.metadata.name
        elif isinstance(document, Farm) and document.spec.open_grant is not None:
            yield document.metadata.name, ""


def by_account(happened: tuple[Event, ...], period: Period) -> dict[Key, Sum]:
    return {(each.tenant, each.farm): each for each in sums(happened, period)}
