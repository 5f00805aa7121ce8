"""A key has one form only, so that nobody stands twice in a threshold under two spellings of one key."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from reconciler.ledger.signatures import keys, points
from reconciler.ledger.signatures.keys import KeyRefused, PublicKey
from reconciler.ledger.signatures.wire import Reader, mpint, string
from tests.unit.ledger.openssh import KeyPair


def words(key: PublicKey, blob: bytes) -> str:
    return f"{key.algorithm} {base64.b64encode(blob).decode()}"


def test_an_rsa_key_in_a_longer_spelling_is_refused(tmp_path: Path) -> None:
    key = keys.from_text(KeyPair.make(tmp_path, "rsa", 2048).public_text)
    reader = Reader(key.blob)
    name, exponent, modulus = reader.string(), reader.mpint(), reader.string()
    respelt = string(name) + mpint(exponent) + string(b"\0" + modulus)
    assert string(name) + mpint(exponent) + string(modulus) == key.blob
    with pytest.raises(KeyRefused):
        keys.from_text(words(key, respelt))


def test_a_compressed_point_is_refused(tmp_path: Path) -> None:
    key = keys.from_text(KeyPair.make(tmp_path, "ecdsa", 256).public_text)
    reader = Reader(key.blob)
    name, curve, point = reader.string(), reader.string(), reader.string()
    compressed = bytes([2 + point[-1] % 2]) + point[1:33]
    with pytest.raises(KeyRefused):
        keys.from_text(words(key, string(name) + string(curve) + string(compressed)))


def test_a_point_off_the_curve_is_refused(tmp_path: Path) -> None:
    key = keys.from_text(KeyPair.make(tmp_path, "ecdsa", 256).public_text)
    with pytest.raises(KeyRefused):
        keys.from_text(words(key, key.blob[:-1] + bytes([key.blob[-1] ^ 1])))


def test_two_base64_spellings_are_one_key(tmp_path: Path) -> None:
    text = KeyPair.make(tmp_path, "ed25519").public_text
    assert keys.from_text(text) == keys.from_text(" ".join(text.split()[:2]) + " another comment")


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-ed25519 AAAA", "ssh-rsa AAAA"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(KeyRefused):
        keys.from_text(text)


def test_a_key_that_says_two_types_is_refused(tmp_path: Path) -> None:
    encoded = KeyPair.make(tmp_path, "ed25519").public_text.split()[1]
    with pytest.raises(KeyRefused, match="outside"):
        keys.from_text(f"ssh-rsa {encoded}")


def test_a_key_shows_itself_by_its_fingerprint_alone(tmp_path: Path) -> None:
    pair = KeyPair.make(tmp_path, "ed25519")
    assert repr(keys.from_text(pair.public_text)) == f"PublicKey(ssh-ed25519 {pair.fingerprint})"


# --- keys that no generator makes ---------------------------------------------------------------------

P = 2**255 - 19


def ed25519(encoded: bytes) -> bytes:
    return string(b"ssh-ed25519") + string(encoded)


def little(number: int) -> bytes:
    return number.to_bytes(32, "little")


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("height", sorted(points.SMALL_ORDER_HEIGHTS), ids=lambda y: f"{y:x}"[:8])
def test_an_ed25519_key_of_small_order_is_refused(height: int, sign: int) -> None:
    with pytest.raises(KeyRefused, match="small order"):
        keys.from_wire(ed25519(little(height | sign << 255)))


def test_there_are_eight_points_of_small_order() -> None:
    """By adding each to itself (RFC 8032, section 5.1.4) until the neutral element comes."""
    d = -121665 * pow(121666, -1, P) % P

    def plus(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
        (x, y), (u, v) = a, b
        k = d * x * y * u * v
        return (x * v + u * y) * pow(1 + k, -1, P) % P, (y * v + x * u) * pow(1 - k, -1, P) % P

    found = set()
    for y in points.SMALL_ORDER_HEIGHTS:
        square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        roots = [pow(square, (P + 3) // 8, P) * k % P for k in (1, pow(2, P // 4, P))]
        found |= {(sign * x % P, y) for x in roots if x * x % P == square for sign in (1, -1)}
    assert len(found) == 8
    for point in found:
        total = point
        for _ in range(7):
            total = plus(total, point)
        assert total == (0, 1)


@pytest.mark.parametrize("excess", range(19))
def test_an_ed25519_key_in_a_longer_spelling_is_refused(excess: int) -> None:
    for sign in (0, 1):
        with pytest.raises(KeyRefused, match="shortest form"):
            keys.from_wire(ed25519(little(P + excess | sign << 255)))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_an_ed25519_key_has_32_bytes(length: int) -> None:
    with pytest.raises(KeyRefused, match="32 bytes"):
        keys.from_wire(ed25519(b"\7" * length))


def rsa(exponent: int, modulus: int) -> bytes:
    return string(b"ssh-rsa") + mpint(exponent) + mpint(modulus)


ODD_2048 = (1 << 2047) | 1


@pytest.mark.parametrize("exponent", [1, 2, 4, 65536, (1 << 64) + 1, (1 << 2046) + 1, ODD_2048 + 2])
def test_an_rsa_exponent_that_no_generator_makes_is_refused(exponent: int) -> None:
    with pytest.raises(KeyRefused, match="exponent"):
        keys.from_wire(rsa(exponent, ODD_2048))


@pytest.mark.parametrize("exponent", [3, 5, 17, 35, 37, 65537, (1 << 64) - 1])
def test_rsa_exponents_that_programs_make_are_taken(exponent: int) -> None:
    assert keys.from_wire(rsa(exponent, ODD_2048)).algorithm == "ssh-rsa"


def test_an_even_rsa_modulus_is_refused() -> None:
    with pytest.raises(KeyRefused, match="modulus"):
        keys.from_wire(rsa(65537, 1 << 2047))


@pytest.mark.parametrize("bits", [1, 512, 1024, 2047, 16385, 32768])
def test_an_rsa_key_of_another_size_is_refused(bits: int) -> None:
    with pytest.raises(KeyRefused, match="bits"):
        keys.from_wire(rsa(65537, (1 << (bits - 1)) | 1))


def nistp256(x: int, y: int) -> bytes:
    point = b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    return string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(point)


def point_near(x: int) -> tuple[int, int]:
    """The point of P-256 with the next x, upwards, that has one."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    while True:
        square = (x * x * x - 3 * x + b) % p
        y = pow(square, (p + 1) // 4, p)
        if y * y % p == square:
            return x, y
        x += 1


@pytest.mark.parametrize("x", [5, 1 << 100, points.ORDERS["secp256r1"] + 10], ids=["5", "short", "big"])
def test_an_ecdsa_point_that_openssh_refuses_is_refused(tmp_path: Path, x: int) -> None:
    blob = nistp256(*point_near(x))
    with pytest.raises(KeyRefused, match="bounds"):
        keys.from_wire(blob)
    assert not openssh_reads(tmp_path, blob)


def test_an_ecdsa_point_just_within_openssh_s_bounds_is_taken(tmp_path: Path) -> None:
    for x in (1 << 128, points.ORDERS["secp256r1"] - (1 << 40)):
        blob = nistp256(*point_near(x))
        assert keys.from_wire(blob).blob == blob
        assert openssh_reads(tmp_path, blob)


def openssh_reads(directory: Path, blob: bytes) -> bool:
    file = directory / "odd.pub"
    file.write_text(f"ecdsa-sha2-nistp256 {base64.b64encode(blob).decode()}\n")
    return subprocess.run(["ssh-keygen", "-l", "-f", file], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("algorithm", "words_of_refusal"),
    [
        (b"ssh-dss", "DSA"),
        (b"ssh-rsa-cert-v01@openssh.com", "certificates"),
        (b"ssh-ed25519-cert-v01@openssh.com", "certificates"),
        (b"sk-ssh-ed25519-cert-v01@openssh.com", "certificates"),
        (b"ssh-xmss@openssh.com", "ssh-xmss@openssh.com"),
        (b"x509v3-ssh-rsa", "x509v3-ssh-rsa"),
        (b"ssh-ed448", "ssh-ed448"),
        (b"ecdsa-sha2-1.3.132.0.10", "1.3.132.0.10"),
        (b"rsa-sha2-512", "rsa-sha2-512"),
    ],
)
def test_other_kinds_of_key_are_refused_by_name(algorithm: bytes, words_of_refusal: str) -> None:
    with pytest.raises(KeyRefused, match=words_of_refusal) as raised:
        keys.from_wire(string(algorithm) + string(bytes(32)))
    assert raised.value.advice


def test_a_curve_is_the_one_that_the_type_says() -> None:
    blob = nistp256(*point_near(1 << 200))
    with pytest.raises(KeyRefused, match="curve"):
        keys.from_wire(blob.replace(string(b"nistp256"), string(b"nistp384")))
