"""Commits whose SSHSIG is wrong in one field: each is rejected by name, and holds nobody up.

What each field may hold is tried one by one, against OpenSSH, in tests/unit/ledger/test_sshsig.py.
"""

from __future__ import annotations

import base64

import pytest

from reconciler.ledger.signatures.wire import string
from tests.integration.ledger.world import DAVE, ERIN, MAIL, WEB, Blob, World, armor, network

pytestmark = pytest.mark.rule(20)

ED25519, ZEROS = b"ssh-ed25519", bytes(64)
HUGE = b"\xff\xff\xff\xff"
"""A length of 4 GiB, and nothing behind it."""

UNSUPPORTED, BAD = "unsupported-signature", "bad-signature"

FIELDS: dict[str, list[tuple[bytes, str]]] = {
    "magic": [(b"SSHSIX", BAD), (b"", BAD), (b"SSHSIGSSHSIG", UNSUPPORTED)],
    "version": [(bytes(4), UNSUPPORTED), (b"\0\0\0\2", UNSUPPORTED), (HUGE, UNSUPPORTED)],
    "key": [
        (string(b""), UNSUPPORTED),
        (HUGE, BAD),
        (string(string(b"ssh-dss") + string(bytes(20))), UNSUPPORTED),
        (string(string(ED25519) + string(bytes(31))), UNSUPPORTED),
        (string(string(ED25519) + string(b"\1" + bytes(31))), UNSUPPORTED),
        (string(string(b"ssh-ed25519-cert-v01@openssh.com") + string(bytes(32))), UNSUPPORTED),
        (string(ERIN.key.blob), BAD),
    ],
    "namespace": [
        (string(b""), UNSUPPORTED),
        (string(b"file"), UNSUPPORTED),
        (string(b"tnet-tenant"), UNSUPPORTED),
        (string(b"git\0"), BAD),
        (HUGE, BAD),
    ],
    "reserved": [(string(b"x"), BAD), (HUGE, BAD), (b"", BAD)],
    "hash": [
        (string(b"sha1"), UNSUPPORTED),
        (string(b"SHA512"), UNSUPPORTED),
        (string(b"sha256"), BAD),
        (string(b""), UNSUPPORTED),
        (HUGE, BAD),
    ],
    "signature": [
        (string(b""), BAD),
        (string(string(ED25519) + string(ZEROS)), BAD),
        (string(string(ED25519) + string(ZEROS[1:])), BAD),
        (string(string(ED25519) + string(ZEROS) + b"\0"), BAD),
        (string(string(b"rsa-sha2-512") + string(ZEROS)), UNSUPPORTED),
        (string(string(ED25519) + HUGE), BAD),
        (HUGE, BAD),
    ],
    "end": [(b"\0", BAD), (string(b"git"), BAD)],
}


def fields_of(signature: bytes) -> dict[str, bytes]:
    """A good signature by `Person.sign`, in its parts."""
    at, strings = 10, []
    while at < len(signature):
        end = at + 4 + int.from_bytes(signature[at : at + 4], "big")
        strings.append(signature[at:end])
        at = end
    names = ("key", "namespace", "reserved", "hash", "signature")
    parts = dict(zip(names, strings, strict=True))
    return {"magic": signature[:6], "version": signature[6:10], **parts, "end": b""}


def push(world: World, armored: bytes | None = None, **spoilt: bytes) -> str:
    """Dave's next change of his network, with another signature than he made; the verdict's code."""
    forge = world.forge
    files = {**forge.trees[forge.tip], WEB: Blob(network("web", 7))}
    payload = forge.payload(forge.write_tree(files), [forge.tip], "Change")
    binary = b"".join({**fields_of(DAVE.sign(payload)), **spoilt}.values())
    text = (armor(binary) if armored is None else armored).replace(b"\n", b"\n ")
    head, _, message = payload.partition(b"\n\n")
    forge.add(head + b"\ngpgsig " + text + b"\n\n" + message, files)
    return world.sync().verdicts[-1].code


def assert_goes_on(world: World) -> None:
    before = world.effective(WEB)
    assert before is not None
    world.forge.commit({WEB: before}, None)
    world.forge.commit({MAIL: network("mail", 8)}, DAVE)
    assert world.codes(2) == ["repair", "accepted"]


def test_put_together_again_it_counts(world: World) -> None:
    assert push(world) == "accepted"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [(field, value, code) for field, values in FIELDS.items() for value, code in values],
    ids=[f"{field}-{number}" for field, values in FIELDS.items() for number in range(len(values))],
)
def test_a_field_that_is_malformed(world: World, field: str, value: bytes, code: str) -> None:
    before = world.sync()
    assert push(world, **{field: value}) == code
    assert world.sync().model == before.model
    assert_goes_on(world)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"-----BEGIN SSH SIGNATURE-----", b"-----BEGIN SSH SIGNATURE----"),
        lambda text: text.replace(b"\n-----END SSH SIGNATURE-----", b""),
        lambda text: text + b"\nx",
        lambda text: text + b"\n" + text,
        lambda text: text.replace(b"U1NI", b"U1N\xc5\x82", 1),
        lambda text: text.replace(b"U1NI", b"U1 NI", 1),
        lambda text: text.replace(b"\n-----END", b"====\n-----END"),
        lambda text: b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----",
        lambda text: armor(base64.b64encode(text)),
        lambda text: armor(bytes(20_000)),
    ],
    ids=[
        "begin",
        "no end",
        "more behind it",
        "two",
        "no base64",
        "a space",
        "padding",
        "nothing",
        "twice encoded",
        "long",
    ],
)
def test_an_armor_that_is_malformed(world: World, spoil: object) -> None:
    assert callable(spoil)
    text = armor(DAVE.sign(b"whatever"))
    assert push(world, spoil(text)) in (BAD, UNSUPPORTED)
    assert_goes_on(world)
