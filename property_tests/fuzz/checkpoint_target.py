"""Checkpoints and re-anchor records: any bytes are refused by name, or are a statement with one encoding."""

from __future__ import annotations

from reconciler.ledger.checkpoints import checkpoint, reanchor
from reconciler.ledger.checkpoints.checkpoint import CheckpointMalformed
from reconciler.ledger.checkpoints.reanchor import ReanchorRefused
from reconciler.ledger.signatures.signed_text import SignedText
from reconciler.ledger.signatures.sshsig import SignatureRefused


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever shouldn't come out, where the reader is wrong."""
    try:
        _check(data, *_checkpoint(data))
    except CheckpointMalformed as malformed:
        assert str(malformed).isprintable()
    try:
        _check(data, *_reanchor(data))
    except ReanchorRefused as refused:
        assert str(refused).isprintable()


def _checkpoint(data: bytes) -> tuple[bytes, SignedText, str]:
    parsed = checkpoint.parse(data)
    return parsed.checkpoint.text, parsed.signed, checkpoint.NAMESPACE


def _reanchor(data: bytes) -> tuple[bytes, SignedText, str]:
    parsed = reanchor.parse(data)
    return parsed.record.text, parsed.signed, reanchor.NAMESPACE


def _check(data: bytes, text: bytes, signed: SignedText, namespace: str) -> None:
    assert (signed.encoded, signed.text) == (data, text)
    try:
        assert len(signed.keys(namespace)) == len(signed.signatures)
    except SignatureRefused as refused:
        assert str(refused).isprintable()
