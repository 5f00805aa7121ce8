"""From the example repository to the lab's ledger: keys, identities, signed commits, configured nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.lab.farm_documents import (
    Signed,
    documents,
    example_texts,
    fresh,
    people_in,
    rewritten,
    signing_order,
)
from reconciler.lab.jobs import Job, outputs
from reconciler.lab.lab import Lab
from reconciler.lab.people import Person, allowed_signers, make_people
from reconciler.lab.repository import Repository
from reconciler.ledger.anchor import Anchor, write_anchor
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures.keys import from_text
from reconciler.model.documents import Document, Node, Policy
from reconciler.model.loader import load
from reconciler.model.paths import POLICY_PATH, node_path

INTERVAL_S = 30
"""Between the agents' passes when nothing wakes them; the lab's repository does when it changes."""


@dataclass(frozen=True, slots=True)
class Founded:
    """What the ledger was founded with: the people and their keys, the pinned anchor, the commits made."""

    people: Mapping[str, Person]
    anchor: Anchor
    commits: tuple[Signed, ...]


def found_ledger(lab: Lab, repository: Repository) -> Founded:
    """Make the repository with fresh keys and every commit signed by its owner, and publish it."""
    texts = example_texts()
    example = documents(texts)
    people = make_people(lab.record.people, people_in(example))
    wanted = fresh(example, people, node_identities(lab, example))
    own = rewritten(texts, wanted)
    repository.create()
    repository.trust(allowed_signers(people.values()))
    order = tuple(signing_order(wanted))
    for each in order:
        for path in each.paths:
            repository.write(path, own[path])
        repository.commit(each.paths, each.subject, people[each.signer])
    anchor = _anchor(repository, wanted)
    write_anchor(repository.worktree, anchor)
    repository.push()
    return Founded(people, anchor, order)


def _anchor(repository: Repository, wanted: Mapping[str, Document]) -> Anchor:
    policy = wanted[POLICY_PATH]
    assert isinstance(policy, Policy)
    first = repository.git("rev-list", "--max-parents=0", "HEAD")
    keys = (key for principal in policy.spec.root.principals for key in principal.keys)
    return Anchor(CommitId(first), frozenset(from_text(key).fingerprint for key in keys))


def node_identities(lab: Lab, example: Mapping[str, Document]) -> Mapping[str, Node]:
    """Run `tnet node init` in every node: what each says of itself, by its document's path."""
    paths = {node_path(node.farm, node.name): node for node in lab.topology.nodes}
    texts = outputs(
        Job(lab.machine(node.name), _node_init(node.node, example[path])) for path, node in paths.items()
    )
    found = {path: load(path, text.encode()) for path, text in zip(paths, texts, strict=True)}
    return {path: document for path, document in found.items() if isinstance(document, Node)}


def _node_init(node: str, described: Document) -> list[str]:
    """As the example describes it: public with endpoints or hidden, perhaps in a fast network."""
    assert isinstance(described, Node)
    spec = described.spec
    endpoints = [word for address in spec.endpoints for word in ("--endpoint", address)]
    fast = ["--fast", f"{spec.fast.nic}={spec.fast.address}"] if spec.fast else []
    return ["tnet", "node", "init", node, "--uplink", spec.uplink, *(endpoints or ["--hidden"]), *fast]


def configure_nodes(lab: Lab, repository: Repository, anchor: Anchor) -> None:
    """Write each node's agent.yaml, with `tnet node config` as its farmer would."""
    outputs(
        Job(lab.machine(each.name), _node_config(each.node, repository, anchor))
        for each in lab.topology.nodes
    )


def _node_config(node: str, repository: Repository, anchor: Anchor) -> list[str]:
    keys = [word for key in sorted(anchor.root_fingerprints) for word in ("--root-key", key)]
    return [
        "tnet", "node", "config", node, "--remote", repository.url, "--anchor", anchor.commit, *keys,
        "--interval", str(INTERVAL_S),
    ]  # fmt: skip
