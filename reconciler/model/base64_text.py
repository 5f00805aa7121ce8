"""Base64 with one spelling for each value, so that two keys are equal when their text is."""

from __future__ import annotations

import base64
import binascii


def decode(text: str) -> bytes | None:
    """The bytes behind canonical, padded base64 (RFC 4648); None if it is anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode(data) == text else None


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
