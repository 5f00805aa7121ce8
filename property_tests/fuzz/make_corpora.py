"""Writes the seeds of the fuzz targets: `python -m property_tests.fuzz.make_corpora`.

Each is a small file that a target reads far into, so that mutations begin where it is interesting. Private
keys are made from fixed words, or made for one signature and forgotten; none is written anywhere. Seeds by
ecdsa and rsa change from run to run.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from property_tests.fuzz.receipt_target import ANCHOR
from property_tests.fuzz.sshsig_target import MESSAGE
from property_tests.fuzz.tree_target import SEPARATOR
from property_tests.signed_commits import SoftKey, soft_keys
from reconciler.ledger.signatures import proof
from reconciler.ledger.signatures.wire import string
from reconciler.model.paths import POLICY_PATH
from reconciler.records.receipt import encode
from tests.integration.ledger import world
from tests.integration.ledger.checkpoints import (
    WENDY,
    books_at,
    signed,
    snapshot,
    witness,
    witnessed_policy,
)
from tests.integration.ledger.receipts import write_receipt
from tests.integration.ledger.world import ALICE, BOB, CHLOE, DAVE, Ruled
from tests.unit.ledger.authenticator import Token, signed_data, sshsig_of
from tests.unit.ledger.openssh import armor

HERE = Path(__file__).parent / "corpora"
WHO = b"A B <a@b> 1700000000 +0100"
UNSIGNED = b"tree %s\nparent %s\nparent %s\nauthor %s\ncommitter %s\n\nSubject\r\n\nBody\t\xc3\xa9\n" % (
    b"a" * 40,
    b"b" * 40,
    b"c" * 40,
    WHO,
    WHO,
)


def ed25519_token() -> Token:
    return Token(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"token").digest()))


def ecdsa_token(application: bytes) -> Token:
    return Token(ec.derive_private_key(0x7E57, ec.SECP256R1()), application)


def commits() -> Mapping[str, bytes]:
    token = ed25519_token()
    by_token = token.sign(UNSIGNED).strip().replace(b"\n", b"\n ")
    head, _, message = UNSIGNED.partition(b"\n\n")
    return {
        "unsigned": UNSIGNED,
        "root": UNSIGNED.replace(b"parent %s\nparent %s\n" % (b"b" * 40, b"c" * 40), b""),
        "signed": world.signed(UNSIGNED, ALICE),
        "by-a-token": head + b"\ngpgsig " + by_token + b"\n\n" + message,
        "adopting": head + b"\n\nS\n\nTnet-Adopt: %s %s trust/policy.yaml\n" % (b"a" * 40, b"0" * 40),
        "adopting-oddly": head + b"\n\nS\n\ntnet-adopt : x\n",
        "two-hashes": head + b"\ngpgsig a\n b\ngpgsig-sha256 c\n\n" + message,
        "openpgp": head + b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n\n" + message,
        "encoding": head + b"\nencoding ISO-8859-1\n\n" + message,
        "mergetag": head + b"\nmergetag object %s\n type commit\n\n" % (b"b" * 40) + message,
    }


def signatures() -> Mapping[str, bytes]:
    browser = ecdsa_token(b"sign.example")
    dotted = ecdsa_token(b"ssh:")
    return {
        "ed25519": armor(ALICE.sign(MESSAGE)),
        "ed25519-blob": ALICE.sign(MESSAGE),
        "another-purpose": ALICE.sign(MESSAGE, "tnet-tenant"),
        "token": ed25519_token().sign(MESSAGE),
        "token-ecdsa": dotted.sign(MESSAGE),
        "browser": browser.sign_in_browser(MESSAGE, flags=0x81, extensions=b"\xa0"),
        **{key.name: _by(key) for key in soft_keys() if key.name.startswith(("rsa", "ecdsa"))},
        "no-value": sshsig_of(ALICE.key.blob, b""),
        "key": ALICE.key.blob,
        "key-token": dotted.blob,
        "key-text": ALICE.key.text.encode(),
        "key-token-text": browser.public_text.encode(),
    }


def _by(key: SoftKey) -> bytes:
    return sshsig_of(key.blob, key.inner(signed_data(MESSAGE)))


def documents() -> Mapping[str, bytes]:
    rules = [Ruled(("trust/suspensions/*",), (BOB, CHLOE))]
    texts = {
        "trust/policy.yaml": world.policy(
            ALICE, BOB, version=3, threshold=2, rules=rules, withdrawn=["a" * 40]
        ),
        "trust/suspensions/acme.yaml": world.suspension("acme"),
        "farms/paris/farm.yaml": world.farm("paris", BOB),
        "farms/paris/nodes/p1.yaml": world.node("p1"),
        "farms/paris/grants/acme.yaml": world.grant("acme"),
        "tenants/ac/acme/tenant.yaml": world.tenant("acme", DAVE),
        "tenants/ac/acme/networks/web.yaml": world.network("web", 1, [("paris/p1", 1, 1)]),
    }
    named = {
        path.removesuffix(".yaml").replace("/", "-"): f"{path}\n".encode() + text
        for path, text in texts.items()
    }
    policy = named["trust-policy"]
    return {
        **named,
        "policy-of-tomorrow": policy.replace(b"protocol: 1", b"protocol: 2"),
        "bomb": b"trust/policy.yaml\na: &a [x, x]\nb: &b [*a, *a]\n",
        "two": policy + b"---\n" + policy,
        "blocks": b"trust/policy.yaml\nkind: |-\n  Policy\nspec: >+\n\n  a\n\n\nx: 'y'\nz: \"\\u00e9\"\n",
    }


def trees() -> Mapping[str, bytes]:
    def entry(mode: str, name: str, number: int) -> bytes:
        return f"{mode} {name}".encode() + b"\0" + number.to_bytes(20, "big")

    old = entry("100644", "README", 9) + entry("40000", "farms", 1) + entry("40000", "tenants", 2)
    new = entry("100755", "README", 9) + entry("120000", "farms", 9) + entry("40000", "tenants", 1)
    leaf = entry("100644", "a", 9) + entry("160000", "b", 9) + entry("0100664", "c", 9)
    return {
        "roots": old + SEPARATOR + new,
        "leaves": leaf + SEPARATOR + leaf[: len(leaf) // 2],
        "nested": entry("40000", "trust", 2) + SEPARATOR + entry("40000", "policy.yaml", 2) + leaf[:25],
        "folded": entry("40000", "FARMS", 2) + SEPARATOR + entry("40000", "trust.", 2),
        "order": entry("40000", "trust", 2) + entry("100644", "trust.x", 1) + SEPARATOR,
    }


def checkpoints() -> Mapping[str, bytes]:
    common = (
        f"anchor: {'a' * 40}\nsequence: 7\nposition: 12\ncommit: {'b' * 40}\n"
        f"state: {'c' * 64}\nlog: {'d' * 64}\nissued: 2026-01-01T00:00:00Z\n"
    )
    witness = f"tnet/v1 checkpoint\nkind: witness\n{common}expires: 2026-01-02T00:00:00Z\n".encode()
    snapshot = f"tnet/v1 checkpoint\nkind: snapshot\n{common}content: {'e' * 64}\nbytes: 1000\n".encode()
    reanchor = (
        f"tnet/v1 reanchor\nanchor: {'a' * 40}\nsequence: 1\nold: {'b' * 40}\n"
        f"new: {'c' * 40}\nposition: 3\nstate: {'d' * 64}\n"
    ).encode()
    return {
        "witness": witness + b"\n" + armor(ALICE.sign(witness, "tnet-checkpoint")),
        "snapshot": snapshot
        + b"\n"
        + b"".join(armor(each.sign(snapshot, "tnet-checkpoint")) for each in (ALICE, BOB)),
        "unsigned": witness + b"\n",
        "reanchor": reanchor + b"\n" + armor(ALICE.sign(reanchor, "tnet-reanchor")),
        "another-purpose": witness + b"\n" + armor(ALICE.sign(witness, proof.NAMESPACE)),
    }


def states() -> Mapping[str, bytes]:
    head = b"tnet/v1 state\0" + b"a" * 20 + b"b" * 20
    at_three = head + (2).to_bytes(8, "big") + b"h" * 32 + b"l" * 32 + b"p" * 32 * 2
    policy = string(b"trust/policy.yaml") + b"c" * 20
    one, none = (1).to_bytes(4, "big"), bytes(4)
    return {
        "empty": head + bytes(8) + b"h" * 32 + b"l" * 32 + b"p" * 32 + none * 3,
        "whole": at_three + one + policy + one + policy + one + string(b"acme"),
        "out-of-order": at_three + (2).to_bytes(4, "big") + policy * 2 + none * 2,
    }


def receipts() -> Mapping[str, bytes]:
    """Of a purchase, of a cancellation, and of a grant, as root and as a witness vouch for them."""
    with tempfile.TemporaryDirectory() as directory:
        made = world.World(Path(directory))
        made.populate()
        bought = made.forge.commit({world.MAIL: world.network("mail", 3, [("paris/p1", 1, 7)])}, DAVE)
        witnessed = witnessed_policy(ALICE, witnesses=(WENDY,), version=2)
        made.forge.commit({POLICY_PATH: witnessed}, ALICE)
        ended = made.forge.commit({world.WEB: None}, DAVE)
        granted = made.forge.commit({"farms/paris/grants/acme.yaml": world.grant("acme", 3)}, BOB)
        books = books_at(made)
        by_root = signed(snapshot(books, state=b"state"), ALICE)
        by_witness = signed(witness(books), WENDY)
        assert made.anchor.commit == ANCHOR, f"put it into receipt_target.py: {made.anchor.commit}"
        found = {"bought": (bought, by_root), "ended": (ended, by_witness), "granted": (granted, by_root)}
        return {
            name: encode(write_receipt(made.forge.path, made.anchor, commit, file))
            for name, (commit, file) in found.items()
        }


SEEDS = {
    "receipt": receipts,
    "state": states,
    "commit": commits,
    "sshsig": signatures,
    "document": documents,
    "tree": trees,
    "checkpoint": checkpoints,
}


def main() -> None:
    for target, seeds in SEEDS.items():
        directory = HERE / target
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in seeds().items():
            (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
