"""What the changed documents say: read, typed, and right by themselves and beside all others.

Only what was authorized gets here, so nobody without a key makes a node parse anything.

See docs/spec/ledger.md, section 7, steps 6 to 8.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence

from msgspec.structs import replace

from reconciler.ledger import bounds
from reconciler.ledger.judging.authority import policy_of, quorum_of, require_quorum
from reconciler.ledger.judging.books import Touched
from reconciler.ledger.judging.provider import Provider
from reconciler.ledger.judging.rejected import Rejected
from reconciler.ledger.judging.state import State
from reconciler.ledger.signatures import keys, proof
from reconciler.ledger.signatures.keys import KeyRefused, PublicKey
from reconciler.ledger.signatures.sshsig import SignatureRefused
from reconciler.ledger.trouble import UnknownProtocol
from reconciler.ledger.verdict import Reason
from reconciler.model import loader, yaml
from reconciler.model.documents import Document, Policy, Tenant
from reconciler.model.model import Model
from reconciler.model.paths import POLICY_PATH, network_path
from reconciler.model.placement import problem_of
from reconciler.model.problems import Problem
from reconciler.model.rules import newly_owned
from reconciler.model.signers import all_principals

MAX_PROBLEMS_SHOWN = 5
MAX_REMEMBERED = 8192

Documents = Mapping[str, Document | None]


def read_documents(claims: Iterable[Touched], provider: Provider) -> dict[str, Document | None]:
    """The new documents by path, None where one is removed. Raises `Rejected`, `UnknownProtocol`."""
    documents: dict[str, Document | None] = {}
    left = bounds.MAX_TRANSACTION_BYTES
    for claim in claims:
        data = _content(claim, provider)
        left -= len(data or b"")
        if left < 0:
            limit = bounds.MAX_TRANSACTION_BYTES
            raise Rejected(Reason.TOO_LARGE, f"{claim.name}: with it the documents are over {limit} bytes")
        documents[claim.name] = None if data is None else read(claim.name, data)
    return documents


def _content(claim: Touched, provider: Provider) -> bytes | None:
    """None for a document that is removed."""
    if claim.result is None:
        return None
    data = provider.blob(claim.result.id)
    if data is None:
        limit = bounds.MAX_DOCUMENT_BYTES
        raise Rejected(Reason.INVALID_DOCUMENT, f"{claim.name}: the file is longer than {limit} bytes")
    return data


def read(path: str, data: bytes) -> Document:
    """The document, if it is right by itself. Raises `Rejected`, `UnknownProtocol`.

    Documents that were right are remembered by path and content, the last few thousand.
    """
    key = path, hashlib.blake2b(data, digest_size=32).digest()
    document = _known.get(key)
    if document is None:
        document = _read(path, data)
        remember(path, data, document)
    return document


def remember(path: str, data: bytes, document: Document) -> None:
    """This is what `read` has said of it, here or in another process."""
    _known[path, hashlib.blake2b(data, digest_size=32).digest()] = document
    if len(_known) > MAX_REMEMBERED:
        _known.popitem(last=False)


_known: OrderedDict[tuple[str, bytes], Document] = OrderedDict()


def _read(path: str, data: bytes) -> Document:
    if path == POLICY_PATH:
        require_known_protocol(data)
    try:
        document = loader.load(path, data)
    except loader.DocumentError as wrong:
        raise _rejected(Reason.INVALID_DOCUMENT, wrong.problems) from None
    _require_usable_keys(path, document)
    if isinstance(document, Tenant):
        _require_proofs(path, document)
    return document


def require_known_protocol(data: bytes) -> None:
    """Raises `UnknownProtocol` for a policy that asks for later rules than these.

    Looked for before anything else in the policy: its other fields may have changed too. That root has signed
    it is already known.
    """
    try:
        number = _protocol(yaml.read(data))
    except yaml.YamlError:
        return
    if number is not None and number > bounds.PROTOCOL:
        raise UnknownProtocol(
            f"the policy asks for protocol {number}, and this release knows {bounds.PROTOCOL}",
            "install a newer release; until then the last good state stays",
        )


def _protocol(value: object) -> int | None:
    spec = value.get("spec") if isinstance(value, dict) else None
    number = spec.get("protocol") if isinstance(spec, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _require_usable_keys(path: str, document: Document) -> None:
    """Signatures can be verified by every key that the document names. Raises `Rejected`."""
    witness = document.spec.witness if isinstance(document, Policy) else None
    for principal in (*all_principals(document), *(witness.principals if witness else ())):
        for text in principal.keys:
            _key(path, text)


def _key(path: str, text: str) -> PublicKey:
    try:
        return keys.from_text(text)
    except KeyRefused as refused:
        raise Rejected(Reason.INVALID_DOCUMENT, f"{path}: {refused}") from None


def _require_proofs(path: str, tenant: Tenant) -> None:
    proven = {_proven(path, tenant.metadata.name, item.key, item.signature) for item in tenant.spec.proofs}
    for principal in all_principals(tenant):
        for text in principal.keys:
            key = _key(path, text)
            if key not in proven:
                raise Rejected(
                    Reason.PROOF_MISSING, f"{path}: {principal.name}'s key {key.fingerprint} has no proof"
                )


def _proven(path: str, name: str, text: str, signature: str) -> PublicKey:
    key = _key(path, text)
    try:
        by = proof.verify(name, signature)
    except SignatureRefused as refused:
        raise Rejected(Reason.PROOF_INVALID, f"{path}: the proof of {key.fingerprint}: {refused}") from None
    if by != key:
        raise Rejected(
            Reason.PROOF_INVALID, f"{path}: the proof of {key.fingerprint} was made by {by.fingerprint}"
        )
    return key


def require_policy_step(model: Model, documents: Documents, approvals: Collection[PublicKey] | None) -> None:
    """A policy's version goes up by one, and those whom it names approve it too. Raises `Rejected`.

    `approvals` is None where authority is not looked at.
    """
    if POLICY_PATH not in documents:
        return
    new = documents[POLICY_PATH]
    if not isinstance(new, Policy):
        raise Rejected(Reason.POLICY_REMOVED, f"{POLICY_PATH}: removed")
    expected = policy_of(model).spec.version + 1
    if new.spec.version != expected:
        raise Rejected(
            Reason.POLICY_VERSION,
            f"{POLICY_PATH}: the version is {new.spec.version}, and {expected} comes next",
        )
    if approvals is not None:
        require_quorum(quorum_of(new), approvals, f"{POLICY_PATH} (by its new content)")


def require_mere_recovery(model: Model, documents: Documents) -> None:
    """Root has changed a tenant's keys and threshold, and nothing else of it. Raises `Rejected`."""
    for path, new in documents.items():
        old = model.documents[path]
        assert isinstance(old, Tenant) and isinstance(new, Tenant)
        spec = replace(new.spec, signers=old.spec.signers, proofs=old.spec.proofs)
        if replace(new, spec=spec) != old:
            detail = f"{path}: more than spec.signers and spec.proofs is changed"
            raise Rejected(Reason.RECOVERY_EXCEEDED, detail)


def require_unused_names(retired: Container[str], model: Model, documents: Documents) -> None:
    """Nobody comes into a removed tenant's name. Raises `Rejected`."""
    for path, document in documents.items():
        if isinstance(document, Tenant) and path not in model.documents:
            name = document.metadata.name
            if name in retired:
                raise Rejected(Reason.NAME_RETIRED, f"{path}: there was a tenant {name}, and it was removed")


def require_no_violations(before: Model, after: Model, claims: Sequence[Touched], provider: Provider) -> None:
    """No claiming document newly breaks a rule beside the others. Raises `Rejected`."""
    found = newly_owned(before, after, [claim.name for claim in claims], MAX_PROBLEMS_SHOWN + 1)
    if found:
        owners = {each.owner_path for each in found}
        shown = [claim for claim in claims if claim.result and claim.name in owners]
        texts = {claim.name: provider.blob(claim.result.id) or b"" for claim in shown if claim.result}
        raise _rejected(Reason.VIOLATION, [problem_of(each, texts[each.owner_path]) for each in found])


def _rejected(reason: Reason, problems: Sequence[Problem]) -> Rejected:
    """All problems, each with its place; the advice is that for the first."""
    shown = [str(problem) for problem in problems[:MAX_PROBLEMS_SHOWN]]
    if len(problems) > MAX_PROBLEMS_SHOWN:
        shown.append("and more")
    return Rejected(reason, "; ".join(shown), next((each.advice for each in problems if each.advice), ""))


def require_nothing_left_behind(state: State, documents: Documents) -> None:
    """Nobody could ever remove the networks of a tenant that is gone. Raises `Rejected`."""
    for path, document in documents.items():
        old = state.model.documents.get(path)
        if document is None and isinstance(old, Tenant):
            _require_no_networks(state.model, old.metadata.name, path, documents)


def _require_no_networks(model: Model, tenant: str, path: str, documents: Documents) -> None:
    left = {network_path(tenant, network.metadata.name) for network in model.networks_of(tenant)}
    for name, document in documents.items():
        (left.discard if document is None else left.add)(name)
    left = {name for name in left if name.startswith(path.removesuffix("tenant.yaml") + "networks/")}
    if left:
        raise Rejected(Reason.TENANT_HAS_NETWORKS, f"{path}: removed, and {min(left)} is still there")
