"""Why a signature doesn't count: one class for each way in which it can be wrong.

See docs/spec/ledger.md, section 3.
"""

from __future__ import annotations

from reconciler.errors import TnetError


class SignatureRefused(TnetError):
    """A signature that doesn't count; the subclasses say why."""


class Malformed(SignatureRefused):
    """Not the format: broken armor, short, bytes too many."""


class UnsupportedVersion(SignatureRefused):
    """A version of the format other than 1."""


class UnsupportedKey(SignatureRefused):
    """Made by a kind of key that is not accepted."""


class WrongNamespace(SignatureRefused):
    """Made for another purpose."""


class UnsupportedHash(SignatureRefused):
    """The message was hashed by other than sha256 or sha512."""


class UnsupportedAlgorithm(SignatureRefused):
    """The signature's algorithm isn't the key's, or is one no longer safe (`ssh-rsa`: SHA-1)."""


class NobodyPresent(SignatureRefused):
    """A security key made it without being touched."""


class UnsupportedClientData(SignatureRefused):
    """A browser made it in a way that isn't accepted: for a registration, or for a page within a page."""


class DoesNotVerify(SignatureRefused):
    """Well formed, and not a signature of this message by this key."""
