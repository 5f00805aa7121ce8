"""A network's id: thirteen characters that name it in every kernel.

Interface names hold fifteen characters and each of ours has one letter in front, so the id is 65 bits of
a hash. That two networks share one is improbable, not impossible: the id is claimed like a port, and
the earlier network keeps it (see `claims`).
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

LENGTH = 13


@lru_cache(maxsize=16384)
def netid(tenant: str, network: str) -> str:
    """Lower-case base32 (RFC 4648) of the SHA-256 of `<tenant>/<network>`, cut to 13 characters."""
    digest = hashlib.sha256(f"{tenant}/{network}".encode()).digest()
    return base64.b32encode(digest).decode().lower()[:LENGTH]
