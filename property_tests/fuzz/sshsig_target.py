"""SSHSIG and public keys: any bytes are refused by name, or say the same when they are written anew."""

from __future__ import annotations

import base64
import contextlib

from reconciler.ledger.signatures import keys, sshsig
from reconciler.ledger.signatures.keys import KeyRefused
from reconciler.ledger.signatures.sshsig import DoesNotVerify, Signature, SignatureRefused
from reconciler.ledger.signatures.wire import string

MESSAGE = b"tree 0\n\nwhat was signed\n"


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    blob = _check_armor(data)
    _check_key(data)
    try:
        signature = sshsig.parse(blob)
    except SignatureRefused as refused:
        assert str(refused).isprintable()
        return
    _check_fields(blob, signature)
    _check_verifying(blob, signature)


def _check_armor(data: bytes) -> bytes:
    """What the armor holds, or the data itself if it isn't armored."""
    try:
        blob = sshsig.dearmor(data)
    except SignatureRefused:
        return data
    lines = data.removesuffix(b"\n").split(b"\n")
    assert base64.b64decode(b"".join(lines[1:-1]), validate=True) == blob
    assert b"".join(lines[1:-1]) == base64.b64encode(blob)
    return blob


def _check_key(data: bytes) -> None:
    with contextlib.suppress(KeyRefused):
        key = keys.from_wire(data)
        assert key.blob == data and keys.from_text(key.text) == key
    with contextlib.suppress(KeyRefused):
        text = data.decode("utf-8", "surrogateescape")
        assert keys.from_text(text) == keys.from_text(keys.from_text(text).text)


def _check_fields(blob: bytes, signature: Signature) -> None:
    inner = string(signature.algorithm.encode()) + string(signature.value) + signature.details
    fields = (
        signature.key.blob,
        signature.namespace.encode(),
        b"",
        signature.hash_name.encode(),
        inner,
    )
    assert b"SSHSIG\0\0\0\1" + b"".join(map(string, fields)) == blob


def _check_verifying(blob: bytes, signature: Signature) -> None:
    """No signature is of two messages; a good one is by the key that it names."""
    try:
        assert sshsig.verify_blob(blob, MESSAGE, signature.namespace) == signature.key
    except SignatureRefused:
        return
    try:
        sshsig.verify_blob(blob, MESSAGE + b"x", signature.namespace)
    except DoesNotVerify:
        return
    raise AssertionError("a signature of two messages")
