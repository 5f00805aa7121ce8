"""One ledger in which every reason occurs: what the golden vectors of protocol 1 are made of.

The people's keys, the dates and the contents are fixed, so the story always has the same commits. The subject
of each is the code that it has to get. A rejected one is followed by one that gives its paths back what is in
effect, so that no step stands in another's way.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.ledger import bounds
from reconciler.ledger.judging.adoption import Adoption
from reconciler.ledger.judging.books import FILE_MODE
from reconciler.ledger.repository.objects import CommitId, Entry, ObjectId, object_id
from reconciler.ledger.verdict import Reason
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    CHLOE,
    DAVE,
    ERIN,
    MAIL,
    MALLORY,
    SHOP,
    WEB,
    Blob,
    Files,
    Forge,
    Person,
    World,
    farm,
    network,
    policy,
    signed,
    suspension,
    tenant,
)

POLICY = "trust/policy.yaml"
FARM = "farms/paris/farm.yaml"
ACME = "tenants/ac/acme/tenant.yaml"
GLOBEX = "tenants/gl/globex/tenant.yaml"
INITECH = "tenants/in/initech/tenant.yaml"
ONE, TWO, THREE = (network("web", number, [("paris/p1", 1, 1)]) for number in (31, 32, 33))
NINE = network("mail", 9)


def tell(directory: Path) -> World:
    """The world whose main branch is the story."""
    world = World(directory)
    world.populate()
    teller = Teller(world.forge)
    for chapter in (the_commit, the_signature, the_owner, the_merge, the_documents, the_bounds, going_on):
        chapter(teller)
    return world


class Teller:
    """Writes transactions, and clears away what is rejected."""

    def __init__(self, forge: Forge) -> None:
        self.forge = forge

    def commit(
        self, reason: Reason, changes: dict[str, bytes | Blob | None], by: Person | None = DAVE
    ) -> CommitId:
        return self.told(reason, self.forge.commit(changes, by, push=False, subject=reason.value))

    def merge(
        self,
        reason: Reason,
        *branches: CommitId,
        holds: dict[str, bytes | Blob | None],
        by: Person | None = None,
    ) -> CommitId:
        parents = [self.forge.tip, *branches]
        merged = self.forge.commit(holds, by, parents=parents, push=False, subject=reason.value)
        return self.told(reason, merged)

    def told(self, reason: Reason, commit: CommitId) -> CommitId:
        before = self.forge.tip
        self.forge.set_main(commit)
        if not reason.accepted:
            self.forge.commit({}, tree_of=before, subject=Reason.REPAIR.value)
        return commit

    def branch(
        self, changes: dict[str, bytes | Blob | None], by: Person | None = DAVE, on: CommitId | None = None
    ) -> CommitId:
        return self.forge.branch(changes, by, on=on or self.forge.tip)

    def raw(self, reason: Reason, files: Files, extra: bytes, by: Person | None) -> None:
        """A commit with `extra` among its headers, before the signature."""
        payload = self.forge.payload(self.forge.write_tree(files), [self.forge.tip], reason.value)
        payload = payload.replace(b"\n\n", b"\n" + extra + b"\n\n", 1) if extra else payload
        self.told(reason, self.forge.add(signed(payload, by) if by else payload, files, push=False))

    def with_web(self, content: bytes) -> Files:
        return {**self.forge.trees[self.forge.tip], WEB: Blob(content)}


def the_commit(story: Teller) -> None:
    story.commit(Reason.VOID, {"README": b"Nothing of ours."}, None)
    story.commit(Reason.UNGOVERNABLE_PATH, {"farms/paris/notes.txt": b""})
    story.commit(Reason.WRONG_MODE, {WEB: Blob(ONE, "100755")})
    story.raw(Reason.MALFORMED_COMMIT, story.with_web(ONE), b"encoding latin-1", DAVE)
    refused = story.forge.commit({WEB: ONE}, MALLORY, subject=Reason.UNKNOWN_KEY.value)
    story.forge.commit({WEB: TWO}, DAVE, subject=Reason.BASED_ON_REJECTED.value)
    story.forge.commit({}, tree_of=_parent_of(story, refused), subject=Reason.REPAIR.value)
    _adopting(story)


def _parent_of(story: Teller, commit: CommitId) -> CommitId:
    return CommitId(story.forge.git("rev-parse", f"{commit}^1"))


def _adopting(story: Teller) -> None:
    old = story.forge.trees[story.forge.tip][WEB].data
    story.forge.commit({WEB: ONE}, None, subject=Reason.UNSIGNED.value)
    for reason, expected in ((Reason.ADOPT_MISMATCH, TWO), (Reason.ACCEPTED, old)):
        line = Adoption(WEB.encode(), _entry(ONE), _entry(expected))
        story.forge.commit({}, DAVE, subject=f"{reason.value}\n\n{line}")
    story.forge.commit({}, DAVE, subject=f"{Reason.MALFORMED_ADOPT.value}\n\nTnet-Adopt: {WEB}")


def _entry(content: bytes) -> Entry:
    return Entry(FILE_MODE, ObjectId(object_id("blob", content)))


def the_signature(story: Teller) -> None:
    story.commit(Reason.UNSIGNED, {WEB: TWO}, None)
    files = story.with_web(TWO)
    pgp = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----"
    story.raw(Reason.UNSUPPORTED_SIGNATURE, files, pgp, None)
    payload = story.forge.payload(
        story.forge.write_tree(files), [story.forge.tip], Reason.BAD_SIGNATURE.value
    )
    changed = signed(payload, DAVE).replace(b"Somebody <", b"Nobody <", 1)
    story.told(Reason.BAD_SIGNATURE, story.forge.add(changed, files, push=False))


def the_owner(story: Teller) -> None:
    story.commit(Reason.UNKNOWN_KEY, {WEB: TWO}, MALLORY)
    story.commit(Reason.NO_RULE, {"farms/lyon/grants/acme.yaml": b""}, BOB)
    story.commit(Reason.NOT_AUTHORIZED, {WEB: TWO}, ERIN)
    story.commit(Reason.ACCEPTED, {GLOBEX: tenant("globex", ERIN, CHLOE, threshold=2)}, ERIN)
    story.commit(Reason.THRESHOLD, {SHOP: network("shop", 40)}, ERIN)
    two = story.branch({SHOP: network("shop", 40)}, ERIN)
    story.merge(Reason.ACCEPTED, two, holds={SHOP: network("shop", 40)}, by=CHLOE)
    consent = story.branch({WEB: TWO})
    story.commit(Reason.ACCEPTED, {ACME: tenant("acme", DAVE, withdrawn=[consent])})
    story.merge(Reason.WITHDRAWN, consent, holds={WEB: TWO})
    story.commit(Reason.RECOVERY_EXCEEDED, {ACME: tenant("acme", CHLOE)}, ALICE)
    story.commit(Reason.RECOVERY, {ACME: tenant("acme", CHLOE, withdrawn=[consent])}, ALICE)
    story.commit(Reason.UNKNOWN_KEY, {WEB: TWO}, DAVE)
    story.commit(Reason.ACCEPTED, {ACME: tenant("acme", DAVE)}, CHLOE)


def the_merge(story: Teller) -> None:
    old = story.branch({"README": b"Nothing of ours, again."}, None)
    story.commit(Reason.ACCEPTED, {WEB: TWO})
    story.merge(Reason.ACCEPTED, story.branch({WEB: THREE}), holds={WEB: THREE})
    story.merge(Reason.NOT_AS_AUTHORED, old, story.branch({WEB: TWO}), holds={WEB: ONE})
    one, other = story.branch({WEB: ONE}), story.branch({WEB: TWO})
    story.merge(Reason.SEVERAL_AUTHORS, one, other, holds={WEB: ONE})
    both = story.branch({WEB: TWO, MAIL: NINE})
    story.merge(Reason.INCOMPLETE_MERGE, both, holds={WEB: TWO})
    story.merge(Reason.NO_AUTHOR, both, holds={WEB: TWO, MAIL: NINE})
    stale = story.branch({WEB: TWO})
    story.commit(Reason.ACCEPTED, {WEB: ONE})
    story.merge(Reason.STALE_BASE, stale, holds={WEB: TWO})
    story.commit(Reason.ACCEPTED, {WEB: THREE})


def the_documents(story: Teller) -> None:
    story.commit(Reason.INVALID_DOCUMENT, {WEB: b"apiVersion: tnet/v2\n"})
    story.commit(Reason.POLICY_REMOVED, {POLICY: None}, ALICE)
    story.commit(Reason.POLICY_VERSION, {POLICY: policy(ALICE, version=3)}, ALICE)
    story.commit(Reason.PROOF_MISSING, {INITECH: tenant("initech", CHLOE, proofs=())}, ALICE)
    wrong = tenant("initech", CHLOE, proofs=[(CHLOE, MALLORY.sign(b"", "tnet-tenant"))])
    story.commit(Reason.PROOF_INVALID, {INITECH: wrong}, ALICE)
    story.commit(Reason.TENANT_HAS_NETWORKS, {ACME: None})
    story.commit(Reason.VIOLATION, {MAIL: network("mail", 9, [("paris/p1", 1, 1)])})
    story.commit(Reason.ACCEPTED, {INITECH: tenant("initech", CHLOE)}, ALICE)
    story.commit(Reason.ACCEPTED, {INITECH: None}, CHLOE)
    story.commit(Reason.NAME_RETIRED, {INITECH: tenant("initech", CHLOE)}, ALICE)


def the_bounds(story: Teller) -> None:
    networks = "tenants/ac/acme/networks"
    many = {f"{networks}/n{number}.yaml": b"" for number in range(bounds.MAX_PATHS + 1)}
    story.commit(Reason.TOO_MANY_PATHS, dict(many))
    padding = b"\n#".ljust(bounds.MAX_DOCUMENT_BYTES - 4096, b" ")
    count = bounds.MAX_TRANSACTION_BYTES // len(padding) + 1
    large = {f"{networks}/n{number}.yaml": network(f"n{number}", 1) + padding for number in range(count)}
    story.commit(Reason.TOO_LARGE, dict(large))
    branch = story.forge.tip
    for number in range(65):
        branch = story.branch({"README": b"%d" % number}, None, on=branch)
    crowd = [story.branch({WEB: ONE}, on=branch), *(story.branch({WEB: ONE}, on=branch) for _ in range(64))]
    joined = story.forge.commit({WEB: ONE}, None, parents=crowd[:60], push=False)
    again = story.forge.commit({WEB: ONE}, None, parents=[joined, *crowd[60:]], push=False)
    story.merge(Reason.TOO_MANY_COMMITS, again, holds={WEB: ONE})


def going_on(story: Teller) -> None:
    story.commit(Reason.ACCEPTED, {"trust/suspensions/acme.yaml": suspension("acme")}, ALICE)
    story.commit(Reason.ACCEPTED, {"trust/suspensions/acme.yaml": None}, ALICE)
    story.commit(Reason.ACCEPTED, {FARM: farm("paris", BOB, CHLOE)}, BOB)
    story.commit(Reason.ACCEPTED, {POLICY: policy(ALICE, version=2)}, ALICE)
    story.commit(Reason.ACCEPTED, {WEB: None, ACME: None})
