"""The example repository's documents with the lab's own keys, and who signs which of them.

Pure but for reading the example's files. Comments and order of the example stay; replaced are the people's
keys and proofs, the nodes' ids and sealing keys, and the networks' WireGuard keys, sealed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from reconciler.authoring.document_text import changed_text
from reconciler.authoring.resources import reseal
from reconciler.lab.errors import LabError
from reconciler.lab.people import Person
from reconciler.model.documents import (
    Document,
    Farm,
    Grant,
    KeyProof,
    Network,
    Node,
    Policy,
    Principal,
    Signers,
    Tenant,
)
from reconciler.model.loader import kind_for_path, load
from reconciler.model.model import Model
from reconciler.model.paths import POLICY_PATH

EXAMPLE = Path(__file__).parents[2] / "example-repo"


@dataclass(frozen=True, slots=True)
class Signed:
    """One commit to make: who signs what."""

    signer: str
    subject: str
    paths: tuple[str, ...]


def example_texts(directory: Path = EXAMPLE) -> Mapping[str, bytes]:
    """The governed files of the example, by path in the repository. Raises LabError if there are none."""
    files = (path for path in sorted(directory.rglob("*.yaml")) if path.is_file())
    texts = {str(path.relative_to(directory)): path for path in files}
    found = {name: path.read_bytes() for name, path in texts.items() if kind_for_path(name)}
    if POLICY_PATH not in found:
        raise LabError(
            f"{directory} holds no example repository", "run the lab from a checkout of the project"
        )
    return found


def documents(texts: Mapping[str, bytes]) -> Mapping[str, Document]:
    return {path: load(path, content) for path, content in texts.items()}


def people_in(loaded: Mapping[str, Document]) -> tuple[str, ...]:
    """The names of everybody who signs for something."""
    names = {principal.name for document in loaded.values() for principal in _principals(document)}
    return tuple(sorted(names))


def _principals(document: Document) -> tuple[Principal, ...]:
    signers = _signers(document)
    return signers.principals if signers else ()


def _signers(document: Document) -> Signers | None:
    match document:
        case Policy():
            return document.spec.root
        case Farm():
            return document.spec.farmers
        case Tenant():
            return document.spec.signers
        case _:
            return None


def fresh(
    loaded: Mapping[str, Document], people: Mapping[str, Person], identities: Mapping[str, Node]
) -> Mapping[str, Document]:
    """The same documents with everybody's own keys. `identities` is what each node says of itself, by its
    document's path."""
    changed = {path: _with_own(path, item, people, identities) for path, item in loaded.items()}
    model = Model.of(changed)
    return {path: _resealed(model, path, item) for path, item in changed.items()}


def _with_own(
    path: str, document: Document, people: Mapping[str, Person], identities: Mapping[str, Node]
) -> Document:
    match document:
        case Policy():
            return replace(document, spec=replace(document.spec, root=_own(document.spec.root, people)))
        case Farm():
            farmers = _own(document.spec.farmers, people)
            return replace(document, spec=replace(document.spec, farmers=farmers))
        case Tenant():
            return _with_own_proofs(document, people)
        case Node():
            said = identities[path].spec
            return replace(document, spec=replace(document.spec, id=said.id, sealing_keys=said.sealing_keys))
        case _:
            return document


def _own(signers: Signers, people: Mapping[str, Person]) -> Signers:
    principals = tuple(
        replace(principal, keys=(people[principal.name].public_key,)) for principal in signers.principals
    )
    return replace(signers, principals=principals)


def _with_own_proofs(tenant: Tenant, people: Mapping[str, Person]) -> Tenant:
    signers = _own(tenant.spec.signers, people)
    holders = (people[principal.name] for principal in signers.principals)
    proofs = tuple(
        KeyProof(key=person.public_key, signature=person.prove(tenant.metadata.name)) for person in holders
    )
    return replace(tenant, spec=replace(tenant.spec, signers=signers, proofs=proofs))


def _resealed(model: Model, path: str, document: Document) -> Document:
    return reseal(model, Path(path).parts[2], document) if isinstance(document, Network) else document


def rewritten(texts: Mapping[str, bytes], wanted: Mapping[str, Document]) -> Mapping[str, bytes]:
    """The example's files, saying what `wanted` says."""
    return {path: changed_text(path, texts[path], wanted[path]) for path in texts}


def signing_order(loaded: Mapping[str, Document]) -> Sequence[Signed]:
    """The commits that make the ledger, each by whoever rules the files: root, farmers, tenants."""
    return [
        Signed(_first(loaded, POLICY_PATH), "Start the ledger", (POLICY_PATH,)),
        *_by_root(loaded),
        *_by_farmers(loaded),
        *_by_tenants(loaded),
    ]


def _first(loaded: Mapping[str, Document], path: str) -> str:
    """Who signs for what this document rules: one is enough in the lab's farm."""
    return _principals(loaded[path])[0].name


def _by_root(loaded: Mapping[str, Document]) -> Iterator[Signed]:
    root = _first(loaded, POLICY_PATH)
    for path, document in sorted(loaded.items()):
        if isinstance(document, Farm | Tenant):
            kind = type(document).__name__.lower()
            yield Signed(root, f"{kind} {document.metadata.name}: add", (path,))


def _by_farmers(loaded: Mapping[str, Document]) -> Iterator[Signed]:
    for path, farm in sorted(loaded.items()):
        if isinstance(farm, Farm):
            home = path.rpartition("/")[0]
            own = [
                p for p, item in loaded.items() if isinstance(item, Node | Grant) and p.startswith(f"{home}/")
            ]
            subject = f"farm {farm.metadata.name}: nodes and grants"
            yield Signed(_first(loaded, path), subject, tuple(sorted(own)))


def _by_tenants(loaded: Mapping[str, Document]) -> Iterator[Signed]:
    for path, network in sorted(loaded.items()):
        if isinstance(network, Network):
            home = Path(path).parents[1]
            signer = _first(loaded, str(home / "tenant.yaml"))
            yield Signed(signer, f"network {home.name}/{network.metadata.name}: create", (path,))
