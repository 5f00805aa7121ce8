"""Who signed a commit: from its raw bytes to a key, or to the reason why it counts as signed by nobody.

See docs/spec/ledger.md, section 3.
"""

from __future__ import annotations

from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.repository.objects import CommitMalformed, parse_commit
from reconciler.ledger.signatures import sshsig
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.ledger.verdict import Reason

_BROKEN = (sshsig.Malformed, sshsig.DoesNotVerify)
_SSH = b"-----BEGIN SSH SIGNATURE-----"
_OTHERS = {
    b"-----BEGIN PGP ": "with OpenPGP",
    b"-----BEGIN SIGNED MESSAGE-----": "with an X.509 certificate",
}
"""How the signatures begin that git knows beside SSH's (gpg-interface.c)."""


def key_that_signed(raw: bytes) -> PublicKey:
    """The key whose valid signature this commit carries. Raises `Rejected`."""
    try:
        commit = parse_commit(raw)
    except CommitMalformed as malformed:
        raise Rejected(Reason.MALFORMED_COMMIT, str(malformed)) from None
    if commit.signature is None:
        raise Rejected(Reason.UNSIGNED, "the commit is not signed")
    if not commit.signature.startswith(_SSH):
        raise Rejected(
            Reason.UNSUPPORTED_SIGNATURE,
            f"the commit is signed {_by_other_means(commit.signature)}, not with an SSH key",
        )
    return _verified(commit.signature, commit.payload)


def _by_other_means(signature: bytes) -> str:
    names = (name for start, name in _OTHERS.items() if signature.startswith(start))
    return next(names, "in a way that is not known")


def _verified(signature: bytes, payload: bytes) -> PublicKey:
    try:
        return sshsig.verify(signature, payload)
    except _BROKEN as broken:
        raise Rejected(Reason.BAD_SIGNATURE, str(broken)) from None
    except SignatureRefused as refused:
        raise Rejected(Reason.UNSUPPORTED_SIGNATURE, str(refused), refused.advice) from None
