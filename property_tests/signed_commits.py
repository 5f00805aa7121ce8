"""Commits signed by keys of every kind, and all that can go wrong with them, made by hand.

A `Recipe` says what is odd about a commit; hypothesis draws recipes, and shrinks to the oddity that matters.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st

from reconciler.ledger.signatures.wire import mpint, string
from tests.unit.ledger.authenticator import WEBAUTHN, Token, client_data

# --- signers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SoftKey:
    """A key pair: its wire bytes, and how it makes what follows the key in a signature."""

    name: str
    blob: bytes
    inner: Callable[[bytes], bytes]

    @property
    def public_text(self) -> str:
        kind = self.blob[4 : 4 + int.from_bytes(self.blob[:4], "big")].decode()
        return f"{kind} {base64.b64encode(self.blob).decode()}"


def _openssh(private: object) -> bytes:
    text = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)  # type: ignore[attr-defined]
    return base64.b64decode(text.split()[1])


def _ed25519() -> SoftKey:
    private = ed25519.Ed25519PrivateKey.generate()
    return SoftKey("ed25519", _openssh(private), lambda d: string(b"ssh-ed25519") + string(private.sign(d)))


def _ecdsa(curve: ec.EllipticCurve, digest: hashes.HashAlgorithm) -> SoftKey:
    private = ec.generate_private_key(curve)
    blob = _openssh(private)
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")]

    def inner(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
        return string(kind) + string(mpint(r) + mpint(s))

    return SoftKey(kind.decode(), blob, inner)


def _rsa(bits: int, algorithm: bytes, digest: hashes.HashAlgorithm) -> SoftKey:
    private = rsa.generate_private_key(65537, bits)

    def inner(data: bytes) -> bytes:
        return string(algorithm) + string(private.sign(data, padding.PKCS1v15(), digest))

    return SoftKey(f"rsa-{bits}-{algorithm.decode()}", _openssh(private), inner)


def _dsa() -> SoftKey:
    private = dsa.generate_private_key(1024)
    numbers = private.public_key().public_numbers()
    group = numbers.parameter_numbers
    blob = string(b"ssh-dss") + b"".join(map(mpint, (group.p, group.q, group.g, numbers.y)))

    def inner(data: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(data, hashes.SHA1()))
        return string(b"ssh-dss") + string(r.to_bytes(20, "big") + s.to_bytes(20, "big"))

    return SoftKey("dsa", blob, inner)


def _token(token: Token, name: str, flags: int = 1) -> SoftKey:
    return SoftKey(name, token.blob, lambda d: string(token.algorithm) + token.assertion(d, flags))


def _browser(name: str, **more: object) -> SoftKey:
    token, origin = Token.ecdsa(b"sign.example"), b"https://sign.example"

    def inner(data: bytes) -> bytes:
        text = client_data(data, origin, **more)
        return string(WEBAUTHN) + token.assertion(text) + string(origin) + string(text) + string(b"")

    return SoftKey(name, token.blob, inner)


@cache
def soft_keys() -> tuple[SoftKey, ...]:
    """All kinds that count, then some that git takes and we don't, or nobody does."""
    return (
        _ed25519(),
        _ecdsa(ec.SECP256R1(), hashes.SHA256()),
        _ecdsa(ec.SECP384R1(), hashes.SHA384()),
        _ecdsa(ec.SECP521R1(), hashes.SHA512()),
        _rsa(2048, b"rsa-sha2-256", hashes.SHA256()),
        _rsa(3072, b"rsa-sha2-512", hashes.SHA512()),
        _token(Token.ed25519(), "sk-ed25519"),
        _token(Token.ecdsa(), "sk-ecdsa"),
        _browser("webauthn"),
        _token(Token.ed25519(b"ssh:x"), "sk-untouched", flags=0),
        _browser("webauthn-framed", crossOrigin=True),
        _rsa(1024, b"rsa-sha2-512", hashes.SHA512()),
        _rsa(2048, b"ssh-rsa", hashes.SHA1()),
        _dsa(),
    )


GOOD_KEYS = 9
"""How many of them, from the front, make signatures that count."""

# --- recipes ------------------------------------------------------------------------------------------

Edit = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Recipe:
    """How a commit is made; each part is a name in the tables below, so that a failure can be read."""

    key: int
    digest: str
    payload: str
    fields: str
    armor: str
    placement: str
    after: str
    noise: tuple[tuple[str, int, int], ...]
    """(part, place, byte): bytes changed at random in the finished blob, armor or commit."""


WHO = b"Zo\xc3\xab <z@example.net> 1700000000 +0100"
PLAIN = b"tree %s\nparent %s\nauthor %s\ncommitter %s\n\nSubject\n\nBody\n"


def plain_payload(tree: bytes, parent: bytes) -> bytes:
    return PLAIN % (tree, parent, WHO, WHO)


def _header(line: bytes) -> Edit:
    """One more header, at the end."""
    return lambda payload: payload.replace(b"\n\n", b"\n" + line + b"\n\n", 1)


def _replace(old: bytes, new: bytes, count: int = 1) -> Edit:
    return lambda data: data.replace(old, new, count)


PAYLOADS: dict[str, Edit] = {
    "plain": lambda payload: payload,
    "no parent": lambda payload: b"".join(
        line for line in payload.splitlines(keepends=True) if not line.startswith(b"parent ")
    ),
    "no message": lambda payload: payload.partition(b"\n\n")[0] + b"\n\n",
    "CR LF": _replace(b"Subject\n\nBody\n", b"Subject\r\n\r\nBody\r\n"),
    "a tab": _replace(b"Body", b"\tBody"),
    "a long message": _replace(b"Body", b"Body\n" * 1000),
    "a signature in the message": _replace(b"Body", b"gpgsig -----BEGIN SSH SIGNATURE-----"),
    "an encoding": _header(b"encoding ISO-8859-1"),
    "an encoding, and such bytes": lambda payload: _header(b"encoding ISO-8859-1")(
        payload.replace("ë".encode(), b"\xeb").replace(b"Body", b"Stra\xdfe")
    ),
    "UTF-8 by name": _header(b"encoding UTF-8"),
    "a merged tag": _header(b"mergetag object " + b"a" * 40 + b"\n type commit"),
    "an unknown header": _header(b"x-note y"),
    "a continued header": _header(b"x-note y\n z"),
    "two trees": lambda payload: payload.splitlines(keepends=True)[0] + payload,
    "two authors": _replace(b"\ncommitter ", b"\nauthor " + WHO + b"\ncommitter "),
    "a parent twice": lambda payload: payload.replace(
        b"\nauthor", b"\n" + payload.split(b"\n")[1] + b"\nauthor", 1
    ),
    "no author": lambda payload: b"".join(
        line for line in payload.splitlines(keepends=True) if not line.startswith(b"author ")
    ),
    "a NUL in the message": _replace(b"Body", b"Bo\0dy"),
    "an escape in the message": _replace(b"Body", b"\x1b[2J"),
    "a bare CR": _replace(b"Body", b"Bo\rdy"),
    "bytes that are no UTF-8": _replace(b"Body", b"\xff\xfe"),
    "an early date": _replace(b" 1700000000 ", b" 0 ", 2),
    "a late date": _replace(b" 1700000000 ", b" 253402214399 ", 2),
    "a date beyond calendars": _replace(b" 1700000000 ", b" 9999999999999999999 ", 2),
    "a date before all": _replace(b" 1700000000 ", b" -1 ", 2),
    "no date": _replace(b" 1700000000 +0100", b"", 2),
    "another zone": _replace(b"+0100", b"-9999", 2),
    "no zone": _replace(b" +0100", b"", 2),
    "an empty name": _replace("Zoë ".encode(), b"", 2),
}


def _field(name: str, value: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], None]:
    def edit(fields: dict[str, bytes]) -> None:
        fields[name] = value(fields[name])

    return edit


ORDER_25519 = 2**252 + 27742317777372353535851937790883648493


def _split_inner(inner: bytes) -> tuple[bytes, bytes, bytes]:
    """(algorithm, value, rest) of what follows the hash name."""
    size = int.from_bytes(inner[:4], "big")
    at = 4 + size
    length = int.from_bytes(inner[at : at + 4], "big")
    return inner[4:at], inner[at + 4 : at + 4 + length], inner[at + 4 + length :]


def _value(edit: Edit) -> Edit:
    def edited(inner: bytes) -> bytes:
        algorithm, value, rest = _split_inner(inner)
        return string(algorithm) + string(edit(value)) + rest

    return edited


def _larger_s(value: bytes) -> bytes:
    if len(value) != 64:
        return value
    return value[:32] + (int.from_bytes(value[32:], "little") + ORDER_25519).to_bytes(32, "little")


def _longer_numbers(value: bytes) -> bytes:
    """A zero in front of r, if this is r and s."""
    size = int.from_bytes(value[:4], "big")
    return string(b"\0" + value[4 : 4 + size]) + value[4 + size :] if 4 + size < len(value) else value


FIELDS: dict[str, Callable[[dict[str, bytes]], None]] = {
    "good": lambda fields: None,
    "version 0": _field("version", lambda _: bytes(4)),
    "version 2": _field("version", lambda _: b"\0\0\0\2"),
    "another namespace": _field("namespace", lambda _: b"file"),
    "a NUL after the namespace": _field("namespace", lambda name: name + b"\0"),
    "a NUL after the hash": _field("hash", lambda name: name + b"\0"),
    "a NUL in the namespace": _field("namespace", lambda _: b"git\0x"),
    "something reserved": _field("reserved", lambda _: b"x"),
    "the other hash": _field("hash", lambda name: b"sha256" if name == b"sha512" else b"sha512"),
    "sha1": _field("hash", lambda _: b"sha1"),
    "a larger S": _field("inner", _value(_larger_s)),
    "longer numbers": _field("inner", _value(_longer_numbers)),
    "a zero in front": _field("inner", _value(lambda value: b"\0" + value)),
    "a zero less": _field("inner", _value(lambda value: value.lstrip(b"\0"))),
    "a short value": _field("inner", _value(lambda value: value[:-1])),
    "a long value": _field("inner", _value(lambda value: value + b"\0")),
    "no value": _field("inner", _value(lambda _: b"")),
    "bytes after the value": _field("inner", lambda inner: inner + b"\0"),
    "an algorithm with a NUL": _field(
        "inner",
        lambda inner: string(_split_inner(inner)[0] + b"\0") + inner[4 + len(_split_inner(inner)[0]) :],
    ),
    "another algorithm": _field(
        "inner", lambda inner: string(b"rsa-sha2-256") + inner[4 + len(_split_inner(inner)[0]) :]
    ),
    "a longer key": _field("key", lambda key: key + b"\0"),
    "a key's name with a NUL": _field(
        "key", lambda key: string(_split_inner(key)[0] + b"\0") + key[4 + len(_split_inner(key)[0]) :]
    ),
    "bytes at the end": _field("end", lambda _: b"\0"),
}

BEGIN, END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"


def _lines(width: int) -> Edit:
    def rewrap(armored: bytes) -> bytes:
        body = armored.removeprefix(BEGIN).removesuffix(END).replace(b"\n", b"")
        return b"\n".join((BEGIN, *(body[at : at + width] for at in range(0, len(body), width)), END))

    return rewrap


def _superfluous_bits(armored: bytes) -> bytes:
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = armored.find(b"=") - 1
    if at < 0:
        return armored
    return armored[:at] + bytes([alphabet[alphabet.index(armored[at]) ^ 1]]) + armored[at + 1 :]


ARMORS: dict[str, Edit] = {
    "plain": lambda armored: armored,
    "one line": _lines(1 << 20),
    "short lines": _lines(8),
    "text after it": lambda armored: armored + b"\nand more",
    "text after its end": lambda armored: armored + b"x",
    "a second one after it": lambda armored: armored + b"\n" + armored,
    "text before it": lambda armored: b"x\n" + armored,
    "spaces in it": _replace(b"U1NI", b"U1N I"),
    "spaces after lines": _replace(b"\n", b" \n", 3),
    "empty lines in it": _replace(b"\n", b"\n\n", 2),
    "a line feed less": _replace(BEGIN + b"\n", BEGIN),
    "a line feed less at the end": _replace(b"\n" + END, END),
    "no end": _replace(END, b""),
    "superfluous bits": _superfluous_bits,
    "no padding": _replace(b"=", b"", 2),
    "base64 after its padding": _replace(b"\n" + END, b"\nAAAA\n" + END),
    "OpenPGP by name": lambda armored: armored.replace(b"SSH SIGNATURE", b"PGP SIGNATURE"),
    "a huge one": lambda armored: armored.replace(b"\n", b"\n" * 20000, 1),
    "CR LF": _replace(b"\n", b"\r\n", 1000),
}


def _folded(armored: bytes) -> bytes:
    return b"gpgsig " + armored.replace(b"\n", b"\n ") + b"\n"


def _before(mark: bytes) -> Callable[[bytes, bytes], bytes]:
    def place(payload: bytes, armored: bytes) -> bytes:
        head, separator, message = payload.partition(b"\n\n")
        lines = (head + b"\n").splitlines(keepends=True)
        at = next((n for n, line in enumerate(lines) if line.startswith(mark)), len(lines))
        return b"".join((*lines[:at], _folded(armored), *lines[at:])) + separator[1:] + message

    return place


_AT_THE_END = _before(b"\n")
PLACEMENTS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "at the end": _AT_THE_END,
    "first": _before(b"tree "),
    "before the parents": _before(b"parent "),
    "before the author": _before(b"author "),
    "before the committer": _before(b"committer "),
    "twice": lambda payload, armored: _AT_THE_END(_AT_THE_END(payload, armored), armored),
    "after another": lambda payload, armored: _AT_THE_END(
        _before(b"author ")(payload, armored.replace(b"A", b"B")), armored
    ),
    "beside another hash's": lambda payload, armored: _AT_THE_END(payload, armored).replace(
        b"\n\n", b"\ngpgsig-sha256 x\n y\n\n", 1
    ),
    "beside another hash's without a space": lambda payload, armored: _AT_THE_END(payload, armored).replace(
        b"\n\n", b"\ngpgsig-sha256\n\n", 1
    ),
    "beside another hash's, then a continuation": lambda payload, armored: _AT_THE_END(
        payload, armored
    ).replace(b"\n\n", b"\ngpgsig-sha256\n x\n\n", 1),
    "beside something like it": lambda payload, armored: _AT_THE_END(payload, armored).replace(
        b"\n\n", b"\ngpgsig-sha512 x\n\n", 1
    ),
    "without a space": lambda payload, armored: _AT_THE_END(payload, armored).replace(
        b"\ngpgsig -", b"\ngpgsig\n -", 1
    ),
    "as another hash's": lambda payload, armored: _AT_THE_END(payload, armored).replace(
        b"\ngpgsig ", b"\ngpgsig-sha256 ", 1
    ),
    "in the message": lambda payload, armored: payload + b"\n" + _folded(armored),
    "with a tab": lambda payload, armored: _AT_THE_END(payload, armored).replace(b"\n -", b"\n\t-", 1),
    "in capitals": lambda payload, armored: _AT_THE_END(payload, armored).replace(b"gpgsig", b"GPGSIG", 1),
    "nowhere": lambda payload, armored: payload,
}

AFTER: dict[str, Edit] = {
    "nothing": lambda raw: raw,
    "another message": _replace(b"Subject", b"Object"),
    "another author": _replace(b"author Zo", b"author Jo"),
    "a line feed less": lambda raw: raw.removesuffix(b"\n"),
    "a line feed more": lambda raw: raw + b"\n",
    "re-encoded": lambda raw: raw.replace("ë".encode(), b"\xeb", 2),
    "re-encoded, with its header": lambda raw: raw.replace("ë".encode(), b"\xeb", 2).replace(
        b"\n\n", b"\nencoding ISO-8859-1\n\n", 1
    ),
    "an encoding more": _replace(b"\n\n", b"\nencoding UTF-8\n\n"),
    "a header more": _replace(b"\n\n", b"\nx-note y\n\n"),
    "a header in front": _replace(b"author ", b"x-note y\nauthor "),
    "normalised": _replace("ë".encode(), "e\u0308".encode(), 2),
}


TABLES: dict[str, Sequence[str]] = {
    "payload": tuple(PAYLOADS),
    "fields": tuple(FIELDS),
    "armor": tuple(ARMORS),
    "placement": tuple(PLACEMENTS),
    "after": tuple(AFTER),
}
"""What may be odd; the first of each isn't."""
PARTS = (*TABLES, "key", "noise")


def plain(**odd: object) -> Recipe:
    """A good commit by an ed25519 key, but for what is said."""
    good = {part: names[0] for part, names in TABLES.items()}
    return Recipe(**{"key": 0, "digest": "sha512", "noise": (), **good, **odd})  # type: ignore[arg-type]


_NOISE = st.lists(
    st.tuples(st.sampled_from(("blob", "armor", "raw")), st.integers(0, 3000), st.integers(0, 255)),
    min_size=1,
    max_size=2,
)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Commits with up to two oddities: one with five tells less, since the first decides."""
    odd: dict[str, object] = {"key": draw(st.integers(0, GOOD_KEYS - 1))}
    for part in draw(st.lists(st.sampled_from(PARTS), max_size=2, unique=True)):
        if part == "key":
            odd[part] = draw(st.integers(0, len(soft_keys()) - 1))
        elif part == "noise":
            odd[part] = tuple(draw(_NOISE))
        else:
            odd[part] = draw(st.sampled_from(TABLES[part][1:]))
    return plain(digest=draw(st.sampled_from(("sha512", "sha256"))), **odd)


def made(recipe: Recipe, tree: bytes, parent: bytes) -> bytes:
    """The raw commit."""
    payload = PAYLOADS[recipe.payload](plain_payload(tree, parent))
    blob = _noisy(recipe, "blob", _signature(recipe, payload))
    armored = _noisy(recipe, "armor", ARMORS[recipe.armor](_armored(blob)))
    return _noisy(recipe, "raw", AFTER[recipe.after](PLACEMENTS[recipe.placement](payload, armored)))


def _signature(recipe: Recipe, payload: bytes) -> bytes:
    """The binary SSHSIG. What is odd in its fields is so after the signing."""
    key = soft_keys()[recipe.key]
    digest = recipe.digest.encode()
    hashed = string(digest) + string(hashlib.new(recipe.digest, payload).digest())
    fields = {
        "version": b"\0\0\0\1",
        "key": key.blob,
        "namespace": b"git",
        "reserved": b"",
        "hash": digest,
        "inner": key.inner(b"SSHSIG" + string(b"git") + string(b"") + hashed),
        "end": b"",
    }
    FIELDS[recipe.fields](fields)
    middle = (fields[name] for name in ("key", "namespace", "reserved", "hash", "inner"))
    return b"SSHSIG" + fields["version"] + b"".join(map(string, middle)) + fields["end"]


def _armored(blob: bytes) -> bytes:
    encoded = base64.b64encode(blob)
    return b"\n".join((BEGIN, *(encoded[at : at + 70] for at in range(0, len(encoded), 70)), END))


def _noisy(recipe: Recipe, part: str, data: bytes) -> bytes:
    for name, place, byte in recipe.noise:
        if name == part and data:
            at = place % len(data)
            data = data[:at] + bytes([byte]) + data[at + 1 :]
    return data
