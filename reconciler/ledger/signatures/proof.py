"""A tenant's proof that it holds its keys, so that nobody can be written down with another's key.

The proof is an SSHSIG in the namespace `tnet-tenant` over the line `tnet/v1 tenant <name>`, made by
`ssh-keygen -Y sign -n tnet-tenant`, its binary form in base64 in the tenant's document.

See docs/spec/ledger.md, section 3.
"""

from __future__ import annotations

import base64
import binascii

from reconciler.ledger.signatures import sshsig
from reconciler.ledger.signatures.keys import PublicKey

NAMESPACE = "tnet-tenant"


def message(tenant: str) -> bytes:
    """What each key of this tenant has to sign."""
    return f"tnet/v1 tenant {tenant}\n".encode("ascii")


def verify(tenant: str, signature_base64: str) -> PublicKey:
    """The key that made this proof for this tenant. Raises an `sshsig.SignatureRefused`."""
    try:
        blob = base64.b64decode(signature_base64, validate=True)
    except binascii.Error:
        raise sshsig.Malformed("the proof is not base64") from None
    return sshsig.verify_blob(blob, message(tenant), NAMESPACE)
