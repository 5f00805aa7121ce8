"""Receipts: what they prove to somebody who has the anchor and nothing else, and every way to forge one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.ledger.checkpoints import checkpoint
from reconciler.ledger.repository.objects import CommitId, object_id
from reconciler.ledger.signatures import sshsig
from reconciler.records.receipt import (
    Change,
    Leaf,
    Owner,
    Proven,
    Receipt,
    ReceiptMalformed,
    ReceiptRefused,
    Statement,
    encode,
    parse,
    to_base64,
)
from reconciler.records.receipt_check import Findings, check
from reconciler.records.receipt_objects import pack_objects
from reconciler.records.receipt_writing import NoCheckpoint, NothingToReceipt
from tests.integration.ledger.checkpoints import (
    WALTER,
    WENDY,
    books_at,
    signed,
    snapshot,
    witness,
    witnessed_policy,
)
from tests.integration.ledger.receipts import write_receipt
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
    Person,
    Ruled,
    World,
    grant,
    network,
    policy,
    tenant,
)

POLICY = "trust/policy.yaml"
ACME = "tenants/ac/acme/tenant.yaml"
GRANT = "farms/paris/grants/acme.yaml"
ON_P1 = [("paris/p1", 1, 7)]


class Office:
    """A world whose transactions get receipts, on the word of root unless something else is said."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.forge = world.forge
        self.anchor = world.anchor

    def checkpoint(self, *people: Person) -> bytes:
        """By root; what it says of the state itself is no matter of receipts."""
        return signed(snapshot(books_at(self.world), state=b"the state"), *(people or (ALICE,)))

    def witness(self, *people: Person) -> bytes:
        return signed(witness(books_at(self.world)), *people)

    def receipt(self, commit: str, file: bytes | None = None, paths: list[str] | None = None) -> Receipt:
        signed_file = self.checkpoint() if file is None else file
        return write_receipt(self.forge.path, self.anchor, commit, signed_file, paths)

    def check(self, receipt: Receipt) -> Findings:
        """As whoever is handed the file checks it."""
        return check(parse(encode(receipt)), self.anchor.commit, self.anchor.root_fingerprints)

    def proves(self, commit: str, file: bytes | None = None, paths: list[str] | None = None) -> Findings:
        return self.check(self.receipt(commit, file, paths))

    def refuses(self, receipt: Receipt, why: str) -> None:
        with pytest.raises(ReceiptRefused, match=why):
            self.check(receipt)

    def buy(self, name: str = "mail", number: int = 3) -> CommitId:
        path = f"tenants/ac/acme/networks/{name}.yaml"
        return self.forge.commit({path: network(name, number, [("paris/p1", 1, 4 + number)])}, DAVE)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


@pytest.fixture
def bought(office: Office) -> Receipt:
    """Of acme's network mail."""
    commit = office.buy()
    office.forge.commit({"README": b"later"})
    return office.receipt(commit)


def statement(file: bytes) -> Statement:
    """A checkpoint's file as a receipt carries it, whoever has signed it."""
    text = checkpoint.parse(file).signed
    return Statement(text.text.decode(), tuple(to_base64(sshsig.dearmor(each)) for each in text.signatures))


# --- what a receipt proves ---------------------------------------------------------------------------


def test_a_purchase_is_proven_with_its_document_and_who_signed(office: Office) -> None:
    commit = office.buy()
    position = books_at(office.world).position
    office.forge.commit({"README": b"later"})
    found = office.proves(commit)
    assert (found.commit, found.position, found.code) == (commit, position, "accepted")
    (document,) = found.documents
    assert (document.path, document.data) == (MAIL, network("mail", 3, ON_P1))
    assert [str(signer) for signer in document.signers] == ["dave (tenant acme)"]
    assert [signer.principal for signer in found.vouching] == ["alice"]
    assert found.root_fingerprints == office.anchor.root_fingerprints


def test_it_is_a_small_file_and_needs_no_repository(office: Office) -> None:
    data = encode(office.receipt(office.buy()))
    assert len(data) < 20_000
    for directory in ("objects", "refs"):
        (office.forge.path / directory).rename(office.forge.path / f"gone-{directory}")
    assert check(parse(data), office.anchor.commit).documents


def test_a_cancellation_is_proven_by_the_absence_of_the_document(office: Office) -> None:
    commit = office.forge.commit({WEB: None}, DAVE)
    (document,) = office.proves(commit).documents
    assert (document.path, document.data) == (WEB, None)
    assert document.signers[0].principal == "dave"


def test_the_sellers_half_is_proven_by_the_farm(office: Office) -> None:
    commit = office.forge.commit({GRANT: grant("acme", 3)}, BOB)
    (document,) = office.proves(commit).documents
    assert document.data == grant("acme", 3)
    assert [str(signer) for signer in document.signers] == ["bob (farm paris)"]


def test_what_a_forge_merged_is_proven_by_who_made_it(office: Office) -> None:
    made = office.forge.branch({MAIL: network("mail", 3, ON_P1)}, DAVE, office.forge.tip)
    office.forge.commit({SHOP: network("shop", 2)}, ERIN)
    merge = office.forge.merge(made)
    receipt = office.receipt(merge)
    assert receipt.documents == (Proven(MAIL, (made,)),)
    assert office.check(receipt).documents[0].signers[0].principal == "dave"


def test_two_who_must_sign_are_both_named(office: Office) -> None:
    office.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    made = office.forge.branch({MAIL: network("mail", 3, ON_P1)}, DAVE, office.forge.tip)
    merge = office.forge.merge(made, by=CHLOE)
    (document,) = office.proves(merge).documents
    assert [signer.principal for signer in document.signers] == ["chloe", "dave"]


def test_a_rule_says_who_signs_for_a_network(office: Office) -> None:
    rules = [Ruled([MAIL], [CHLOE])]
    office.forge.commit({ACME: tenant("acme", DAVE, rules=rules)}, DAVE)
    commit = office.forge.commit({MAIL: network("mail", 3, ON_P1)}, CHLOE)
    (document,) = office.proves(commit).documents
    assert [signer.principal for signer in document.signers] == ["chloe"]


def test_only_some_documents_of_a_transaction(office: Office) -> None:
    commit = office.forge.commit({MAIL: network("mail", 3, ON_P1), WEB: network("web", 1)}, DAVE)
    assert [each.path for each in office.proves(commit).documents] == [MAIL, WEB]
    assert [each.path for each in office.proves(commit, paths=[WEB]).documents] == [WEB]
    with pytest.raises(NothingToReceipt, match="nothing at"):
        office.receipt(commit, paths=[SHOP])


def test_what_the_anchor_holds_can_name_the_signers(empty_world: World) -> None:
    """The tenant's file stands in the anchor itself: then no transaction has to be shown for it."""
    world = empty_world
    world.populate()
    books = books_at(world)
    files = {path.decode(): world.forge.trees[world.forge.tip][path.decode()] for path in books.entries}
    world.forge.commit(files, ALICE, parents=[], subject="Begin anew")
    world.anchor = type(world.anchor)(world.forge.tip, world.anchor.root_fingerprints)
    office = Office(world)
    receipt = office.receipt(office.buy())
    assert receipt.owners == (Owner(ACME, None),)
    assert office.check(receipt).documents


# --- on whose word -----------------------------------------------------------------------------------


def test_a_witness_vouches_by_the_policy_that_names_it(office: Office) -> None:
    office.forge.commit({POLICY: witnessed_policy(ALICE, witnesses=(WENDY,), version=2)}, ALICE)
    receipt = office.receipt(office.buy(), office.witness(WENDY))
    assert len(receipt.policies) == 1
    found = office.check(receipt)
    assert [str(signer) for signer in found.vouching] == ["wendy (witness)"]
    assert found.policy_version == 2


def test_roots_that_follow_each_other_are_followed(office: Office) -> None:
    """Each by the threshold of the one before and its own; one of them takes two."""
    office.forge.commit({POLICY: policy(ALICE, CHLOE, version=2, threshold=1)}, ALICE)
    made = office.forge.branch({POLICY: policy(BOB, CHLOE, version=3, threshold=2)}, CHLOE, office.forge.tip)
    office.forge.merge(made, by=BOB)
    made = office.forge.branch({POLICY: policy(BOB, ERIN, version=4)}, CHLOE, office.forge.tip)
    office.forge.merge(made, by=BOB)
    receipt = office.receipt(office.buy(), office.checkpoint(ERIN))
    assert [len(commits) for commits in receipt.policies] == [1, 2, 2]
    found = office.check(receipt)
    assert [signer.principal for signer in found.vouching] == ["erin"]
    for missing in range(3):
        policies = receipt.policies[:missing] + receipt.policies[missing + 1 :]
        office.refuses(replace(receipt, policies=policies), "comes version|it takes")
    alone = (*receipt.policies[:2], receipt.policies[2][:1])
    office.refuses(replace(receipt, policies=alone), "it takes")


def test_a_witness_that_was_replaced_is_no_help(office: Office) -> None:
    office.forge.commit({POLICY: witnessed_policy(ALICE, witnesses=(WENDY,), version=2)}, ALICE)
    office.forge.commit({POLICY: witnessed_policy(ALICE, witnesses=(WALTER,), version=3)}, ALICE)
    receipt = office.receipt(office.buy(), office.witness(WALTER))
    assert len(receipt.policies) == 2
    office.refuses(replace(receipt, checkpoint=statement(office.witness(WENDY))), "it takes 1")


# --- what there is no receipt of -----------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, MALLORY, ERIN])
def test_a_rejected_transaction_has_none_and_is_told_why(office: Office, by: Person | None) -> None:
    commit = office.forge.commit({MAIL: network("mail", 3, ON_P1)}, by)
    with pytest.raises(NothingToReceipt, match="changed nothing in effect"):
        office.receipt(commit)


def test_what_bought_nothing_has_none(office: Office) -> None:
    for commit in (
        office.forge.commit({"README": b"x"}, DAVE),
        office.forge.commit({ACME: tenant("acme", DAVE, CHLOE)}, DAVE),
        office.anchor.commit,
    ):
        with pytest.raises(NothingToReceipt):
            office.receipt(commit)


def test_without_a_checkpoint_it_says_what_to_run(office: Office) -> None:
    old = office.checkpoint()
    commit = office.buy()
    for file, why in (
        (old, "covers positions up to"),
        (office.checkpoint(MALLORY), "isn't signed by those who may"),
        (office.witness(WENDY), "isn't signed by those who may"),
        (signed(snapshot(books_at(office.world), state=b"x"), ALICE), None),
    ):
        if why is None:
            office.receipt(commit, file)
            continue
        with pytest.raises(NoCheckpoint, match=why) as refused:
            office.receipt(commit, file)
        assert "tnet checkpoint" in refused.value.advice
    with pytest.raises(NoCheckpoint, match="there is none here"):
        write_receipt(office.forge.path, office.anchor, commit, None)


def test_a_checkpoint_of_another_history_is_not_leant_on(office: Office) -> None:
    office.buy()
    other = office.checkpoint()
    office.forge.set_main(office.forge.trees and _parent(office, office.forge.tip))
    commit = office.buy("blog", 4)
    with pytest.raises(NoCheckpoint, match="of another history"):
        office.receipt(commit, other)


def _parent(office: Office, commit: str) -> str:
    return office.forge.git("rev-parse", f"{commit}^1")


# --- attacks -----------------------------------------------------------------------------------------


def test_for_another_anchor_it_proves_nothing(office: Office, bought: Receipt) -> None:
    other = office.forge.git("rev-parse", "main~1")
    with pytest.raises(ReceiptRefused, match="of the ledger that begins at"):
        check(bought, other)
    office.refuses(replace(bought, anchor=other), "of the ledger that begins at")
    with pytest.raises(ReceiptRefused, match="root keys"):
        check(bought, office.anchor.commit, [MALLORY.key.fingerprint])


def test_another_commits_proof_is_no_proof(office: Office, bought: Receipt) -> None:
    other = office.receipt(office.forge.commit({WEB: network("web", 1)}, DAVE))
    assert other.transaction.proof != bought.transaction.proof
    leaf = replace(bought.transaction, proof=other.transaction.proof)
    office.refuses(replace(bought, transaction=leaf), "isn't (proven|in the log)")
    office.refuses(replace(bought, transaction=other.transaction), ".")


def test_a_rejected_transactions_true_leaf_is_refused(office: Office, bought: Receipt) -> None:
    """It is in the log, with its code. So the code is looked at, and can't be changed."""
    commit = office.forge.commit({WEB: network("web", 1, comment="mine")}, MALLORY)
    at = books_at(office.world)
    assert at.commit == commit
    file = office.checkpoint()
    proof = _proof(office, at.position)
    leaf = Leaf(at.position, commit, "unknown-key", (), proof)
    forged = replace(bought, transaction=leaf, checkpoint=statement(file))
    office.refuses(forged, "changed nothing")
    blob = object_id("blob", network("web", 1, comment="mine"))
    accepted = replace(leaf, code="accepted", changes=(Change(WEB, blob),))
    office.refuses(replace(forged, transaction=accepted), "isn't in the log")


def _proof(office: Office, position: int) -> tuple[str, ...]:
    from reconciler.ledger.judging import merkle
    from reconciler.ledger.replay import replay

    judged = replay(office.forge.path, office.anchor, "main")
    try:
        return tuple(each.hex() for each in merkle.inclusion_proof(judged.leaves, position))
    finally:
        judged.close()


def test_a_forged_checkpoint_is_refused(office: Office, bought: Receipt) -> None:
    for file in (
        office.checkpoint(MALLORY),
        office.witness(MALLORY),
        office.witness(ALICE),
        signed(snapshot(books_at(office.world), state=b""), ALICE, namespace="git"),
    ):
        office.refuses(
            replace(bought, checkpoint=statement(file)), "it takes 1|the checkpoint is a witness|is refused"
        )
    said = bought.checkpoint
    bent = replace(said, text=said.text.replace("sequence: 1", "sequence: 2"))
    office.refuses(replace(bought, checkpoint=bent), "a signature of the snapshot 2 is refused")
    twice = replace(said, signatures=said.signatures * 2)
    office.refuses(replace(bought, checkpoint=twice), "aren't sorted")
    stranger = statement(office.checkpoint(MALLORY)).signatures
    more = replace(said, signatures=tuple(sorted((*said.signatures, *stranger))))
    office.refuses(replace(bought, checkpoint=more), "has no say|is refused")


def test_a_checkpoint_of_another_ledger_is_refused(office: Office, bought: Receipt) -> None:
    import dataclasses

    books = books_at(office.world)
    elsewhere = dataclasses.replace(snapshot(books, state=b""), anchor=CommitId("1" * 40))
    office.refuses(replace(bought, checkpoint=statement(signed(elsewhere, ALICE))), "of another ledger")


def test_an_older_checkpoint_stands_for_nothing_later(office: Office) -> None:
    old = office.checkpoint()
    receipt = office.receipt(office.buy())
    office.refuses(replace(receipt, checkpoint=statement(old)), "vouches for positions up to")


def test_nobody_makes_himself_root(office: Office, bought: Receipt) -> None:
    """A policy after the anchor's takes enough of root before and after it."""
    mine = policy(MALLORY, version=2)
    both = policy(ALICE, MALLORY, version=2, threshold=2)
    for content, by, why in (
        (mine, MALLORY, "it takes 1 of root"),
        (mine, None, "not signed"),
        (mine, ALICE, "it takes 1 of root"),
        (both, ALICE, "it takes 2 of root"),
        (policy(ALICE, MALLORY, version=3), ALICE, "comes version 3"),
    ):
        commit = office.forge.branch({POLICY: content}, by, office.forge.tip)
        forged = _with(office, bought, commit, POLICY)
        office.refuses(
            replace(forged, policies=((commit,),), checkpoint=statement(office.checkpoint(MALLORY))), why
        )


def _with(office: Office, receipt: Receipt, commit: str, path: str) -> Receipt:
    """The receipt that carries this commit, too, with the way to a document in it."""
    names = office.forge.git("ls-tree", "-r", "-t", commit, "--", *_parts(path)).splitlines()
    found = [("commit", office.forge.raw(commit)), ("tree", office.forge.raw(_tree(office, commit)))]
    for line in names:
        _, kind, rest = line.split(" ", 2)
        name, _, where = rest.partition("\t")
        if where == path or (kind == "tree" and path.startswith(where + "/")):
            found.append((kind, office.forge.raw(name)))
    return replace(receipt, objects=pack_objects([*_carried(receipt), *found]))


def _parts(path: str) -> list[str]:
    return [path]


def _tree(office: Office, commit: str) -> str:
    return office.forge.git("rev-parse", f"{commit}^{{tree}}")


def _carried(receipt: Receipt) -> list[tuple[str, bytes]]:
    objects = receipt.objects
    return [
        *(("commit", text.encode()) for text in objects.commits),
        *(("blob", text.encode()) for text in objects.documents),
        *(("tree", base64.b64decode(text)) for text in objects.trees),
    ]


def test_the_document_cant_be_exchanged(office: Office, bought: Receipt) -> None:
    other = network("mail", 9)
    name = object_id("blob", other)
    changed = replace(bought.transaction, changes=(Change(MAIL, name),))
    objects = pack_objects([*_carried(bought), ("blob", other)])
    office.refuses(replace(bought, transaction=changed, objects=objects), "isn't in the log")


def test_a_strangers_signature_approves_nothing(office: Office, bought: Receipt) -> None:
    for by, why in ((MALLORY, "it takes 1"), (ERIN, "it takes 1"), (None, "not signed")):
        commit = office.forge.branch({MAIL: network("mail", 3, ON_P1)}, by, office.anchor.commit)
        forged = _with(office, bought, commit, MAIL)
        office.refuses(replace(forged, documents=(Proven(MAIL, (commit,)),)), why)
        signers = tuple(sorted((*bought.documents[0].approved_by, commit)))
        why = "not signed" if by is None else "who has no say"
        office.refuses(replace(forged, documents=(Proven(MAIL, signers),)), why)


def test_a_signature_under_other_content_approves_nothing(office: Office, bought: Receipt) -> None:
    commit = office.forge.branch({MAIL: network("mail", 8)}, DAVE, office.anchor.commit)
    forged = _with(office, bought, commit, MAIL)
    office.refuses(replace(forged, documents=(Proven(MAIL, (commit,)),)), "holds something else")
    nothing = office.forge.branch({"README": b"x"}, DAVE, office.anchor.commit)
    forged = _with(office, bought, nothing, "README")
    office.refuses(replace(forged, documents=(Proven(MAIL, (nothing,)),)), "holds something else")


def test_nobody_counts_twice(office: Office) -> None:
    office.forge.commit({ACME: tenant("acme", DAVE, CHLOE, threshold=2)}, DAVE)
    made = office.forge.branch({MAIL: network("mail", 3, ON_P1)}, DAVE, office.forge.tip)
    receipt = office.receipt(office.forge.merge(made, by=CHLOE))
    again = office.forge.branch({"README": b"again"}, DAVE, made)
    forged = replace(
        _with(office, receipt, again, MAIL), documents=(Proven(MAIL, tuple(sorted((made, again)))),)
    )
    office.refuses(forged, "it takes 2")
    both = tuple(sorted((*receipt.documents[0].approved_by, again)))
    office.refuses(replace(forged, documents=(Proven(MAIL, both),)), "stands there twice")


def test_who_may_sign_cant_be_made_up(office: Office, bought: Receipt) -> None:
    """A tenant's file of one's own, from a transaction that isn't in the log, or from a later one."""
    mine = tenant("acme", MALLORY)
    name = object_id("blob", mine)
    (owner,) = bought.owners
    assert owner.leaf is not None
    leaf = replace(owner.leaf, changes=(Change(ACME, name),))
    objects = pack_objects([*_carried(bought), ("blob", mine)])
    office.refuses(replace(bought, owners=(Owner(ACME, leaf),), objects=objects), "isn't in the log")
    office.refuses(replace(bought, owners=(Owner(ACME, None),)), "doesn't carry|isn't in effect")
    later = office.forge.commit({ACME: tenant("acme", DAVE, MALLORY)}, DAVE)
    spoilt = office.receipt(office.buy("blog", 5))
    assert spoilt.owners[0].leaf is not None and spoilt.owners[0].leaf.commit == later
    again = office.receipt(CommitId(bought.transaction.commit))
    objects = pack_objects([*_carried(again), *_carried(spoilt)])
    office.refuses(replace(again, owners=spoilt.owners, objects=objects), "only after the transaction")


def test_the_wrong_owner_or_none_is_refused(office: Office, bought: Receipt) -> None:
    (owner,) = bought.owners
    office.refuses(replace(bought, owners=(replace(owner, path="farms/paris/farm.yaml"),)), "aren't those")
    office.refuses(replace(bought, owners=(owner, owner)), "aren't those")
    office.refuses(replace(bought, documents=bought.documents * 2), "aren't sorted")


def test_what_isnt_needed_isnt_carried(office: Office, bought: Receipt) -> None:
    for more in (("blob", b"x: 1\n"), ("tree", b""), ("commit", office.forge.raw(office.forge.tip))):
        objects = pack_objects([*_carried(bought), more])
        office.refuses(replace(bought, objects=objects), "on which nothing of it leans")


def test_what_is_missing_is_missed(office: Office, bought: Receipt) -> None:
    carried = _carried(bought)
    for at in range(len(carried)):
        objects = pack_objects(carried[:at] + carried[at + 1 :])
        office.refuses(replace(bought, objects=objects), "doesn't carry")


def test_objects_in_another_order_or_twice_are_refused(office: Office, bought: Receipt) -> None:
    trees = bought.objects.trees
    for other in (trees[::-1], (*trees, trees[-1])):
        office.refuses(replace(bought, objects=replace(bought.objects, trees=other)), "aren't sorted by id")


def test_a_withdrawn_approval_is_none(office: Office, bought: Receipt) -> None:
    """The tenant had taken its consent back before, by the file that the receipt itself shows."""
    made = office.forge.branch({MAIL: network("mail", 3, ON_P1)}, DAVE, office.forge.tip)
    office.forge.commit({ACME: tenant("acme", DAVE, withdrawn=[made])}, DAVE)
    receipt = office.receipt(
        office.forge.commit({MAIL: network("mail", 3, ON_P1), WEB: None}, DAVE), paths=[WEB]
    )
    forged = _with(office, receipt, made, WEB)
    office.refuses(replace(forged, documents=(Proven(WEB, (made,)),)), "taken back|holds something else")


# --- the form ----------------------------------------------------------------------------------------


def test_a_receipt_has_one_encoding(bought: Receipt) -> None:
    data = encode(bought)
    assert encode(parse(data)) == data
    plain = json.loads(data)
    for other in (
        json.dumps(plain).encode(),
        data + b"\n",
        data[:-1],
        b"\xef\xbb\xbf" + data,
        data.replace(b'"position": ', b'"position": 0', 1),
        data.replace(b'"format"', b'"format": "tnet/v1 receipt",\n "format"', 1),
        json.dumps(dict(reversed(plain.items())), indent=1).encode() + b"\n",
        json.dumps({**plain, "note": "x"}, indent=1).encode() + b"\n",
        data.replace(b"tnet/v1 receipt", b"tnet/v1 \\u0072eceipt", 1),
    ):
        with pytest.raises(ReceiptMalformed):
            parse(other)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b"\xff", b"{" * 100_000, b'"\\ud800"', b"1e999"]
)
def test_other_things_are_no_receipts(data: bytes) -> None:
    with pytest.raises(ReceiptMalformed):
        parse(data)


def test_every_end_of_it_is_missed(bought: Receipt) -> None:
    data = encode(bought)
    for length in range(0, len(data), max(1, len(data) // 200)):
        with pytest.raises(ReceiptMalformed):
            parse(data[:length])


def test_no_value_can_be_changed(office: Office, bought: Receipt) -> None:
    """In each value of the JSON a character at the start, in the middle and at the end."""
    plain = json.loads(encode(bought))
    tried = 0
    for put, value in _values(plain):
        for other in _others(value):
            put(other)
            tried += 1
            with pytest.raises(ReceiptRefused):
                check(_reread(plain), office.anchor.commit, office.anchor.root_fingerprints)
        put(value)
    assert tried > 100
    assert check(_reread(plain), office.anchor.commit).documents


def _reread(plain: Any) -> Receipt:
    return parse(json.dumps(plain, indent=1, ensure_ascii=True).encode() + b"\n")


def _values(node: Any) -> Iterator[tuple[Callable[[Any], None], Any]]:
    """Every value that is no container, and how to put another in its place."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        if isinstance(value, dict | list):
            yield from _values(value)
        else:
            yield (lambda other, key=key: node.__setitem__(key, other)), value


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, int):
        yield from (value + 1, value - 1)
    elif value is None:
        yield "0" * 40
    else:
        for at in sorted({0, len(value) // 2, len(value) - 1}):
            other = "b" if value[at] == "a" else "a"
            yield value[:at] + other + value[at + 1 :]
        yield value[:-1]
        yield value + "a"
