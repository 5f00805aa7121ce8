"""Checkpoints: any bytes are refused by name, or are a statement with one encoding."""

from __future__ import annotations

from reconciler.ledger import checkpoint
from reconciler.ledger.checkpoint import CheckpointMalformed
from reconciler.ledger.sshsig import SignatureRefused


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    try:
        signed = checkpoint.parse(data)
    except CheckpointMalformed as malformed:
        assert str(malformed).isprintable()
        return
    assert signed.signed.encoded == data
    assert signed.checkpoint.text == signed.signed.text
    try:
        keys = signed.signed.keys(checkpoint.NAMESPACE)
    except SignatureRefused:
        return
    assert len(keys) == len(signed.signed.signatures)
