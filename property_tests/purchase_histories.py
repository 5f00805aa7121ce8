"""Random histories of buying and granting: one ledger in memory, judged for everything but signatures.

Each move sets one document, on top of what is in effect, to one of a few contents. What the judge refuses
stays out, so that what follows has a chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from hypothesis import strategies as st

from property_tests.ledger_histories import Repository, state_of
from reconciler.ledger.chain.chronicle import Record
from reconciler.ledger.chain.past import everything
from reconciler.ledger.judging.judge import judge
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import ObjectId
from reconciler.ledger.verdict import Reason, Verdict
from reconciler.records.event import Event
from reconciler.records.history import Step, steps
from reconciler.records.register import events
from tests.integration.ledger import world
from tests.integration.ledger.world import ALICE, BOB, CHLOE, DAVE, ERIN, Blob, farm, grant, network, node

Move = tuple[str, int]
"""A path, and which of its contents."""


def _open(text: bytes, each: int, total: int) -> bytes:
    return text + f"  openGrant:\n    maxResourcesPerTenant: {each}\n    maxResources: {total}\n".encode()


def _networks(name: str, number: int) -> tuple[Blob | None, ...]:
    """Slots differ by network, so that most of them get along with each other."""
    p1, p2, l1 = (("paris/p1", 1, number), ("paris/p2", 2, number), ("lyon/l1", 3, number))
    choices = ((), (p1,), (p2,), (p1, p2), (p2, p1), (l1,), (p1, l1), (p1, p2, l1))
    return (*(Blob(network(name, number, chosen)) for chosen in choices), None, Blob(b"no document"))


@cache
def contents() -> dict[str, tuple[Blob | None, ...]]:
    paris, lyon = farm("paris", BOB), farm("lyon", CHLOE)
    return {
        "tenants/ac/acme/networks/web.yaml": _networks("web", 1),
        "tenants/ac/acme/networks/mail.yaml": _networks("mail", 2),
        "tenants/gl/globex/networks/shop.yaml": _networks("shop", 3),
        "tenants/gl/globex/networks/blog.yaml": _networks("blog", 4),
        "farms/paris/farm.yaml": (
            Blob(paris),
            Blob(farm("paris", BOB, ports=2)),
            *(Blob(_open(paris, *caps)) for caps in ((2, 2), (2, 3), (9, 9), (1, 4))),
        ),
        "farms/lyon/farm.yaml": (Blob(lyon), Blob(_open(lyon, 9, 1)), None),
        "farms/paris/nodes/p1.yaml": (Blob(node("p1", 1)), None, Blob(node("p1", 9))),
        "farms/paris/nodes/p2.yaml": (Blob(node("p2", 2)), None),
        "farms/lyon/nodes/l1.yaml": (Blob(node("l1", 3)), None),
        "farms/paris/grants/acme.yaml": (*_grants("acme"), None),
        "farms/paris/grants/globex.yaml": (*_grants("globex"), None),
        "farms/lyon/grants/acme.yaml": (*_grants("acme"), None),
        "trust/suspensions/acme.yaml": (Blob(world.suspension("acme")), None),
    }


def _grants(tenant: str) -> tuple[Blob, ...]:
    return tuple(Blob(grant(tenant, count)) for count in (9, 1, 2))


BEGUN: dict[str, Blob] = {
    "trust/policy.yaml": Blob(world.policy(ALICE)),
    "farms/paris/farm.yaml": Blob(farm("paris", BOB)),
    "farms/lyon/farm.yaml": Blob(farm("lyon", CHLOE)),
    "farms/paris/nodes/p1.yaml": Blob(node("p1", 1)),
    "farms/paris/nodes/p2.yaml": Blob(node("p2", 2)),
    "farms/lyon/nodes/l1.yaml": Blob(node("l1", 3)),
    "farms/paris/grants/acme.yaml": Blob(grant("acme", 9)),
    "farms/lyon/grants/acme.yaml": Blob(grant("acme", 9)),
    "farms/paris/grants/globex.yaml": Blob(grant("globex", 9)),
    "tenants/ac/acme/tenant.yaml": Blob(world.tenant("acme", DAVE)),
    "tenants/gl/globex/tenant.yaml": Blob(world.tenant("globex", ERIN)),
    "tenants/ac/acme/networks/web.yaml": Blob(network("web", 1, [("paris/p1", 1, 1)])),
}

_buying = st.sampled_from([path for path in contents() if "/networks/" in path])
_ground = st.sampled_from([path for path in contents() if "/networks/" not in path])
moves: st.SearchStrategy[list[Move]] = st.lists(
    st.tuples(st.one_of(_buying, _ground), st.integers(0, 9)), min_size=4, max_size=40
)


@dataclass
class History:
    """A ledger in memory with every state that it went through: `states[p]` is that after position p."""

    repository: Repository = field(default_factory=Repository)
    states: list[State] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def contents(self, names: Sequence[ObjectId]) -> list[bytes]:
        return [self.repository.blobs[name] for name in names]

    def steps(self) -> Iterator[Step]:
        return steps(self.records, self.contents)

    def events(self) -> tuple[Event, ...]:
        return tuple(events(self.steps()))


def history(made: Sequence[Move]) -> History:
    """What these moves come to: a transaction each, and after a rejected one another that repairs it."""
    found, files = History(), dict(BEGUN)
    found.repository.advance(files, ALICE)
    found.states.append(state_of(found.repository.chain[0], files))
    found.records.append(_anchor(found.states[0]))
    for path, number in made:
        choices = contents()[path]
        changed = _with(files, path, choices[number % len(choices)])
        if _entered(found, changed).accepted:
            files = changed
        else:
            _entered(found, files)
    return found


def _with(files: Mapping[str, Blob], path: str, blob: Blob | None) -> dict[str, Blob]:
    rest = {name: content for name, content in files.items() if name != path}
    return rest if blob is None else {**rest, path: blob}


def _entered(found: History, files: Mapping[str, Blob]) -> Verdict:
    """The verdict on a commit of these files, as if the right people had signed it."""
    found.repository.advance(files, ALICE)
    *_, transaction = found.repository.transactions()
    before = found.states[-1]
    after, verdict, touched = judge(before, transaction, found.repository, ask_authority=False)
    found.states.append(after)
    found.records.append(Record(verdict, touched))
    return verdict


def _anchor(state: State) -> Record:
    books = state.books
    verdict = Verdict(books.anchor, 0, Reason.ANCHOR, "", (), (), "Begin", "", 0, books.hash)
    return Record(verdict, everything(books))
