"""A made ledger of any size: signed commits in one pack, without a process a commit.

One farm with a node for every two hundred NRs; every tenant is created by root and then buys a network with
two NRs. All is in the anchor or signed, and all of it must be accepted.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.pack_file import PackFile, Stored
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures import proof
from reconciler.ledger.signatures.keys import PublicKey, from_wire
from reconciler.ledger.signatures.wire import string
from reconciler.model.paths import POLICY_PATH, farm_path, network_path, node_path, tenant_path
from reconciler.model.sealed_format import CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES, sealing_key_id

FARM = "bench"
SLOTS = 200
"""NRs a node."""
ROOT = "root"
_PROGRESS_EVERY_S = 5.0


@dataclass(frozen=True)
class Signer:
    """A principal with one ed25519 key, always the same for the same name."""

    name: str

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.name.encode()).digest())

    @cached_property
    def key(self) -> PublicKey:
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return from_wire(string(b"ssh-ed25519") + string(raw))

    def sign(self, message: bytes, namespace: str) -> bytes:
        """A binary SSHSIG (OpenSSH, PROTOCOL.sshsig)."""
        purpose = string(namespace.encode()) + string(b"") + string(b"sha512")
        signed = b"SSHSIG" + purpose + string(hashlib.sha512(message).digest())
        inner = string(b"ssh-ed25519") + string(self._private.sign(signed))
        return b"SSHSIG" + (1).to_bytes(4, "big") + string(self.key.blob) + purpose + string(inner)

    def signed(self, payload: bytes) -> bytes:
        """The raw commit with the signature put in as git does."""
        head, _, message = payload.partition(b"\n\n")
        encoded = base64.b64encode(self.sign(payload, "git"))
        lines = [encoded[at : at + 70] for at in range(0, len(encoded), 70)]
        armor = (b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----")
        return head + b"\ngpgsig " + b"\n ".join(armor) + b"\n\n" + message

    def listed(self, indent: int) -> str:
        lines = ("threshold: 1", "principals:", f"  - name: {self.name}", f"    keys: [{self.key.text}]")
        return "\n".join(" " * indent + line for line in lines)


def tenant_name(number: int) -> str:
    """Spread over all shards of two letters."""
    first, second = divmod(number % 676, 26)
    return f"{chr(97 + first)}{chr(97 + second)}-{number}"


def _document(kind: str, name: str, spec: str) -> bytes:
    return f"apiVersion: tnet/v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{spec}\n".encode()


def _unique_id(number: int) -> str:
    return base64.b32encode(hashlib.sha256(b"%d" % number).digest())[:26].decode().lower()


def _sealing(node: int) -> tuple[str, str]:
    public = hashlib.shake_128(b"%d" % node).digest(PUBLIC_KEY_BYTES)
    return sealing_key_id(public), base64.b64encode(public).decode()


def _beginning(nodes: int) -> Iterator[tuple[str, bytes]]:
    """The documents of the anchor."""
    root = Signer(ROOT)
    yield (
        POLICY_PATH,
        _document("Policy", "policy", f"  protocol: 1\n  version: 1\n  root:\n{root.listed(4)}"),
    )
    yield (
        farm_path(FARM),
        _document(
            "Farm",
            FARM,
            f"  udpPorts:\n    first: 20000\n    count: {SLOTS}\n"
            "  openGrant:\n    maxResourcesPerTenant: 100\n    maxResources: 65535\n"
            f"  farmers:\n{Signer('farmer').listed(4)}",
        ),
    )
    for number in range(nodes):
        key_id, key = _sealing(number)
        yield (
            node_path(FARM, f"n{number}"),
            _document(
                "Node",
                f"n{number}",
                f"  id: {_unique_id(number)}\n  reachability: public\n  uplink: eth0\n"
                f"  endpoints: [198.18.{number // 250}.{number % 250 + 1}]\n"
                f"  sealingKeys:\n    - id: {key_id}\n      key: {key}",
            ),
        )


def tenant_document(name: str) -> bytes:
    signer = Signer(name)
    made = base64.b64encode(signer.sign(proof.message(name), proof.NAMESPACE)).decode()
    proofs = f"    - key: {signer.key.text}\n      signature: {made}"
    return _document("Tenant", name, f"  signers:\n{signer.listed(4)}\n  proofs:\n{proofs}")


def network_document(number: int, edition: int = 0) -> bytes:
    """The network of a tenant; every edition is another content."""
    ciphertext = base64.b64encode(bytes(CIPHERTEXT_BYTES)).decode()
    resources = "".join(
        f"    - node: {FARM}/n{node}\n      nodeId: {_unique_id(node)}\n      index: {index}\n"
        f"      slot: {slot}\n      publicKey: {_public_key(number, index)}\n"
        f"      sealed:\n        key: {_sealing_id(node)}\n        ciphertext: {ciphertext}\n"
        for index, (node, slot) in enumerate(_places(number), 1)
    )
    return f"# edition {edition}\n".encode() + _document(
        "Network",
        "main",
        f"  ipv4: 10.{number % 256}.0.0/16\n  ipv6: fd00:0:{number + 1:x}::/48\n"
        f"  resources:\n{resources.rstrip()}",
    )


_SEALING_IDS: dict[int, str] = {}


def _sealing_id(node: int) -> str:
    if node not in _SEALING_IDS:
        _SEALING_IDS[node] = _sealing(node)[0]
    return _SEALING_IDS[node]


def _places(number: int) -> Iterator[tuple[int, int]]:
    """Node and slot of both NRs, on two nodes that lie side by side."""
    pair, slot = divmod(number, SLOTS)
    return iter(((2 * pair, slot + 1), (2 * pair + 1, slot + 1)))


def _public_key(number: int, index: int) -> str:
    return base64.b64encode(hashlib.sha256(b"%d/%d" % (number, index)).digest()).decode()


# --- objects -----------------------------------------------------------------------------------------


class _Tree:
    """A directory that is changed one name at a time."""

    def __init__(self) -> None:
        self._order: list[bytes] = []
        self._items: list[bytes] = []
        self.stored: Stored | None = None
        self.below: dict[str, _Tree] = {}

    def put(self, name: str, mode: bytes, stored: Stored) -> None:
        order = name.encode() + (b"/" if mode == b"40000" else b"")
        item = mode + b" " + name.encode() + b"\0" + bytes.fromhex(stored.id)
        at = bisect_left(self._order, order)
        if at < len(self._order) and self._order[at] == order:
            self._items[at] = item
        else:
            self._order.insert(at, order)
            self._items.insert(at, item)

    @property
    def raw(self) -> bytes:
        return b"".join(self._items)


class Purchase(NamedTuple):
    """One commit to be made: what it puts where, and who signs it."""

    path: str
    content: bytes
    signer: str
    subject: str


@dataclass(slots=True)
class History:
    """The commits made so far, in a pack."""

    pack: PackFile
    tip: CommitId | None = None
    clock: int = 1_700_000_000
    _root: _Tree = field(default_factory=_Tree)

    def begin(self, nodes: int) -> CommitId:
        for path, content in _beginning(nodes):
            self._put(self._root, path.split("/"), self.pack.add("blob", content))
        return self._commit(ROOT, "Begin")

    def commit(self, purchase: Purchase) -> CommitId:
        self._put(self._root, purchase.path.split("/"), self.pack.add("blob", purchase.content))
        return self._commit(purchase.signer, purchase.subject)

    def _commit(self, signer: str, subject: str) -> CommitId:
        assert self._root.stored is not None
        self.clock += 1
        who = f"{signer} <{signer}@example.net> {self.clock} +0000"
        lines = [f"tree {self._root.stored.id}", *([f"parent {self.tip}"] if self.tip else [])]
        payload = "\n".join((*lines, f"author {who}", f"committer {who}", "", subject, "")).encode()
        self.tip = CommitId(self.pack.add("commit", Signer(signer).signed(payload)).id)
        return self.tip

    def _put(self, tree: _Tree, path: list[str], blob: Stored) -> Stored:
        name, *rest = path
        if rest:
            below = tree.below.setdefault(name, _Tree())
            tree.put(name, b"40000", self._put(below, rest, blob))
        else:
            tree.put(name, b"100644", blob)
        tree.stored = self.pack.add("tree", tree.raw, tree.stored)
        return tree.stored


def purchases(tenants: int, commits: int) -> Iterator[Purchase]:
    """Each tenant comes, then buys a network; what is left over are changes of networks."""
    for number in range(commits):
        if number < 2 * tenants:
            tenant, step = divmod(number, 2)
            name = tenant_name(tenant)
            yield (
                Purchase(network_path(name, "main"), network_document(tenant), name, f"Buy for {name}")
                if step
                else Purchase(tenant_path(name), tenant_document(name), ROOT, f"Welcome {name}")
            )
        else:
            yield change(number % tenants, number)


def change(tenant: int, edition: int) -> Purchase:
    name = tenant_name(tenant)
    return Purchase(
        network_path(name, "main"), network_document(tenant, edition), name, f"Change {name} to {edition}"
    )


class Made(NamedTuple):
    """A forge's repository with a made ledger on its branch `main`, and how to go on with it."""

    forge: Path
    anchor: Anchor
    tenants: int
    commits: int


def make(directory: Path, tenants: int, commits: int) -> tuple[Made, History]:
    """A ledger of so many commits after its anchor; says on standard error how far it has come."""
    forge = directory / "forge.git"
    subprocess.run(
        ["git", "init", "-q", "--bare", "--template=", "--initial-branch=main", str(forge)], check=True
    )
    history = History(PackFile(directory / "history.pack"))
    anchor = history.begin(2 * -(-tenants // SLOTS))
    said = time.monotonic()
    for number, purchase in enumerate(purchases(tenants, commits)):
        history.commit(purchase)
        if time.monotonic() - said > _PROGRESS_EVERY_S:
            said = time.monotonic()
            print(f"making the history: {number} of {commits} commits", file=sys.stderr, flush=True)
    publish(forge, history)
    made = Made(forge, Anchor(anchor, frozenset({Signer(ROOT).key.fingerprint})), tenants, commits)
    return made, history


def publish(forge: Path, history: History) -> None:
    """Puts all that was made since the last time into the forge, and its branch to the tip."""
    with history.pack.finished().open("rb") as file:
        command = ["git", f"--git-dir={forge}", "index-pack", "--stdin", "--fix-thin"]
        subprocess.run(command, stdin=file, stdout=subprocess.DEVNULL, check=True)
    (forge / "refs" / "heads" / "main").write_text(f"{history.tip}\n")
