"""Signatures: what OpenSSH makes is accepted, and each field of it is looked at."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.ledger.signatures import keys, sshsig
from reconciler.ledger.signatures.keys import KeyRefused
from reconciler.ledger.signatures.sshsig import (
    DoesNotVerify,
    Malformed,
    SignatureRefused,
    UnsupportedAlgorithm,
    UnsupportedHash,
    UnsupportedKey,
    UnsupportedVersion,
    WrongNamespace,
)
from reconciler.ledger.signatures.wire import mpint, string
from tests.unit.ledger.openssh import KINDS, KeyPair, armor, run

MESSAGE = b"tree 0\n\nwhat was signed\n"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], KeyPair]:
    directory = tmp_path_factory.mktemp("keys")
    return {kind: KeyPair.make(directory, *kind) for kind in KINDS}


@pytest.fixture(scope="module")
def pair(pairs: dict[tuple[str, int], KeyPair]) -> KeyPair:
    return pairs["ed25519", 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hash_name", ["sha256", "sha512"])
def test_what_ssh_keygen_signs_verifies(
    pairs: dict[tuple[str, int], KeyPair], kind: tuple[str, int], hash_name: str
) -> None:
    pair = pairs[kind]
    armored = pair.sign(MESSAGE, "git", "-O", f"hashalg={hash_name}")
    key = sshsig.verify(armored, MESSAGE)
    assert key == keys.from_text(pair.public_text)
    assert key.fingerprint == pair.fingerprint
    assert key.text == " ".join(pair.public_text.split()[:2])
    with pytest.raises(DoesNotVerify):
        sshsig.verify(armored, MESSAGE + b"x")


def test_another_namespace_is_another_purpose(pair: KeyPair) -> None:
    with pytest.raises(WrongNamespace):
        sshsig.verify(pair.sign(MESSAGE, "file"), MESSAGE)
    assert sshsig.verify(pair.sign(MESSAGE, "file"), MESSAGE, "file")


@pytest.mark.parametrize(("kind", "bits"), [("rsa", 1024), ("dsa", 1024)])
def test_weak_keys_are_refused(tmp_path: Path, kind: str, bits: int) -> None:
    if kind == "dsa" and b"ssh-dss" not in run("ssh", "-Q", "key"):
        pytest.skip("OpenSSH 10 has no such keys any more")
    pair = KeyPair.make(tmp_path, kind, bits)
    with pytest.raises(KeyRefused):
        keys.from_text(pair.public_text)


def fields(pair: KeyPair) -> dict[str, bytes]:
    """A good signature in its parts."""
    blob = sshsig.dearmor(pair.sign(MESSAGE))
    parsed = sshsig.parse(blob)
    return {
        "magic": b"SSHSIG",
        "version": (1).to_bytes(4, "big"),
        "key": string(parsed.key.blob),
        "namespace": string(b"git"),
        "reserved": string(b""),
        "hash": string(b"sha512"),
        "signature": string(string(parsed.algorithm.encode()) + string(parsed.value)),
        "end": b"",
    }


ED25519 = b"ssh-ed25519"
SPOILT: dict[str, tuple[str, bytes, type[SignatureRefused]]] = {
    "another magic": ("magic", b"SSHSIX", Malformed),
    "version 0": ("version", bytes(4), UnsupportedVersion),
    "version 2": ("version", (2).to_bytes(4, "big"), UnsupportedVersion),
    "no key": ("key", string(b""), UnsupportedKey),
    "a key type unknown": ("key", string(string(b"ssh-xyz") + string(bytes(32))), UnsupportedKey),
    "a security key": (
        "key",
        string(string(b"sk-ssh-ed25519@openssh.com") + string(bytes(32))),
        UnsupportedKey,
    ),
    "a certificate": ("key", string(string(b"ssh-ed25519-cert-v01@openssh.com")), UnsupportedKey),
    "a short key": ("key", string(string(ED25519) + string(bytes(31))), UnsupportedKey),
    "a key with bytes too many": ("key", string(string(ED25519) + string(bytes(32)) + b"\0"), UnsupportedKey),
    "another key": ("key", string(string(ED25519) + string(b"\1" * 32)), DoesNotVerify),
    "another namespace": ("namespace", string(b"got"), WrongNamespace),
    "an empty namespace": ("namespace", string(b""), WrongNamespace),
    "a namespace with a NUL": ("namespace", string(b"git\0"), Malformed),
    "something reserved": ("reserved", string(b"x"), Malformed),
    "sha1": ("hash", string(b"sha1"), UnsupportedHash),
    "sha384": ("hash", string(b"sha384"), UnsupportedHash),
    "no hash": ("hash", string(b""), UnsupportedHash),
    "another hash than was signed": ("hash", string(b"sha256"), DoesNotVerify),
    "no signature": ("signature", string(b""), Malformed),
    "another algorithm": ("signature", string(string(b"ssh-rsa") + string(bytes(64))), UnsupportedAlgorithm),
    "zeros": ("signature", string(string(ED25519) + string(bytes(64))), DoesNotVerify),
    "a short one": ("signature", string(string(ED25519) + string(bytes(63))), DoesNotVerify),
    "bytes after it": ("signature", string(string(ED25519) + string(bytes(64)) + b"\0"), Malformed),
    "bytes at the end": ("end", b"\0", Malformed),
    "a DSA key": ("key", string(string(b"ssh-dss") + mpint(23)), UnsupportedKey),
    "a key of small order": ("key", string(string(ED25519) + string(b"\1" + bytes(31))), UnsupportedKey),
    "a key in a longer spelling": ("key", string(string(ED25519) + string(b"\xff" * 32)), UnsupportedKey),
    "an X.509 key": ("key", string(string(b"x509v3-ssh-rsa") + string(b"")), UnsupportedKey),
    "a key's type with a NUL": ("key", string(string(ED25519 + b"\0") + string(b"\1" * 32)), UnsupportedKey),
    "a key's type in capitals": ("key", string(string(b"SSH-ED25519") + string(b"\1" * 32)), UnsupportedKey),
    "a namespace in capitals": ("namespace", string(b"GIT"), WrongNamespace),
    "a namespace with a space": ("namespace", string(b"git "), Malformed),
    "a tenant's proof": ("namespace", string(b"tnet-tenant"), WrongNamespace),
    "md5": ("hash", string(b"md5"), UnsupportedHash),
    "a hash in capitals": ("hash", string(b"SHA512"), UnsupportedHash),
    "a hash with a NUL": ("hash", string(b"sha512\0"), Malformed),
    "a key of 4 GiB": ("key", b"\xff\xff\xff\xff", Malformed),
    "a namespace of 4 GiB": ("namespace", b"\xff\xff\xff\xffgit", Malformed),
    "a reserved field of 4 GiB": ("reserved", b"\xff\xff\xff\xff", Malformed),
    "a hash name of 4 GiB": ("hash", b"\xff\xff\xff\xffsha512", Malformed),
    "a signature of 4 GiB": ("signature", b"\xff\xff\xff\xff", Malformed),
    "an algorithm of 4 GiB": ("signature", string(b"\xff\xff\xff\xff" + ED25519), Malformed),
    "a value of 4 GiB": ("signature", string(string(ED25519) + b"\xff\xff\xff\xff"), Malformed),
    "an algorithm with a NUL": ("signature", string(string(ED25519 + b"\0") + string(bytes(64))), Malformed),
    "no algorithm": ("signature", string(string(b"") + string(bytes(64))), UnsupportedAlgorithm),
    "no value": ("signature", string(string(ED25519) + string(b"")), DoesNotVerify),
    "a long value": ("signature", string(string(ED25519) + string(bytes(65))), DoesNotVerify),
}


STRICTER = {"version 0", "a namespace with a NUL", "something reserved", "a hash with a NUL"}
"""What ssh-keygen (OpenSSH 9.2) lets pass."""


@pytest.mark.parametrize("what", SPOILT)
def test_each_field_is_looked_at(pair: KeyPair, what: str) -> None:
    name, value, refusal = SPOILT[what]
    spoilt = {**fields(pair), name: value}
    armored = armor(b"".join(spoilt.values()))
    with pytest.raises(refusal) as raised:
        sshsig.verify(armored, MESSAGE)
    assert type(raised.value) is refusal
    assert pair.accepts(armored, MESSAGE) is (what in STRICTER)


def test_every_shorter_signature_is_refused(pair: KeyPair) -> None:
    blob = sshsig.dearmor(pair.sign(MESSAGE))
    for length in range(len(blob)):
        with pytest.raises(SignatureRefused):
            sshsig.verify_blob(blob[:length], MESSAGE, "git")


def test_every_flipped_bit_is_refused(pair: KeyPair) -> None:
    blob = bytearray(sshsig.dearmor(pair.sign(MESSAGE)))
    for bit in range(8 * len(blob)):
        blob[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureRefused):
            sshsig.verify_blob(bytes(blob), MESSAGE, "git")
        blob[bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize(
    "spoil",
    [
        lambda armored: armored[1:],
        lambda armored: armored.replace(b"BEGIN", b"begin"),
        lambda armored: armored + b"x",
        lambda armored: b"\n" + armored,
        lambda armored: armored.replace(b"\n", b"\r\n"),
        lambda armored: armored.replace(b"A", b"!", 1),
        lambda armored: armored.replace(b"U1NIU0", b"U1NI U0", 1),
        lambda armored: armored + armored,
        lambda armored: b"",
        lambda armored: b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----",
        lambda armored: b"A" * 20000,
    ],
)
def test_the_armor_holds_nothing_else(pair: KeyPair, spoil: object) -> None:
    with pytest.raises(Malformed):
        sshsig.verify(spoil(pair.sign(MESSAGE)), MESSAGE)  # type: ignore[operator]


def test_an_rsa_signature_by_sha1_is_refused(pairs: dict[tuple[str, int], KeyPair]) -> None:
    spoilt = fields(pairs["rsa", 2048])
    value = sshsig.parse(b"".join(spoilt.values())).value
    spoilt["signature"] = string(string(b"ssh-rsa") + string(value))
    with pytest.raises(UnsupportedAlgorithm):
        sshsig.verify_blob(b"".join(spoilt.values()), MESSAGE, "git")


def test_a_curve_is_held_to_its_key(pairs: dict[tuple[str, int], KeyPair]) -> None:
    spoilt = fields(pairs["ecdsa", 256])
    value = sshsig.parse(b"".join(spoilt.values())).value
    spoilt["signature"] = string(string(b"ecdsa-sha2-nistp384") + string(value))
    with pytest.raises(UnsupportedAlgorithm):
        sshsig.verify_blob(b"".join(spoilt.values()), MESSAGE, "git")


@pytest.mark.parametrize(
    "value",
    [b"", string(b"\0\1") + string(b"\1"), string(b"\xff") + string(b"\1"), mpint(1) + mpint(1) + b"\0"],
    ids=["empty", "long form", "negative", "bytes too many"],
)
def test_an_ecdsa_signature_is_two_positive_numbers(
    pairs: dict[tuple[str, int], KeyPair], value: bytes
) -> None:
    spoilt = fields(pairs["ecdsa", 256])
    spoilt["signature"] = string(string(b"ecdsa-sha2-nistp256") + string(value))
    with pytest.raises(Malformed):
        sshsig.verify_blob(b"".join(spoilt.values()), MESSAGE, "git")


L = 2**252 + 27742317777372353535851937790883648493
"""The order of edwards25519 (RFC 8032, section 5.1)."""


def test_an_ed25519_signature_has_one_value(pair: KeyPair) -> None:
    """Adding the order to S gives another number for which the equation holds, too; ssh-keygen takes it."""
    spoilt = fields(pair)
    value = sshsig.parse(b"".join(spoilt.values())).value
    larger = int.from_bytes(value[32:], "little") + L
    spoilt["signature"] = string(string(ED25519) + string(value[:32] + larger.to_bytes(32, "little")))
    with pytest.raises(DoesNotVerify):
        sshsig.verify_blob(b"".join(spoilt.values()), MESSAGE, "git")
    assert pair.accepts(armor(b"".join(spoilt.values())), MESSAGE) is (larger < 2**253)


def test_the_armor_has_one_spelling(pair: KeyPair) -> None:
    """Two of the bits in front of a `=` say nothing, and have to be zero."""
    armored = pair.sign(MESSAGE, "git")
    blob = sshsig.dearmor(armored)
    assert len(blob) % 3, "or there is no padding, and nothing to spoil"
    at = armored.index(b"=\n-----END") - (len(blob) % 3 == 1) - 1
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spoilt = bytearray(armored)
    spoilt[at] = alphabet[alphabet.index(armored[at]) + 1]
    with pytest.raises(Malformed, match="superfluous"):
        sshsig.verify(bytes(spoilt), MESSAGE)
    assert not pair.accepts(bytes(spoilt), MESSAGE)


@pytest.mark.parametrize("kind", [("rsa", 2048), ("rsa", 3072)])
def test_an_rsa_signature_is_no_longer_than_its_key(
    pairs: dict[tuple[str, int], KeyPair], kind: tuple[str, int]
) -> None:
    pair = pairs[kind]
    spoilt = fields(pair)
    value = sshsig.parse(b"".join(spoilt.values())).value
    for longer in (b"\0" + value, value + b"\0"):
        spoilt["signature"] = string(string(b"rsa-sha2-512") + string(longer))
        with pytest.raises(Malformed):
            sshsig.verify_blob(b"".join(spoilt.values()), MESSAGE, "git")
        assert not pair.accepts(armor(b"".join(spoilt.values())), MESSAGE)


def test_the_data_signed_is_the_other_hash_and_nothing_else(pairs: dict[tuple[str, int], KeyPair]) -> None:
    """An rsa signature by `rsa-sha2-256` doesn't count as one by `rsa-sha2-512`."""
    spoilt = fields(pairs["rsa", 2048])
    signature = sshsig.parse(b"".join(spoilt.values()))
    other = {"rsa-sha2-256": b"rsa-sha2-512", "rsa-sha2-512": b"rsa-sha2-256"}[signature.algorithm]
    spoilt["signature"] = string(string(other) + string(signature.value))
    with pytest.raises(DoesNotVerify):
        sshsig.verify_blob(b"".join(spoilt.values()), MESSAGE, "git")


P = 2**255 - 19


@pytest.mark.parametrize("y", [1, P + 1], ids=["small order", "longer spelling"])
def test_nobody_signs_anything_by_a_key_of_small_order(pair: KeyPair, y: int) -> None:
    """With A = 0, SB = R + kA holds for S = 0 and R = 0 whatever was signed. ssh-keygen is fooled."""
    key = string(ED25519) + string(y.to_bytes(32, "little"))
    value = (1).to_bytes(32, "little") + bytes(32)
    forged = {**fields(pair), "key": string(key), "signature": string(string(ED25519) + string(value))}
    armored = armor(b"".join(forged.values()))
    for message in (MESSAGE, b"anything else"):
        with pytest.raises(UnsupportedKey, match=r"small order|shortest form"):
            sshsig.verify(armored, message)
        assert pair.accepts(armored, message), "stricter: keys"


def test_nobody_signs_anything_by_an_rsa_exponent_of_one(pairs: dict[tuple[str, int], KeyPair]) -> None:
    """The signature is the padded hash itself (RFC 8017, section 9.2); ssh-keygen is fooled."""
    pair = pairs["rsa", 2048]
    good = fields(pair)
    modulus = sshsig.parse(b"".join(good.values())).key.blob[-256:]
    digest = hashlib.sha256(sshsig.parse(b"".join(good.values())).signed_data(MESSAGE)).digest()
    info = bytes.fromhex("3031300d060960864801650304020105000420") + digest
    padded = b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info
    forged = {
        **good,
        "key": string(string(b"ssh-rsa") + mpint(1) + mpint(int.from_bytes(modulus, "big"))),
        "signature": string(string(b"rsa-sha2-256") + string(padded)),
    }
    armored = armor(b"".join(forged.values()))
    with pytest.raises(UnsupportedKey, match="exponent"):
        sshsig.verify(armored, MESSAGE)
    assert pair.accepts(armored, MESSAGE), "stricter: keys"


def test_a_certificate_is_refused_by_name(pair: KeyPair, tmp_path: Path) -> None:
    """ssh-keygen takes one, and trusts who made it; here the ledger says whose key is whose."""
    authority = KeyPair.make(tmp_path, "ecdsa", 256)
    user = KeyPair.make(tmp_path, "ed25519")
    public = user.path.with_suffix(".pub")
    run("ssh-keygen", "-q", "-s", authority.path, "-I", "user", "-n", "user", public)
    certificate = tmp_path / "ed25519-cert.pub"
    armored = run("ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", certificate, data=MESSAGE)
    with pytest.raises(UnsupportedKey, match="certificates are not accepted"):
        sshsig.verify(armored, MESSAGE)
    assert pair.accepts(armored, MESSAGE), "stricter: keys"


def test_zeros_that_were_cut_off_an_rsa_signature_are_put_back(pair: KeyPair) -> None:
    """One in 256 signatures begins with a zero; some agents leave it out (OpenSSH, ssh-rsa.c)."""
    private = rsa.generate_private_key(65537, 2048)
    text = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    key = keys.from_text(text.decode())
    for number in range(10_000):
        message = b"%d" % number
        covered = sshsig.Signature(key, "git", "sha512", "rsa-sha2-512", b"", b"").signed_data(message)
        value = private.sign(covered, padding.PKCS1v15(), hashes.SHA512())
        if value[0] == 0:
            break
    head = b"SSHSIG" + (1).to_bytes(4, "big") + string(key.blob) + string(b"git") + string(b"")
    for whole in (value, value.lstrip(b"\0")):
        inner = string(b"rsa-sha2-512") + string(whole)
        armored = armor(head + string(b"sha512") + string(inner))
        assert sshsig.verify(armored, message) == key
        assert pair.accepts(armored, message)
