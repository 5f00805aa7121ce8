"""Laws of the model: changed step by step or made at once it is the same; what is claimed twice is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from property_tests import farms
from reconciler.model import claims
from reconciler.model.claims import Claim
from reconciler.model.documents import Document, Network
from reconciler.model.model import EMPTY, Model
from reconciler.model.paths import place_of
from reconciler.model.rules import newly_owned, suspensions, violations

Changes = dict[str, Document | None]
Step = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class History:
    """Transactions that mix the documents of some fleets: they collide, dangle, come and go.

    A step says of each path whose document it gets: that of the fleet with this number, or none.
    """

    fleets: tuple[farms.Fleet, ...]
    steps: tuple[Step, ...]

    @property
    def transactions(self) -> Iterator[Changes]:
        yield dict(self.fleets[0].documents)
        for step in self.steps:
            yield {path: None if n is None else self.fleets[n].documents[path] for path, n in step}

    @property
    def documents(self) -> dict[str, Document]:
        """What is there in the end."""
        latest = {path: document for changes in self.transactions for path, document in changes.items()}
        return {path: document for path, document in latest.items() if document is not None}


def stopped_perhaps(fleet: farms.Fleet) -> st.SearchStrategy[farms.Fleet]:
    """The fleet, with some of its tenants suspended."""
    tenants = st.frozensets(st.sampled_from(fleet.tenants), max_size=2)
    return tenants.map(lambda stopped: replace(fleet, stopped=stopped))


@st.composite
def histories(draw: st.DrawFn) -> History:
    some = farms.fleets(farms=2, nodes=2, networks=3, min_networks=1)
    fleets = tuple(draw(st.lists(some.flatmap(stopped_perhaps), min_size=1, max_size=3)))
    choices = [(path, n) for n, fleet in enumerate(fleets) for path in fleet.documents]
    removals = [(path, None) for path, _ in choices]
    put = st.sampled_from(choices) | st.sampled_from(removals)
    steps = st.lists(st.lists(put, min_size=1, max_size=4).map(tuple), max_size=4)
    return History(fleets, tuple(draw(steps)))


def holders(documents: dict[str, Document]) -> dict[Claim, list[str]]:
    """Who makes which claim, found by asking every document."""
    found: dict[Claim, list[str]] = {}
    for path, document in sorted(documents.items()):
        place = place_of(path)
        assert place is not None
        for claim in dict.fromkeys(claim for claim, _ in claims.claims(document, place)):
            found.setdefault(claim, []).append(path)
    return found


@given(histories())
def test_step_by_step_or_at_once(history: History) -> None:
    model = EMPTY
    for changes in history.transactions:
        model = model.with_changes(changes)
    assert model == Model.of(history.documents)


@given(farms.fleets(), st.randoms(use_true_random=False))
def test_the_order_of_documents_does_not_matter(fleet: farms.Fleet, random: object) -> None:
    paths = list(fleet.documents)
    random.shuffle(paths)  # type: ignore[attr-defined]
    shuffled = Model.of({path: fleet.documents[path] for path in paths})
    assert shuffled == fleet.model
    assert list(shuffled.networks()) == list(fleet.model.networks())


@given(histories())
def test_the_indexes_say_what_the_documents_say(history: History) -> None:
    documents = history.documents
    model = Model.of(documents)
    networks = [(path, item) for path, item in sorted(documents.items()) if isinstance(item, Network)]
    assert [network for _, network in model.networks()] == [network for _, network in networks]
    counts = Counter(
        (path.split("/")[2], nr.node.split("/")[0]) for path, net in networks for nr in net.spec.resources
    )
    for (tenant, farm), count in counts.items():
        assert model.resource_count(farm, tenant) == count
    for node in {nr.node for _, net in networks for nr in net.spec.resources}:
        expected = [net for _, net in networks if any(nr.node == node for nr in net.spec.resources)]
        assert [network for _, network in model.networks_on(node)] == expected
    for claim, paths in holders(documents).items():
        assert list(model.claimants(claim)) == paths


@given(histories())
def test_what_is_claimed_twice_is_found_and_nothing_else(history: History) -> None:
    documents = history.documents
    found = {
        violation.subject
        for violation in violations(Model.of(documents))
        if violation.code.endswith("-taken")
    }
    assert found == {str(claim) for claim, paths in holders(documents).items() if len(paths) > 1}


@given(histories())
def test_the_ledgers_rule_keeps_every_claim_single(history: History) -> None:
    """Whoever accepts only what brings in no violation never has two documents with one claim."""
    model = EMPTY
    for changes in history.transactions:
        after = model.with_changes(changes)
        if not newly_owned(model, after, changes.keys()):
            model = after
    assert all(len(paths) == 1 for paths in holders(dict(model.documents)).values())


@given(histories())
def test_removing_documents_is_never_refused(history: History) -> None:
    model = Model.of(history.documents)
    for path in model.documents:
        removal: Changes = {path: None}
        assert newly_owned(model, model.with_changes(removal), removal.keys()) == ()


@given(histories())
def test_judging_some_documents_finds_what_judging_all_does(history: History) -> None:
    """Nothing but collisions depends on who else is asked; those have an owner whoever is asked."""
    model = Model.of(history.documents)
    everything = violations(model)
    for path in model.documents:
        alone = violations(model, [path])
        assert {v.identity for v in everything if v.owner_path == path} <= {v.identity for v in alone}
        others = {v.subject for v in alone} - {v.subject for v in everything}
        assert not others


@given(farms.fleets())
def test_whole_fleets_break_no_rule_and_nothing_is_suspended(fleet: farms.Fleet) -> None:
    assert violations(fleet.model) == ()
    for tenant, network in fleet.model.networks():
        assert suspensions(fleet.model, tenant, network.metadata.name) == {}


@given(histories())
def test_a_resource_runs_or_is_suspended_for_a_violation(history: History) -> None:
    """Whatever rules a network breaks for want of ground is a suspension, too, and the other way round."""
    model = Model.of(history.documents)
    ground = {
        "unknown-farm",
        "unknown-node",
        "other-node",
        "slot-out-of-range",
        "no-grant",
        "node-not-granted",
        "unknown-tenant",
        "tenant-suspended",
    }
    for path, document in model.documents.items():
        if isinstance(document, Network):
            broken = {violation.code for violation in violations(model, [path])} & ground
            tenant = path.split("/")[2]
            suspended = suspensions(model, tenant, document.metadata.name)
            assert bool(broken) == bool(suspended)
