"""The specification's steps 1 to 5 and its section on merges once more: small, slow, by whole trees alone.

Written from docs/spec/ledger.md and not from the judge. It knows commits as (parents, files, signer, message)
and asks for no differences; sets are searched, nothing is remembered. Bounds are left out: the histories that
it is held against stay within them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from property_tests.ledger_histories import BEGUN, Node, Repository
from reconciler.ledger.repository.objects import CommitId, object_id
from reconciler.model.documents import Farm, Grant, Network, Policy, Rule, Suspension, Tenant
from reconciler.model.loader import load
from reconciler.model.paths import place_of, tenant_path
from tests.integration.ledger.world import Blob, Person

Absent = None
GOVERNED = ("trust/", "farms/", "tenants/")


class Refused(Exception):
    """Carries the code."""


@dataclass(frozen=True)
class Line:
    """An adopting line: ids of blobs, None for no blob."""

    new: str | None
    expected: str | None


@dataclass
class Oracle:
    """What is in effect (`now`), since which transaction (`since`), and who may say so."""

    made: Repository
    now: dict[str, Blob] = field(default_factory=lambda: dict(BEGUN))
    since: dict[str, CommitId] = field(default_factory=dict)

    # --- what happened, as told by the judge ---------------------------------------------------------

    def accept(self, merge: CommitId) -> None:
        for path in self.claims(merge):
            self.since[path] = merge
            blob = self.at(merge, path)
            if blob is Absent:
                del self.now[path]
            else:
                self.now[path] = blob

    # --- commits --------------------------------------------------------------------------------------

    def at(self, commit: CommitId | None, path: str) -> Blob | None:
        return Absent if commit is None else self.made.nodes[commit].files.get(path)

    def node(self, commit: CommitId) -> Node:
        return self.made.nodes[commit]

    def parents(self, commit: CommitId) -> tuple[CommitId | None, ...]:
        return self.node(commit).parents or (None,)

    def reaches(self, commit: CommitId | None, ancestor: CommitId) -> bool:
        return commit is not None and ancestor in self.made.ancestors(commit)

    def new(self, merge: CommitId) -> set[CommitId]:
        """N and W."""
        first, *others = self.node(merge).parents
        found = {each for other in others for each in self.made.ancestors(other)}
        return {merge} | found - self.made.ancestors(first)

    def lines(self, commit: CommitId) -> dict[str, Line]:
        """The adopting lines; of what is malformed, these histories have lines that change nothing."""
        found: dict[str, Line] = {}
        for line in self.node(commit).message.split("\n\n")[-1].split("\n"):
            if line.startswith("Tnet-Adopt: "):
                _, new, expected, path = line.split(" ")
                if new == expected:
                    raise Refused("malformed-adopt")
                found[path] = Line(_id(new), _id(expected))
        return found

    def is_known(self, commit: CommitId) -> bool:
        by = self.node(commit).by
        return by is not None and any(by.key.text in keys for keys in self.all_keys())

    def adopts(self, commit: CommitId, merge: CommitId) -> dict[str, Line]:
        """What counts of them in the transaction `merge`."""
        alone = commit == merge and len(self.node(merge).parents) == 1
        if not alone and not self.is_known(commit):
            return {}
        try:
            return self.lines(commit)
        except Refused:
            if commit == merge:
                raise
            return {}

    # --- section 7 ------------------------------------------------------------------------------------

    def code(self, merge: CommitId) -> str | None:
        """The code of steps 1 to 5; None if they are passed."""
        try:
            self.judge(merge)
        except Refused as refused:
            return str(refused)
        return None

    def touched(self, merge: CommitId) -> list[str]:
        first = self.node(merge).parents[0]
        paths = {*self.node(merge).files, *self.node(first).files}
        found = {path for path in paths if self.at(merge, path) != self.at(first, path)}
        found |= self.adopts(merge, merge).keys()
        for commit in self.new(merge) - {merge}:
            adopted = self.adopts(commit, merge)
            found |= {path for path in adopted if self.at(merge, path) != self.now.get(path)}
        return sorted((path for path in found if path.startswith(GOVERNED)), key=str.encode)

    def claims(self, merge: CommitId) -> list[str]:
        return [path for path in self.touched(merge) if self.at(merge, path) != self.now.get(path)]

    def judge(self, merge: CommitId) -> None:
        touched, own = self.touched(merge), self.adopts(merge, merge)
        _require(bool(touched), "void")
        for path in touched:
            if path in own:
                _require(own[path].expected == _blob_id(self.now.get(path)), "adopt-mismatch")
                _require(self.holds(merge, path, own[path].new), "adopt-mismatch")
        claims = self.claims(merge)
        _require(bool(claims), "repair")
        for path in claims:
            blob = self.at(merge, path)
            _require(place_of(path) is not None, "ungovernable-path")
            _require(blob is Absent or blob.mode == "100644", "wrong-mode")
        first, *others = self.node(merge).parents
        for path in claims:
            based = self.at(first, path) == self.now.get(path) or path in own
            _require(bool(others) or based, "based-on-rejected")
        Authority(self, merge, claims).ask()

    def holds(self, commit: CommitId, path: str, name: str | None) -> bool:
        blob = self.at(commit, path)
        return _blob_id(blob) == name and (blob is Absent or blob.mode == "100644")

    # --- section 8: who may ---------------------------------------------------------------------------

    def document(self, path: str) -> object:
        return load(path, self.now[path].data) if path in self.now else None

    def all_keys(self) -> Iterator[tuple[str, ...]]:
        for path in self.now:
            if not path.endswith("README"):
                yield from self.named(path)[1].values()
                for rule in self.rules(path):
                    yield from (each.keys for each in rule.signers.principals)

    def rules(self, path: str) -> tuple[Rule, ...]:
        document = self.document(path)
        return document.spec.rules if isinstance(document, Policy | Farm | Tenant) else ()

    def withdrawn(self, path: str) -> tuple[str, ...]:
        document = self.document(path)
        return document.spec.withdrawn if isinstance(document, Policy | Farm | Tenant) else ()

    def quorum(self, owner: str, path: str) -> tuple[int, dict[str, tuple[str, ...]]]:
        """Whom the owner names for this path, by its first rule for it or by itself."""
        for rule in self.rules(owner) if owner != path else ():
            if any(_matches(pattern, path) for pattern in rule.paths):
                signers = rule.signers
                return signers.threshold, {each.name: tuple(each.keys) for each in signers.principals}
        return self.named(owner)

    def named(self, path: str) -> tuple[int, dict[str, tuple[str, ...]]]:
        """Threshold, and principals with their keys, as the document at this path says for itself."""
        document = self.document(path)
        if isinstance(document, Policy):
            signers = document.spec.root
        elif isinstance(document, Farm):
            signers = document.spec.farmers
        elif isinstance(document, Tenant):
            signers = document.spec.signers
        else:
            return 0, {}
        return signers.threshold, {each.name: tuple(each.keys) for each in signers.principals}

    def owner(self, path: str, result: Blob | None) -> str:
        place = place_of(path)
        assert place is not None
        if place.kind in (Policy, Suspension):
            return "trust/policy.yaml"
        if place.kind is Farm:
            return path if path in self.now and result is not Absent else "trust/policy.yaml"
        if place.kind is Tenant:
            return path if path in self.now else "trust/policy.yaml"
        if place.kind is Network:
            return tenant_path(place.tenant)
        assert place.farm and (place.kind is Grant or "/nodes/" in path)
        return f"farms/{place.farm}/farm.yaml"


@dataclass
class Authority:
    """Step 5 for one transaction."""

    oracle: Oracle
    merge: CommitId
    paths: list[str]
    counted: set[CommitId] = field(default_factory=set)

    def ask(self) -> None:
        recovered = False
        for path in self.paths:
            recovered |= self.ask_about(path)
            _require(not recovered or len(self.paths) == 1, "recovery-exceeded")
        if len(self.oracle.node(self.merge).parents) > 1:
            for commit in self.counted - {self.merge}:
                self.require_whole(commit)

    def ask_about(self, path: str) -> bool:
        """True for a recovery."""
        oracle, result = self.oracle, self.oracle.at(self.merge, path)
        if len(oracle.node(self.merge).parents) > 1:
            trail = Trail(oracle, self.merge, path)
            last = trail.last()
            way = trail.way(last)
        else:
            trail, last, way = None, self.merge, {self.merge}
        signers = [self.signer(commit) for commit in sorted(way)]
        try:
            owner = oracle.owner(path, result)
            _require(owner in oracle.now, "no-rule")
            self.hear(owner, oracle.quorum(owner, path), signers, trail, last, way)
        except Refused:
            root = oracle.named("trust/policy.yaml")[1]
            is_tenant = path.endswith("/tenant.yaml") and path in oracle.now
            if not is_tenant or not all(_principal(root, each) for each in signers):
                raise
            policy = "trust/policy.yaml"
            self.hear(policy, oracle.named(policy), signers, trail, last, way)
            _require(result is not Absent, "recovery-exceeded")
            return True
        return False

    def signer(self, commit: CommitId) -> Person:
        by = self.oracle.node(commit).by
        if by is None:
            raise Refused("unsigned")
        return by

    def hear(
        self,
        owner: str,
        quorum: tuple[int, dict[str, tuple[str, ...]]],
        signers: Iterable[Person],
        trail: Trail | None,
        last: CommitId,
        way: set[CommitId],
    ) -> None:
        threshold, principals = quorum
        gone = self.oracle.withdrawn(owner)
        for person in signers:
            known = any(person.key.text in keys for keys in self.oracle.all_keys())
            _require(known or _principal(principals, person) is not None, "unknown-key")
            _require(_principal(principals, person) is not None, "not-authorized")
        _require(way.isdisjoint(gone), "withdrawn")
        approving = {last}
        if trail is not None:
            approving |= {self.merge} if self.oracle.node(self.merge).by else set()
            approving |= trail.seconding(last, principals, gone)
        people = [self.oracle.node(commit).by for commit in approving]
        names = {_principal(principals, person) for person in people if person} - {None}
        _require(len(names) >= threshold, "threshold")
        self.counted |= way
        for commit in approving - {self.merge, last}:
            assert trail is not None
            self.counted |= trail.way(commit)

    def require_whole(self, commit: CommitId) -> None:
        """What a counted commit made elsewhere stands in the merge, or was replaced by right."""
        oracle = self.oracle
        every = {path for node in oracle.made.nodes.values() for path in node.files}
        for path in sorted(every):
            trail = Trail(oracle, self.merge, path, blind=True)
            if path in self.paths or place_of(path) is None or not trail.is_author(commit):
                continue
            for last in trail.before(self.merge):
                rightful = last == commit or self.may_replace(last, commit, path, trail.made(last))
                same = trail.made(last) == _blob_id_if_file(oracle.at(self.merge, path))
                _require(same and rightful, "incomplete-merge")

    def may_replace(self, last: CommitId, commit: CommitId, path: str, made: str | None) -> bool:
        by, author = self.oracle.node(last).by, self.oracle.node(commit).by
        if by is None:
            return False
        result = Absent if made is None else Blob(b"")
        owner = self.oracle.owner(path, result)
        named = owner in self.oracle.now and _principal(self.oracle.quorum(owner, path)[1], by) is not None
        return by == author or named


@dataclass
class Trail:
    """Section 9 for one path. With `blind`, an author that brought back what is in effect is one, too."""

    oracle: Oracle
    merge: CommitId
    path: str
    blind: bool = False

    def __post_init__(self) -> None:
        self.commits = self.oracle.new(self.merge)
        self.effective = _blob_id_if_file(self.oracle.now.get(self.path))

    def line(self, commit: CommitId) -> Line | None:
        return self.oracle.adopts(commit, self.merge).get(self.path)

    def is_author(self, commit: CommitId) -> bool:
        oracle = self.oracle
        mine = oracle.at(commit, self.path)
        differs = all(oracle.at(parent, self.path) != mine for parent in oracle.parents(commit))
        return differs or self.line(commit) is not None

    def made(self, commit: CommitId) -> str | None:
        line = self.line(commit)
        return line.new if line else _blob_id_if_file(self.oracle.at(commit, self.path))

    def nearest(self, commit: CommitId | None) -> set[CommitId]:
        if commit not in self.commits or commit is None:
            return set()
        if self.is_author(commit):
            return {commit} if self.blind or self.made(commit) != self.effective else set()
        return self.before(commit)

    def before(self, commit: CommitId) -> set[CommitId]:
        return {each for parent in self.oracle.parents(commit) for each in self.nearest(parent)}

    def last(self) -> CommitId:
        found = self.nearest(self.merge)
        _require(bool(found), "no-author")
        _require(len(found) == 1, "several-authors")
        (last,) = found
        _require(
            self.made(last) == _blob_id_if_file(self.oracle.at(self.merge, self.path)), "not-as-authored"
        )
        return last

    def way(self, last: CommitId) -> set[CommitId]:
        found, faults, waiting = {last}, dict[CommitId, str](), [last]
        while waiting:
            commit = waiting.pop()
            try:
                behind = self.behind(commit)
            except Refused as refused:
                faults[commit] = str(refused)
                continue
            waiting += behind - found
            found |= behind
        if faults:
            raise Refused(faults[min(faults)])
        return found

    def behind(self, commit: CommitId) -> set[CommitId]:
        oracle, line = self.oracle, self.line(commit)
        since = oracle.since.get(self.path, oracle.made.chain[0])
        parents = oracle.parents(commit)
        knows = any(oracle.reaches(parent, since) for parent in parents)
        if line is not None:
            _require(line.expected == self.effective, "adopt-mismatch")
            _require(oracle.holds(commit, self.path, line.new), "adopt-mismatch")
            _require(knows, "stale-base")
            return set()
        odd = [each for each in parents if _blob_id_if_file(oracle.at(each, self.path)) != self.effective]
        if not odd:
            _require(knows, "stale-base")
            return set()
        found: set[CommitId] = set()
        for parent in odd:
            nearest = self.nearest(parent)
            there = _blob_id_if_file(oracle.at(parent, self.path))
            on_main = commit == self.merge and parent == oracle.node(self.merge).parents[0]
            _require(
                any(self.made(each) == there for each in nearest),
                "based-on-rejected" if on_main else "stale-base",
            )
            found |= nearest
        return found

    def seconding(
        self, last: CommitId, principals: Mapping[str, tuple[str, ...]], gone: tuple[str, ...]
    ) -> set[CommitId]:
        """Those who made the same before an adoption of it, if they and all behind them are named."""
        found: set[CommitId] = set()
        waiting = [last]
        while waiting:
            commit = waiting.pop()
            for each in self.before(commit) if self.line(commit) else ():
                same = self.made(each) == self.made(last) and each not in found
                if same and self.counts(each, principals, gone):
                    found.add(each)
                    waiting.append(each)
        return found

    def counts(
        self, commit: CommitId, principals: Mapping[str, tuple[str, ...]], gone: tuple[str, ...]
    ) -> bool:
        try:
            way = self.way(commit)
        except Refused:
            return False
        people = [self.oracle.node(each).by for each in way]
        return way.isdisjoint(gone) and all(
            person is not None and _principal(principals, person) is not None for person in people
        )


def _matches(pattern: str, path: str) -> bool:
    ours, theirs = pattern.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(a in ("*", b) for a, b in zip(ours, theirs, strict=True))


def _require(holds: bool, code: str) -> None:
    if not holds:
        raise Refused(code)


def _principal(principals: Mapping[str, tuple[str, ...]], person: Person) -> str | None:
    return next((name for name, keys in principals.items() if person.key.text in keys), None)


def _id(text: str) -> str | None:
    return None if text == "0" * 40 else text


def _blob_id(blob: Blob | None) -> str | None:
    return None if blob is Absent else object_id("blob", blob.data)


def _blob_id_if_file(blob: Blob | None) -> str | None:
    """With its mode where it is no plain file: then it is something else."""
    if blob is Absent or blob.mode == "100644":
        return _blob_id(blob)
    return f"{blob.mode} {_blob_id(blob)}"
