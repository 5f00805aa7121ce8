"""A tenant's proof that it holds a key: made on the tenant's machine, handed to root as a small YAML file."""

from __future__ import annotations

import msgspec

from reconciler.authoring import yaml_write
from reconciler.authoring.detached import sign
from reconciler.authoring.errors import AuthoringError
from reconciler.authoring.signing_key import SigningKey
from reconciler.authoring.tenants import Proven
from reconciler.ledger.signatures import proof
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.model.documents import DnsLabel


class ProofFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says."""

    tenant: DnsLabel
    principal: DnsLabel
    key: str
    signature: str


def prove(tenant: str, principal: str, key: SigningKey) -> Proven:
    """Sign the tenant's name with the key, by ssh-keygen (which asks for a passphrase, or the agent)."""
    armored = sign(proof.message(tenant), proof.NAMESPACE, key).decode("ascii")
    signature = "".join(line for line in armored.splitlines() if not line.startswith("-----"))
    return Proven(principal, proof.verify(tenant, signature).text, signature)


def proof_text(tenant: str, proven: Proven) -> str:
    """The file to hand to root. It holds nothing secret."""
    fields = {
        "tenant": tenant,
        "principal": proven.principal,
        "key": proven.key,
        "signature": proven.signature,
    }
    return yaml_write.block(fields)


def read_proof(source: str, text: str, tenant: str) -> Proven:
    """The proof in a file, checked: by this key, for this tenant. Raises AuthoringError."""
    found = _parsed(source, text)
    if found.tenant != tenant:
        raise AuthoringError(f"{source}: this proof is for tenant {found.tenant}, not {tenant}")
    try:
        signer = proof.verify(tenant, found.signature).text
    except SignatureRefused as error:
        raise AuthoringError(f"{source}: the signature doesn't hold: {error}", _again(tenant)) from error
    if signer != found.key:
        raise AuthoringError(f"{source}: the signature is by another key than the file names", _again(tenant))
    return Proven(found.principal, signer, found.signature)


def _parsed(source: str, text: str) -> ProofFile:
    """The file's grammar is `name: value` a line, so that no YAML parser has to be trusted with it."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    pairs = [line.partition(": ") for line in lines]
    for line, (_, colon, _) in zip(lines, pairs, strict=True):
        if not colon:
            raise AuthoringError(
                f"{source}: this is not a proof: {line[:60]!r} is not `name: value`", _again("TENANT")
            )
    try:
        return msgspec.convert({name: value for name, _, value in pairs}, ProofFile)
    except msgspec.ValidationError as error:
        raise AuthoringError(f"{source}: this is not a proof: {error}", _again("TENANT")) from error


def _again(tenant: str) -> str:
    return f"its holder makes one: tnet tenant prove {tenant} --principal NAME > {tenant}.proof"
