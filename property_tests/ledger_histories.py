"""Random histories: a few people, a few documents, commits, branches, merges and reverts, honest and not.

A history is a list of moves, so it shrinks to one that a person can read. Numbers in a move are taken modulo
what there is. `Repository` holds it in memory and answers the judge; `written` puts the same objects into a
real repository.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from hypothesis import strategies as st

from reconciler.ledger.judging.books import opened
from reconciler.ledger.judging.judge import judge
from reconciler.ledger.judging.provider import Transaction
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.repository.objects import Change, CommitId, Entry, ObjectId, object_id
from reconciler.ledger.repository.store import Edge
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.verdict import Reason, Verdict
from reconciler.model.loader import load
from reconciler.model.model import Model
from tests.integration.ledger import world
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    CHLOE,
    DAVE,
    ERIN,
    MALLORY,
    Blob,
    Files,
    Person,
    Ruled,
    signed,
)

PEOPLE: tuple[Person | None, ...] = (ALICE, BOB, DAVE, DAVE, ERIN, CHLOE, MALLORY, None)
POLICY, FARM, NODE = "trust/policy.yaml", "farms/paris/farm.yaml", "farms/paris/nodes/p1.yaml"
SUSPENSION = "trust/suspensions/acme.yaml"
GRANT, ACME, GLOBEX = (
    "farms/paris/grants/acme.yaml",
    "tenants/ac/acme/tenant.yaml",
    "tenants/gl/globex/tenant.yaml",
)


ROOTS_RULES = (
    Ruled(["trust/suspensions/*"], [CHLOE]),
    Ruled(["tenants/*/*/tenant.yaml", "farms/*/farm.yaml"], [BOB]),
)
ACMES_RULES = (
    (Ruled([world.MAIL], [CHLOE]),),
    (Ruled([world.MAIL], [CHLOE, ERIN], 2), Ruled(["tenants/ac/acme/networks/*"], [ERIN])),
)


@cache
def contents() -> dict[str, tuple[Blob | None, ...]]:
    """What may be written to each path: few values, so that histories return to where they were."""
    return {
        world.WEB: (*(Blob(world.network("web", n)) for n in (1, 2, 3)), Blob(b"no document"), None),
        world.MAIL: (
            Blob(world.network("mail", 4, [("paris/p1", 1, 1)])),
            Blob(world.network("mail", 5)),
            None,
        ),
        world.SHOP: (
            Blob(world.network("shop", 6, [("paris/p1", 1, 1)])),
            Blob(world.network("shop", 7)),
            None,
        ),
        POLICY: tuple(
            Blob(world.policy(*who, version=version, threshold=len(who)))
            for version in (2, 3)
            for who in ((ALICE,), (ALICE, CHLOE))
        )
        + tuple(Blob(world.policy(ALICE, version=version, rules=ROOTS_RULES)) for version in (2, 3)),
        SUSPENSION: (Blob(world.suspension("acme")), None, Blob(world.suspension("acme", "again"))),
        FARM: (
            Blob(world.farm("paris", BOB)),
            Blob(world.farm("paris", CHLOE)),
            None,
            Blob(world.farm("paris", BOB, rules=[Ruled(["farms/paris/grants/*"], [ERIN])])),
        ),
        NODE: (Blob(world.node("p1")), None),
        GRANT: (Blob(world.grant("acme", 1)), Blob(world.grant("acme", 5)), None),
        ACME: (
            Blob(world.tenant("acme", DAVE)),
            Blob(world.tenant("acme", DAVE, CHLOE, threshold=2)),
            Blob(world.tenant("acme", CHLOE)),
            None,
            *(Blob(world.tenant("acme", DAVE, rules=rules)) for rules in ACMES_RULES),
        ),
        GLOBEX: (Blob(world.tenant("globex", ERIN)), Blob(world.tenant("globex", ERIN, proofs=())), None),
        "README": (Blob(b"one"), Blob(b"two"), None),
        "farms/paris/other.yaml": (Blob(b"x"), Blob(world.node("p1"), "120000"), None),
    }


# --- moves -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Write:
    """A commit on main, or on a branch from main's tip, or (`base` counts back) from another commit."""

    changes: tuple[tuple[str, int], ...]
    by: Person | None
    base: int | None = None


@dataclass(frozen=True)
class Undo:
    """A commit on main that gives the paths of an earlier transaction the contents they had before it."""

    back: int
    by: Person | None


@dataclass(frozen=True)
class Merge:
    """Main merges other commits: `honest` takes what they changed, the others bend it."""

    others: tuple[int, ...]
    by: Person | None
    how: str = "honest"
    smuggled: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Join:
    """A merge of some commits on a branch of its own: `honest` takes what the others changed, or not."""

    parents: tuple[int, ...]
    by: Person | None
    how: str = "honest"
    changes: tuple[tuple[str, int], ...] = ()
    adopts: bool = False


@dataclass(frozen=True)
class Squash:
    """One commit on main in place of a branch."""

    back: int
    by: Person | None


@dataclass(frozen=True)
class Adopt:
    """A commit on main, or on a branch, whose message adopts these paths, as it has them after the `changes`,
    in place of what stood there so many transactions ago."""

    paths: tuple[str, ...]
    expected: int
    by: Person | None
    base: int | None = None
    changes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Withdraw:
    """A commit on main by which acme takes back what was signed so many commits ago."""

    back: int
    by: Person | None


Move = Write | Undo | Merge | Join | Squash | Adopt | Withdraw

OWNERS: dict[str, Person] = {
    world.WEB: DAVE,
    world.MAIL: DAVE,
    world.SHOP: ERIN,
    POLICY: ALICE,
    SUSPENSION: ALICE,
    FARM: BOB,
    NODE: BOB,
    GRANT: BOB,
    ACME: DAVE,
    GLOBEX: ERIN,
}
TIP = -1
"""As the base of a write: a branch that begins at main's tip."""

_people = st.sampled_from(PEOPLE)
_numbers = st.integers(0, 5)
_back = st.integers(0, 6)
_changes = st.lists(st.tuples(st.sampled_from(tuple(contents())), _numbers), min_size=1, max_size=2).map(
    tuple
)


@st.composite
def _own_write(draw: st.DrawFn, base: int | None) -> Write:
    """A change of one document by whom it is for."""
    path = draw(st.sampled_from(tuple(OWNERS)))
    return Write(((path, draw(_numbers)),), OWNERS[path], base)


_own = _own_write(None).map(lambda write: [write])
_any = st.builds(Write, _changes, _people, st.none() | _back).map(lambda write: [write])
_undo = st.builds(Undo, _back, _people).map(lambda undo: [undo])
_others = st.lists(_back, min_size=1, max_size=3, unique=True).map(tuple)
_ways = st.sampled_from(("honest", "honest", "ours", "theirs"))
_bent_merge = st.builds(Merge, _others, _people, _ways, st.just(()) | _changes).map(lambda merge: [merge])
_pull = st.tuples(_own_write(TIP), st.builds(Merge, st.just((0,)), st.none() | _people)).map(list)
_late_pull = st.tuples(_own_write(TIP), _own_write(None), st.builds(Merge, st.just((1,)), st.none())).map(
    list
)


_ours = st.sampled_from((world.WEB, world.MAIL))
_join = st.builds(
    Join,
    st.lists(_back, min_size=2, max_size=3, unique=True).map(tuple),
    _people,
    st.sampled_from(("honest", "honest", "first")),
    st.just(()) | _changes,
    st.booleans(),
).map(lambda join: [join])
_adopt = st.builds(
    Adopt,
    st.lists(st.sampled_from(tuple(OWNERS)), min_size=1, max_size=2, unique=True).map(tuple),
    st.integers(0, 2),
    _people,
    st.none() | _back,
    st.just(()) | _changes,
).map(lambda adopt: [adopt])
_squash = st.builds(Squash, _back, st.none() | _people).map(lambda squash: [squash])


@st.composite
def _squashed_and_adopted(draw: st.DrawFn) -> list[Move]:
    write = draw(_own_write(TIP))
    path, owner = write.changes[0][0], write.by
    by = draw(st.sampled_from((owner, owner, CHLOE, MALLORY)))
    if draw(st.booleans()):
        return [write, Squash(0, None), Adopt((path,), 1, by)]
    return [write, Squash(0, None), Adopt((path,), 1, by, 0), Merge((0,), None)]


@st.composite
def _seconded(draw: st.DrawFn) -> list[Move]:
    """Somebody proposes on a branch, others adopt there, a forge merges."""
    write = draw(_own_write(TIP))
    seconds = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2))
    adopts = [Adopt((write.changes[0][0],), 0, by, 0) for by in seconds]
    return [write, *adopts, Merge((0,), draw(st.none() | _people))]


@st.composite
def _two_must_sign(draw: st.DrawFn) -> list[Move]:
    """acme's two must sign; a proposal goes through several hands on its branch, the last of which adopt."""
    path = draw(_ours)
    hands = st.sampled_from((DAVE, CHLOE, DAVE, CHLOE, ERIN, MALLORY, None))
    writers = draw(st.lists(hands, min_size=1, max_size=3))
    adopters = draw(st.lists(hands, max_size=2))
    moves: list[Move] = [Write(((ACME, 1),), DAVE)]
    for number, by in enumerate(writers):
        moves.append(Write(((path, (number + 1) % 3),), by, TIP if number == 0 else 0))
    moves += [Adopt((path,), 0, by, 0) for by in adopters]
    return [*moves, Merge((0,), draw(st.none() | hands))]


@st.composite
def _detour(draw: st.DrawFn) -> list[Move]:
    """Two lines from main's tip, of which one ends where it began."""
    path, by = draw(_ours), draw(st.sampled_from((DAVE, None)))
    away = Write(((path, draw(_numbers)),), by, TIP)
    home = Write(((path, draw(_numbers)),), by, 0)
    straight = Write(((path, draw(_numbers)),), DAVE, TIP)
    return [away, home, straight, Merge(draw(st.sampled_from(((0, 1), (1, 0)))), None)]


@st.composite
def _returned(draw: st.DrawFn) -> list[Move]:
    """A branch is merged after its path has been elsewhere and has come back."""
    path, number = draw(_ours), draw(_numbers)
    write = Write(((path, number),), DAVE, TIP)
    adopt = Adopt((path,), 0, DAVE, TIP, ((path, number),))
    elsewhere = Write(((path, draw(_numbers)),), DAVE)
    back = draw(st.sampled_from((Undo(0, DAVE), Undo(0, DAVE), Undo(0, None))))
    return [write if draw(st.booleans()) else adopt, elsewhere, back, Merge((2,), None)]


@st.composite
def _pulled(draw: st.DrawFn) -> list[Move]:
    """A branch that merges main, which has changed (perhaps refused, perhaps taken back), and is merged."""
    path = draw(_ours)
    by = draw(st.sampled_from((DAVE, DAVE, MALLORY, None)))
    resolved = draw(st.just(()) | _numbers.map(lambda number: ((path, number),)))
    pulled: list[Move] = [
        Write(((path, draw(_numbers)),), DAVE, TIP),
        Write(((path, draw(_numbers)),), by),
        Join((1, 0), draw(st.sampled_from((DAVE, DAVE, None))), "honest", resolved, draw(st.booleans())),
    ]
    undo = [Undo(0, None)] if draw(st.booleans()) else []
    return [*pulled, *undo, Merge((len(undo),), None, draw(st.sampled_from(("honest", "theirs"))))]


@st.composite
def _picked(draw: st.DrawFn) -> list[Move]:
    """Two documents signed as one, of which a forge may leave one out or back."""
    write = Write(tuple((path, draw(_numbers)) for path in (world.WEB, world.MAIL)), DAVE, TIP)
    back = [Write(((draw(_ours), draw(_numbers)),), draw(st.sampled_from((DAVE, CHLOE, None))), 0)]
    left = draw(st.just(()) | st.tuples(_ours, _numbers).map(lambda change: (change,)))
    return [write, *(back if draw(st.booleans()) else []), Merge((0,), None, "honest", left)]


@st.composite
def _delegated(draw: st.DrawFn) -> list[Move]:
    """A document gets rules, and somebody makes use of one, or tries to."""
    if draw(st.booleans()):
        given, owner, path = (ACME, draw(st.integers(4, 5))), DAVE, draw(_ours)
    else:
        given, owner, path = (
            (POLICY, draw(st.integers(4, 5))),
            ALICE,
            draw(st.sampled_from((SUSPENSION, FARM))),
        )
    moves: list[Move] = [Write((given,), owner)]
    for by in draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3)):
        direct = Write(((path, draw(_numbers)),), by)
        pulled = [Write(direct.changes, by, TIP), Merge((0,), draw(st.none() | _people))]
        moves += pulled if draw(st.booleans()) else [direct]
    return moves


@st.composite
def _withdrawn(draw: st.DrawFn) -> list[Move]:
    """Something is signed on a branch, taken back or not, and merged."""
    write = Write(((draw(_ours), draw(_numbers)),), DAVE, TIP)
    more: list[Move] = [Write(((draw(_ours), draw(_numbers)),), DAVE, 0)] if draw(st.booleans()) else []
    back = Withdraw(draw(st.integers(0, 1)), draw(st.sampled_from((DAVE, DAVE, CHLOE, None))))
    return [write, *more, back, Merge((1,), draw(st.none() | _people))]


@st.composite
def _rotated(draw: st.DrawFn) -> list[Move]:
    """acme's keys change, by the tenant or by root, and old and new try."""
    by = draw(st.sampled_from((DAVE, ALICE, CHLOE, MALLORY)))
    tries = st.builds(Write, st.tuples(st.tuples(_ours, _numbers)), st.sampled_from((DAVE, CHLOE, ALICE)))
    return [Write(((ACME, draw(_numbers)),), by), *draw(st.lists(tries, min_size=1, max_size=3))]


@st.composite
def _gone(draw: st.DrawFn) -> list[Move]:
    """acme leaves, with what it has, and somebody wants its name."""
    nothing = ((ACME, 3), (world.MAIL, 2), (world.WEB, 4))
    back = [
        Write(((ACME, draw(_numbers)),), draw(st.sampled_from((ALICE, ALICE, BOB, DAVE)))),
        Undo(1, ALICE),
    ]
    return [Write(nothing, DAVE), *back]


def histories(max_size: int = 15, *, withdrawals: bool = False) -> st.SearchStrategy[list[Move]]:
    """Moves on top of a ledger that has a farm, a node, a grant and two tenants: about half are honest.

    With `withdrawals` not for `written`: the ids that are taken back are those in memory."""
    groups = st.one_of(
        _own,
        _own,
        _pull,
        _late_pull,
        _any,
        _undo,
        _bent_merge,
        _join,
        _adopt,
        _squash,
        _squashed_and_adopted(),
        _seconded(),
        _two_must_sign(),
        _detour(),
        _returned(),
        _pulled(),
        _picked(),
        _delegated(),
        _rotated(),
        _gone(),
        *([_withdrawn()] if withdrawals else []),
    )
    return st.lists(groups, min_size=1, max_size=max_size).map(
        lambda lists: [m for each in lists for m in each]
    )


@st.composite
def honest_histories(draw: st.DrawFn) -> list[Move]:
    """Writes by whoever owns the path, some undone at once by the same."""
    moves: list[Move] = []
    for _ in range(draw(st.integers(1, 15))):
        path = draw(st.sampled_from((world.WEB, world.MAIL, world.SHOP, GRANT, NODE)))
        moves.append(Write(((path, draw(_numbers)),), OWNERS[path]))
        if draw(st.booleans()):
            moves.append(Undo(0, OWNERS[path]))
    return moves


# --- the repository in memory ------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """A commit."""

    parents: tuple[CommitId, ...]
    files: Mapping[str, Blob]
    by: Person | None
    message: str = "Move"


@dataclass
class Repository:
    """Commits in memory; implements `provider.Provider`. Signatures are taken as given."""

    nodes: dict[CommitId, Node] = field(default_factory=dict)
    chain: list[CommitId] = field(default_factory=list)
    blobs: dict[ObjectId, bytes] = field(default_factory=dict)
    raws: dict[CommitId, bytes] = field(default_factory=dict)

    def commit(
        self,
        files: Mapping[str, Blob],
        by: Person | None,
        parents: Sequence[CommitId],
        message: str = "Move",
    ) -> CommitId:
        raw = _raw(len(self.nodes), parents, message)
        name = CommitId(object_id("commit", raw))
        self.raws[name] = raw
        self.nodes[name] = Node(tuple(parents), dict(files), by, message)
        for blob in files.values():
            self.blobs[object_id("blob", blob.data)] = blob.data
        return name

    def advance(
        self, files: Mapping[str, Blob], by: Person | None, *others: CommitId, message: str = "Move"
    ) -> None:
        self.chain.append(self.commit(files, by, [*self.chain[-1:], *others], message))

    def back(self, number: int) -> CommitId:
        """The commit that was made so many before the last."""
        names = list(self.nodes)
        return names[-1 - number % len(names)]

    def ancestors(self, commit: CommitId) -> set[CommitId]:
        found: set[CommitId] = set()
        waiting = [commit]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self.nodes[each].parents
        return found

    # The judge's questions.

    def signer(self, commit: CommitId) -> PublicKey:
        person = self.nodes[commit].by
        if person is None:
            raise Rejected(Reason.UNSIGNED, "not signed")
        return person.key

    def raw(self, commit: CommitId) -> bytes:
        return self.raws[commit]

    def blob(self, name: ObjectId) -> bytes | None:
        return self.blobs[name]

    def merged(self, transaction: Transaction) -> dict[CommitId, tuple[CommitId, ...]]:
        first, *others = transaction.parents
        known = self.ancestors(first)
        new = {each for other in others for each in self.ancestors(other)} - known
        return {each: self.nodes[each].parents for each in new}

    def listings(self, edges: Sequence[Edge]) -> list[tuple[Change, ...]]:
        return [self._difference(edge.parent, edge.commit) for edge in edges]

    def differences(self, edges: Sequence[Edge], paths: frozenset[bytes]) -> list[tuple[Change, ...]]:
        return [tuple(each for each in all_ if each.path in paths) for all_ in self.listings(edges)]

    def files_at(
        self, commits: Sequence[CommitId], paths: Collection[bytes]
    ) -> dict[CommitId, dict[bytes, Entry]]:
        return {commit: self._files_at(commit, paths) for commit in commits}

    def _files_at(self, commit: CommitId, paths: Collection[bytes]) -> dict[bytes, Entry]:
        found = {path: entry(self.nodes[commit].files.get(path.decode())) for path in paths}
        return {path: each for path, each in found.items() if each is not None}

    def descends(self, commit: CommitId, ancestor: CommitId) -> bool:
        return ancestor in self.ancestors(commit)

    def _difference(self, parent: CommitId | None, commit: CommitId) -> tuple[Change, ...]:
        old = self.nodes[parent].files if parent else {}
        new = self.nodes[commit].files
        paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
        return tuple(Change(path.encode(), entry(old.get(path)), entry(new.get(path))) for path in paths)

    def transactions(self) -> Iterator[Transaction]:
        for commit in self.chain[1:]:
            parents = self.nodes[commit].parents
            yield Transaction(commit, parents, self.raws[commit], self._difference(parents[0], commit))


def _raw(number: int, parents: Sequence[CommitId], message: str) -> bytes:
    """A commit in the accepted form, without a signature; the tree's id only tells it from others."""
    lines = [f"tree {number:040x}", *(f"parent {each}" for each in parents)]
    return "\n".join([*lines, "author <> 0 +0000", "committer <> 0 +0000", "", message, ""]).encode()


def entry(blob: Blob | None) -> Entry | None:
    return None if blob is None else Entry(blob.mode, object_id("blob", blob.data))


BEGUN: dict[str, Blob] = {
    POLICY: Blob(world.policy(ALICE)),
    FARM: Blob(world.farm("paris", BOB)),
    NODE: Blob(world.node("p1")),
    GRANT: Blob(world.grant("acme", 5)),
    "farms/paris/grants/globex.yaml": Blob(world.grant("globex", 5)),
    ACME: Blob(world.tenant("acme", DAVE)),
    GLOBEX: Blob(world.tenant("globex", ERIN)),
}


def repository(moves: Sequence[Move]) -> Repository:
    """The repository in which these moves were made, beginning with everything in `BEGUN`."""
    made = Repository()
    made.advance(BEGUN, ALICE)
    for move in moves:
        _make(made, move)
    return made


def _make(made: Repository, move: Move) -> None:
    if isinstance(move, Write):
        _write(made, move)
    elif isinstance(move, Undo):
        made.advance(_undone(made, move), move.by)
    elif isinstance(move, Merge):
        _merge(made, move)
    elif isinstance(move, Join):
        _join_commits(made, move)
    elif isinstance(move, Squash):
        _squash_commits(made, move)
    elif isinstance(move, Withdraw):
        _withdraw(made, move)
    else:
        _adopt_paths(made, move)


def _withdraw(made: Repository, move: Withdraw) -> None:
    document = world.tenant("acme", DAVE, withdrawn=[made.back(move.back)])
    made.advance({**made.nodes[made.chain[-1]].files, ACME: Blob(document)}, move.by)


def _write(made: Repository, move: Write) -> None:
    base = made.chain[-1] if move.base in (None, TIP) else made.back(move.base or 0)
    files = _changed(made.nodes[base].files, move.changes)
    if move.base is None:
        made.advance(files, move.by)
    else:
        made.commit(files, move.by, [base])


def _join_commits(made: Repository, move: Join) -> None:
    parents = list(dict.fromkeys(made.back(back) for back in move.parents))
    files = dict(made.nodes[parents[0]].files)
    known = made.ancestors(parents[0])
    for other in parents[1:] if move.how == "honest" else ():
        _take_changes(made, files, other, known)
    files = _changed(files, move.changes)
    standing = made.nodes[made.chain[-1]].files
    paths = [path for path, _ in move.changes] or [world.WEB]
    message = _adopting(paths, files, standing) if move.adopts else "Move"
    made.commit(files, move.by, parents, message)


def _squash_commits(made: Repository, move: Squash) -> None:
    tip = made.chain[-1]
    files = dict(made.nodes[tip].files)
    _take_changes(made, files, made.back(move.back), made.ancestors(tip))
    made.advance(files, move.by)


def _adopt_paths(made: Repository, move: Adopt) -> None:
    standing = made.nodes[made.chain[-1 - move.expected % len(made.chain)]].files
    base = made.chain[-1] if move.base in (None, TIP) else made.back(move.base or 0)
    files = _changed(made.nodes[base].files, move.changes)
    message = _adopting(move.paths, files, standing)
    if move.base is None:
        made.advance(files, move.by, message=message)
    else:
        made.commit(files, move.by, [base], message)


def _adopting(paths: Sequence[str], files: Mapping[str, Blob], standing: Mapping[str, Blob]) -> str:
    lines = (f"Tnet-Adopt: {_name(files.get(each))} {_name(standing.get(each))} {each}" for each in paths)
    return "Adopt\n\n" + "\n".join(lines)


def _name(blob: Blob | None) -> str:
    return "0" * 40 if blob is None else object_id("blob", blob.data)


def _changed(files: Mapping[str, Blob], changes: Sequence[tuple[str, int]]) -> dict[str, Blob]:
    changed = dict(files)
    for path, number in changes:
        values = contents()[path]
        _put(changed, path, values[number % len(values)])
    return changed


def _undone(made: Repository, move: Undo) -> dict[str, Blob]:
    commit = made.chain[-1 - move.back % len(made.chain)]
    parents, files = made.nodes[commit].parents, dict(made.nodes[made.chain[-1]].files)
    if parents:
        old, new = made.nodes[parents[0]].files, made.nodes[commit].files
        for path in old.keys() | new.keys():
            if old.get(path) != new.get(path):
                _put(files, path, old.get(path))
    return files


def _merge(made: Repository, move: Merge) -> None:
    tip = made.chain[-1]
    known = made.ancestors(tip)
    others = [name for name in map(made.back, move.others) if name not in known]
    if not others:
        return
    files = dict(made.nodes[tip].files)
    if move.how == "theirs":
        files = dict(made.nodes[others[0]].files)
    elif move.how == "honest":
        for other in others:
            _take_changes(made, files, other, known)
    made.advance(_changed(files, move.smuggled), move.by, *dict.fromkeys(others))


def _take_changes(made: Repository, files: dict[str, Blob], other: CommitId, known: set[CommitId]) -> None:
    """What the other side changed since the last transaction that it knows."""
    behind = made.ancestors(other)
    base = next(made.nodes[each].files for each in reversed(made.chain) if each in behind)
    theirs = made.nodes[other].files
    for path in base.keys() | theirs.keys():
        if base.get(path) != theirs.get(path):
            _put(files, path, theirs.get(path))


def _put(files: dict[str, Blob], path: str, blob: Blob | None) -> None:
    if blob is None:
        files.pop(path, None)
    else:
        files[path] = blob


# --- judging it --------------------------------------------------------------------------------------


def beginning(made: Repository) -> State:
    """The state at the first commit, all of which is in effect."""
    return state_of(made.chain[0], made.nodes[made.chain[0]].files)


def state_of(anchor: CommitId, files: Mapping[str, Blob]) -> State:
    governed = {path: blob for path, blob in files.items() if path != "README"}
    names = {path.encode(): object_id("blob", blob.data) for path, blob in governed.items()}
    model = Model.of({path: load(path, blob.data) for path, blob in governed.items()})
    return State.of(opened(anchor, names), model)


def judged(made: Repository) -> Iterator[tuple[State, Transaction, State, Verdict]]:
    """Each transaction with the state before and after it."""
    state = beginning(made)
    for transaction in made.transactions():
        after, verdict, _ = judge(state, transaction, made)
        yield state, transaction, after, verdict
        state = after


def written(made: Repository, forge: world.Forge) -> Repository:
    """The same history as real objects, signed, and their names in place of the others. Main is at its end.

    Where several authors of a merge are at fault, the verdict is about the first by its name.
    """
    real, names = Repository(blobs=made.blobs), dict[CommitId, CommitId]()
    for name, node in made.nodes.items():
        files: Files = dict(node.files)
        parents = tuple(names[parent] for parent in node.parents)
        payload = forge.payload(forge.write_tree(files), parents, node.message)
        raw = signed(payload, node.by) if node.by else payload
        names[name] = forge.add(raw, files, push=False)
        real.nodes[names[name]] = Node(parents, files, node.by, node.message)
        real.raws[names[name]] = raw
    real.chain = [names[name] for name in made.chain]
    forge.set_main(real.chain[-1])
    return real
