"""Security keys: what tokens and browsers sign counts, and only what they sign; held against ssh-keygen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.ledger.signatures import keys, sshsig
from reconciler.ledger.signatures.keys import KeyRefused
from reconciler.ledger.signatures.sshsig import (
    DoesNotVerify,
    Malformed,
    NobodyPresent,
    SignatureRefused,
    UnsupportedAlgorithm,
    UnsupportedClientData,
)
from reconciler.ledger.signatures.wire import string
from tests.unit.ledger.authenticator import (
    ECDSA,
    ED25519,
    TOUCHED,
    WEBAUTHN,
    Token,
    client_data,
    signed_data,
    ssh_keygen_accepts,
    sshsig_of,
)

MESSAGE = b"tree 0\n\nwhat was signed\n"
MAKERS = {"ed25519": Token.ed25519, "ecdsa": Token.ecdsa}


@pytest.fixture(params=MAKERS)
def token(request: pytest.FixtureRequest) -> Token:
    return MAKERS[request.param]()


@pytest.fixture(scope="module")
def browser() -> Token:
    """A token that a browser uses; its application is the site's name."""
    return Token.ecdsa(b"sign.example")


def refusal_of(armored: bytes, message: bytes = MESSAGE) -> type[SignatureRefused] | None:
    try:
        sshsig.verify(armored, message)
    except SignatureRefused as refused:
        return type(refused)
    return None


def test_a_security_key_is_read_and_shown_as_openssh_does(token: Token) -> None:
    key = keys.from_text(token.public_text)
    assert (key.blob, key.application) == (token.blob, "ssh:")
    assert key.text == token.public_text.removesuffix(" token\n")


@pytest.mark.parametrize("flags", [0x01, 0x05, 0x41, 0x81, 0xFF])
@pytest.mark.parametrize("counter", [0, 1, 2**32 - 1])
def test_what_a_touched_token_signs_verifies(token: Token, tmp_path: Path, flags: int, counter: int) -> None:
    armored = token.sign(MESSAGE, flags, counter)
    assert sshsig.verify(armored, MESSAGE).blob == token.blob
    assert ssh_keygen_accepts(tmp_path, token.public_text, armored, MESSAGE)
    assert refusal_of(armored, MESSAGE + b"x") is DoesNotVerify


@pytest.mark.parametrize("flags", [0x00, 0x04, 0x80])
def test_a_token_that_was_not_touched_counts_for_nothing(token: Token, tmp_path: Path, flags: int) -> None:
    armored = token.sign(MESSAGE, flags)
    assert refusal_of(armored) is NobodyPresent
    assert ssh_keygen_accepts(tmp_path, token.public_text, armored, MESSAGE), "stricter: presence"


def test_any_application_is_bound_by_the_signature(tmp_path: Path) -> None:
    token = Token.ed25519(b"ssh:ledger")
    assert sshsig.verify(token.sign(MESSAGE), MESSAGE).application == "ssh:ledger"
    other = Token(token.private, b"ssh:")
    inner = string(ED25519) + token.assertion(signed_data(MESSAGE))
    assert refusal_of(sshsig_of(other.blob, inner)) is DoesNotVerify


@pytest.mark.parametrize("application", [b"ssh:\0", b"ssh: x", b"ssh\xc3\xa9", b"", b"x" * 254])
def test_an_application_is_some_printable_ascii(application: bytes) -> None:
    with pytest.raises(KeyRefused):
        keys.from_wire(Token.ed25519(application).blob)


def test_every_flipped_bit_of_a_tokens_signature_is_refused(token: Token) -> None:
    blob = bytearray(sshsig.dearmor(token.sign(MESSAGE)))
    for bit in range(8 * len(blob)):
        blob[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureRefused):
            sshsig.verify_blob(bytes(blob), MESSAGE, "git")
        blob[bit // 8] ^= 1 << bit % 8


def test_every_flipped_bit_of_a_browsers_signature_is_refused(browser: Token) -> None:
    blob = bytearray(sshsig.dearmor(browser.sign_in_browser(MESSAGE, flags=0x81, extensions=b"\xa0")))
    for bit in range(8 * len(blob)):
        blob[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureRefused):
            sshsig.verify_blob(bytes(blob), MESSAGE, "git")
        blob[bit // 8] ^= 1 << bit % 8


SPOILT: dict[str, Callable[[Token], bytes]] = {
    "no flags": lambda token: string(token.algorithm) + token.assertion(signed_data(MESSAGE))[:-5],
    "half a counter": lambda token: string(token.algorithm) + token.assertion(signed_data(MESSAGE))[:-2],
    "bytes after the counter": lambda token: (
        string(token.algorithm) + token.assertion(signed_data(MESSAGE)) + b"\0"
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_tokens_signature_in_another_form_is_malformed(token: Token, tmp_path: Path, what: str) -> None:
    armored = sshsig_of(token.blob, SPOILT[what](token))
    assert refusal_of(armored) is Malformed
    assert not ssh_keygen_accepts(tmp_path, token.public_text, armored, MESSAGE)


ALGORITHMS = {b"ssh-ed25519", b"ecdsa-sha2-nistp256", WEBAUTHN, ED25519, ECDSA, b"ssh-rsa", b""}
OWN = {ED25519: {ED25519}, ECDSA: {ECDSA, WEBAUTHN}}


def test_a_token_signs_by_its_own_algorithm(token: Token, tmp_path: Path) -> None:
    for algorithm in ALGORITHMS - OWN[token.algorithm]:
        armored = sshsig_of(token.blob, string(algorithm) + token.assertion(signed_data(MESSAGE)))
        assert refusal_of(armored) is UnsupportedAlgorithm, algorithm
        assert not ssh_keygen_accepts(tmp_path, token.public_text, armored, MESSAGE), algorithm


def test_a_token_signs_what_wraps_the_data_and_not_the_data_itself(token: Token, tmp_path: Path) -> None:
    value = string(token.raw_sign(signed_data(MESSAGE)))
    armored = sshsig_of(token.blob, string(token.algorithm) + value + bytes([TOUCHED, 0, 0, 0, 7]))
    assert refusal_of(armored) is DoesNotVerify
    assert not ssh_keygen_accepts(tmp_path, token.public_text, armored, MESSAGE)


def test_an_ordinary_key_and_a_security_key_with_one_point_are_two_keys() -> None:
    token = Token.ed25519()
    plain = string(b"ssh-ed25519") + token.blob[4 + len(ED25519) : -8]
    assert keys.from_wire(plain) != keys.from_wire(token.blob)
    armored = sshsig_of(plain, string(ED25519) + token.assertion(signed_data(MESSAGE)))
    assert refusal_of(armored) is UnsupportedAlgorithm


# --- through a browser -------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "extensions"), [(0x01, b""), (0x05, b""), (0x85, b"\xa1\x61x\x01")])
def test_what_a_browser_signs_verifies(browser: Token, tmp_path: Path, flags: int, extensions: bytes) -> None:
    armored = browser.sign_in_browser(MESSAGE, flags=flags, extensions=extensions)
    assert sshsig.verify(armored, MESSAGE).application == "sign.example"
    assert ssh_keygen_accepts(tmp_path, browser.public_text, armored, MESSAGE)
    assert refusal_of(armored, MESSAGE + b"x") is DoesNotVerify


def test_what_browsers_add_after_the_origin_does_no_harm(browser: Token, tmp_path: Path) -> None:
    more = client_data(signed_data(MESSAGE), other_keys_can_be_added_here="do not compare with a template")
    armored = browser.sign_in_browser(MESSAGE, text=more)
    assert sshsig.verify(armored, MESSAGE)
    assert ssh_keygen_accepts(tmp_path, browser.public_text, armored, MESSAGE)


GOOD = client_data(signed_data(MESSAGE))
BROWSERS: dict[str, tuple[dict[str, object], type[SignatureRefused]]] = {
    "nobody present": ({"flags": 0x00}, NobodyPresent),
    "a registration": ({"flags": 0x41}, UnsupportedClientData),
    "extensions without their flag": ({"extensions": b"\xa0"}, Malformed),
    "the flag without extensions": ({"flags": 0x81}, Malformed),
    "another challenge": ({"text": client_data(signed_data(b"x"))}, DoesNotVerify),
    "a registration's client data": ({"text": GOOD.replace(b".get", b".create")}, DoesNotVerify),
    "another origin": ({"text": client_data(signed_data(MESSAGE), b"https://x")}, DoesNotVerify),
    "a longer origin": ({"text": GOOD.replace(b".example", b".example.com")}, DoesNotVerify),
    "a quote in the origin": ({"origin": b'https://x","y":"'}, Malformed),
    "spaces in the client data": ({"text": GOOD.replace(b":", b": ")}, DoesNotVerify),
    "no client data": ({"text": b""}, DoesNotVerify),
    "a padded challenge": ({"text": GOOD.replace(b'","origin', b'=","origin')}, DoesNotVerify),
    "a frame": ({"text": client_data(signed_data(MESSAGE), crossOrigin=True)}, UnsupportedClientData),
}
LAXER_HERE = {"nobody present", "a frame"}
"""Where ssh-keygen doesn't look."""


@pytest.mark.parametrize("what", BROWSERS)
def test_a_browsers_signature_of_anything_else_is_refused(browser: Token, tmp_path: Path, what: str) -> None:
    spoilt, refusal = BROWSERS[what]
    armored = browser.sign_in_browser(MESSAGE, **spoilt)  # type: ignore[arg-type]
    assert refusal_of(armored) is refusal
    assert ssh_keygen_accepts(tmp_path, browser.public_text, armored, MESSAGE) is (what in LAXER_HERE)


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_shortened_signature_of_a_browser_is_refused(browser: Token, cut: int) -> None:
    blob = sshsig.dearmor(browser.sign_in_browser(MESSAGE))
    signature = sshsig.parse(blob)
    inner = string(WEBAUTHN) + string(signature.value) + signature.details
    assert refusal_of(sshsig_of(browser.blob, inner)) is None
    assert refusal_of(sshsig_of(browser.blob, inner[:-cut])) is Malformed
    assert refusal_of(sshsig_of(browser.blob, inner + bytes(cut))) is Malformed


def test_bytes_after_the_numbers_of_an_ecdsa_signature_are_refused(tmp_path: Path) -> None:
    token = Token.ecdsa()
    numbers = token.assertion(signed_data(MESSAGE))[4:-5]
    armored = sshsig_of(token.blob, string(ECDSA) + string(numbers + b"\0") + bytes([TOUCHED, 0, 0, 0, 7]))
    assert refusal_of(armored) is Malformed
    assert not ssh_keygen_accepts(tmp_path, token.public_text, armored, MESSAGE)
