"""A difference between documents, for people."""

from __future__ import annotations

import re

_SEALED = re.compile(
    r"^([ +-] *(?:- )?(?:ciphertext|key): )([A-Za-z0-9+/]{16})([A-Za-z0-9+/]{100,}={0,2})$", re.MULTILINE
)
"""Sealed keys and sealing keys: Base64 and nothing else, some 1,500 characters in one line."""


def readable(difference: str) -> str:
    """The difference with such lines cut short, and no others: nothing shall hide in a long line."""
    return _SEALED.sub(
        lambda found: f"{found[1]}{found[2]}… ({len(found[2] + found[3])} characters)", difference
    )
