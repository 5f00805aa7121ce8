"""A small world for ledger tests: people with keys, a forge's repository, and commits of any shape in it.

Objects are written by hand, so that a test can make what git wouldn't, and so that a thousand commits cost
no process each.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reconciler.ledger.anchor import Anchor
from reconciler.ledger.config import LedgerConfig
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.signatures import keys, proof
from reconciler.ledger.signatures.keys import PublicKey
from reconciler.ledger.signatures.wire import string
from reconciler.ledger.view import LedgerView
from reconciler.model.paths import POLICY_PATH, tenant_path
from reconciler.model.sealed_format import CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES, sealing_key_id

Files = dict[str, "Blob"]


@dataclass(frozen=True)
class Blob:
    """What stands at a path: a file, or with another mode a link or a submodule (then `data` is the id)."""

    data: bytes
    mode: str = "100644"


@dataclass(frozen=True)
class Person:
    """Somebody with an ed25519 key that is always the same for the same name."""

    name: str

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.name.encode()).digest())

    @cached_property
    def key(self) -> PublicKey:
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return keys.from_wire(string(b"ssh-ed25519") + string(raw))

    def sign(self, message: bytes, namespace: str = "git") -> bytes:
        """A binary SSHSIG."""
        digest = hashlib.sha512(message).digest()
        purpose = string(namespace.encode())
        signed = b"SSHSIG" + purpose + string(b"") + string(b"sha512") + string(digest)
        inner = string(b"ssh-ed25519") + string(self._private.sign(signed))
        head = b"SSHSIG" + (1).to_bytes(4, "big") + string(self.key.blob)
        return head + purpose + string(b"") + string(b"sha512") + string(inner)


def armor(signature: bytes) -> bytes:
    encoded = base64.b64encode(signature)
    lines = [encoded[at : at + 70] for at in range(0, len(encoded), 70)]
    return b"\n".join((b"-----BEGIN SSH SIGNATURE-----", *lines, b"-----END SSH SIGNATURE-----"))


def signed(payload: bytes, person: Person) -> bytes:
    """The raw commit with the person's signature put in as git does."""
    head, _, message = payload.partition(b"\n\n")
    signature = armor(person.sign(payload)).replace(b"\n", b"\n ")
    return head + b"\ngpgsig " + signature + b"\n\n" + message


# --- documents ---------------------------------------------------------------------------------------


def signers_yaml(people: Mapping[str, Sequence[Person]], threshold: int, indent: int) -> str:
    lines = [f"threshold: {threshold}", "principals:"]
    for name, owned in people.items():
        lines += [f"  - name: {name}", "    keys:", *(f"      - {person.key.text}" for person in owned)]
    return "\n".join(" " * indent + line for line in lines)


def named(*people: Person) -> dict[str, list[Person]]:
    return {person.name: [person] for person in people}


def document(kind: str, name: str, spec: str) -> bytes:
    text = f"apiVersion: tnet/v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{spec}\n"
    return text.encode()


@dataclass(frozen=True)
class Ruled:
    """A rule: for these paths these people sign."""

    paths: Sequence[str]
    people: Sequence[Person]
    threshold: int = 1


def delegation_yaml(rules: Sequence[Ruled], withdrawn: Sequence[str]) -> str:
    """A document's rules and the consents it takes back, to be put at the end of its spec."""
    lines = ["  rules:"] if rules else []
    for rule in rules:
        lines += ["    - paths:", *(f'        - "{path}"' for path in rule.paths), "      signers:"]
        lines.append(signers_yaml(named(*rule.people), rule.threshold, 8))
    lines += ["  withdrawn:", *(f'    - "{commit}"' for commit in withdrawn)] if withdrawn else []
    return "".join(f"\n{line}" for line in lines)


def policy(
    *people: Person,
    version: int = 1,
    threshold: int = 1,
    protocol: int = 1,
    rules: Sequence[Ruled] = (),
    withdrawn: Sequence[str] = (),
) -> bytes:
    root = signers_yaml(named(*people), threshold, 4)
    spec = f"  protocol: {protocol}\n  version: {version}\n  root:\n{root}"
    return document("Policy", "policy", spec + delegation_yaml(rules, withdrawn))


def suspension(tenant: str, reason: str = "unpaid") -> bytes:
    return document("Suspension", tenant, f"  reason: {reason}")


def farm(
    name: str,
    *people: Person,
    ports: int = 100,
    threshold: int = 1,
    rules: Sequence[Ruled] = (),
    withdrawn: Sequence[str] = (),
) -> bytes:
    farmers = signers_yaml(named(*people), threshold, 4)
    spec = f"  udpPorts:\n    first: 20000\n    count: {ports}\n  farmers:\n{farmers}"
    return document("Farm", name, spec + delegation_yaml(rules, withdrawn))


def node(name: str, number: int = 1) -> bytes:
    public = hashlib.shake_128(name.encode()).digest(PUBLIC_KEY_BYTES)
    return document(
        "Node",
        name,
        f"  id: {node_id(number)}\n  reachability: public\n  uplink: eth0\n"
        f"  endpoints:\n    - 192.0.2.{number}\n"
        f"  sealingKeys:\n    - id: {sealing_key_id(public)}\n      key: {base64.b64encode(public).decode()}",
    )


def node_id(number: int) -> str:
    return f"node{'a' * 20}{'abcdefghijklmnop'[number // 16]}{'abcdefghijklmnop'[number % 16]}"


def grant(tenant: str, count: int = 10) -> bytes:
    return document("Grant", tenant, f"  maxResources: {count}")


def proven(name: str, *people: Person) -> list[tuple[Person, bytes]]:
    """Everybody's proof of holding a key of this tenant."""
    return [(each, each.sign(proof.message(name), proof.NAMESPACE)) for each in people]


def tenant(
    name: str,
    *people: Person,
    threshold: int = 1,
    proofs: Sequence[tuple[Person, bytes]] | None = None,
    rules: Sequence[Ruled] = (),
    withdrawn: Sequence[str] = (),
    description: str = "",
) -> bytes:
    signers = signers_yaml(named(*people), threshold, 4)
    if proofs is None:
        proofs = proven(name, *dict.fromkeys((*people, *(each for rule in rules for each in rule.people))))
    listed = "\n".join(
        f"    - key: {each.key.text}\n      signature: {base64.b64encode(signature).decode()}"
        for each, signature in proofs
    )
    spec = f"  signers:\n{signers}" + (f"\n  proofs:\n{listed}" if listed else "")
    text = document("Tenant", name, spec + delegation_yaml(rules, withdrawn))
    described = f"  name: {name}\n  description: {description}\n" if description else f"  name: {name}\n"
    return text.replace(f"  name: {name}\n".encode(), described.encode(), 1)


def network(
    name: str, number: int = 1, resources: Sequence[tuple[str, int, int]] = (), comment: str = ""
) -> bytes:
    """A network with the range 10.<number>.0.0/16; resources are (node, the node's number, slot)."""
    lines = [f"  ipv4: 10.{number}.0.0/16", f"  ipv6: fd00:0:{number:x}::/48"]
    if resources:
        lines.append("  resources:")
    for index, (where, node_number, slot) in enumerate(resources, 1):
        public = hashlib.sha256(f"{name}{number}{where}".encode()).digest()
        sealing = sealing_key_id(hashlib.shake_128(where.partition("/")[2].encode()).digest(PUBLIC_KEY_BYTES))
        lines += [
            f"    - node: {where}",
            f"      nodeId: {node_id(node_number)}",
            f"      index: {index}",
            f"      slot: {slot}",
            f"      publicKey: {base64.b64encode(public).decode()}",
            "      sealed:",
            f"        key: {sealing}",
            f"        ciphertext: {base64.b64encode(bytes(CIPHERTEXT_BYTES)).decode()}",
        ]
    return (f"# {comment}\n" if comment else "").encode() + document("Network", name, "\n".join(lines))


# --- the forge ---------------------------------------------------------------------------------------


@dataclass
class Forge:
    """A bare repository whose every object and ref is in our hands."""

    path: Path
    clock: int = 1_700_000_000
    trees: dict[CommitId, Files] = field(default_factory=dict)

    def __post_init__(self) -> None:
        command = ["git", "init", "-q", "--bare", "--template=", "--initial-branch=main", str(self.path)]
        subprocess.run(command, check=True)

    def git(self, *arguments: str) -> str:
        command = ["git", f"--git-dir={self.path}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, kind: str, data: bytes) -> str:
        """Writes an object, whatever it holds."""
        content = f"{kind} {len(data)}\0".encode() + data
        name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        path = self.path / "objects" / name[:2] / name[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(content, 1))
        return name

    def raw(self, name: str) -> bytes:
        """An object's content."""
        content = zlib.decompress((self.path / "objects" / name[:2] / name[2:]).read_bytes())
        return content.partition(b"\0")[2]

    def write_tree(self, files: Files) -> str:
        entries: dict[bytes, tuple[str, str]] = {}
        below: dict[str, Files] = {}
        for path, blob in files.items():
            first, _, rest = path.partition("/")
            if rest:
                below.setdefault(first, {})[rest] = blob
            else:
                submodule = blob.mode == "160000"
                name = blob.data.decode() if submodule else self.write("blob", blob.data)
                entries[first.encode("utf-8", "surrogateescape")] = (blob.mode, name)
        for first, inner in below.items():
            entries[first.encode("utf-8", "surrogateescape")] = ("40000", self.write_tree(inner))
        ordered = sorted(entries.items(), key=lambda item: item[0] + b"/" * (item[1][0] == "40000"))
        raw = b"".join(b"%s %s\0%s" % (m.encode(), n, bytes.fromhex(i)) for n, (m, i) in ordered)
        return self.write("tree", raw)

    def payload(self, tree: str, parents: Sequence[str], subject: str) -> bytes:
        self.clock += 1
        who = f"Somebody <somebody@example.net> {self.clock} +0000"
        lines = [f"tree {tree}", *(f"parent {each}" for each in parents), f"author {who}", f"committer {who}"]
        return "\n".join((*lines, "", subject, "")).encode()

    def commit(
        self,
        changes: Mapping[str, bytes | Blob | None],
        by: Person | None = None,
        *,
        parents: Sequence[CommitId] | None = None,
        tree_of: CommitId | None = None,
        subject: str = "Change",
        push: bool = True,
    ) -> CommitId:
        """A commit on main (or on `parents`): these changes to the first parent's tree (or to `tree_of`'s).

        Unless `push` is False, main moves to it."""
        if parents is None:
            parents = [self.tip] if self.has_main else []
        start = tree_of or (parents[0] if parents else None)
        files: Files = dict(self.trees[start]) if start else {}
        for path, content in changes.items():
            if content is None:
                del files[path]
            else:
                files[path] = content if isinstance(content, Blob) else Blob(content)
        payload = self.payload(self.write_tree(files), parents, subject)
        return self.add(signed(payload, by) if by else payload, files, push=push)

    def add(self, raw: bytes, files: Files, *, push: bool = True) -> CommitId:
        """A commit with these raw bytes, whose tree has these files."""
        commit = CommitId(self.write("commit", raw))
        self.trees[commit] = files
        if push:
            self.set_main(commit)
        return commit

    def branch(self, changes: Mapping[str, bytes | Blob | None], by: Person | None, on: CommitId) -> CommitId:
        """A commit on a branch of its own."""
        return self.commit(changes, by, parents=[on], push=False)

    def merge(
        self,
        *others: CommitId,
        by: Person | None = None,
        changes: Mapping[str, bytes | Blob | None] | None = None,
        tree_of: CommitId | None = None,
        push: bool = True,
    ) -> CommitId:
        """A merge of these into main as a forge makes it: main's tree with what each changed since its fork.

        `changes` go on top; `tree_of` takes another commit's tree instead."""
        merged = dict(self.trees[self.tip])
        for other in others:
            base = self.trees[CommitId(self.git("merge-base", self.tip, other))]
            for path in base.keys() | self.trees[other].keys():
                if base.get(path) != self.trees[other].get(path):
                    _put(merged, path, self.trees[other].get(path))
        wanted = {**_difference(self.trees[self.tip], merged), **(changes or {})}
        return self.commit(
            {} if tree_of else wanted,
            by,
            parents=[self.tip, *others],
            tree_of=tree_of,
            subject="Merge",
            push=push,
        )

    @property
    def has_main(self) -> bool:
        return (self.path / "refs" / "heads" / "main").exists()

    @property
    def tip(self) -> CommitId:
        return CommitId((self.path / "refs" / "heads" / "main").read_text().strip())

    def set_main(self, commit: str) -> None:
        (self.path / "refs" / "heads" / "main").write_text(commit + "\n")


def _put(files: Files, path: str, blob: Blob | None) -> None:
    if blob is None:
        files.pop(path, None)
    else:
        files[path] = blob


def _difference(old: Files, new: Files) -> dict[str, bytes | Blob | None]:
    return {path: new.get(path) for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


# --- the world ---------------------------------------------------------------------------------------

ALICE, BOB, CHLOE, DAVE, ERIN = (Person(name) for name in ("alice", "bob", "chloe", "dave", "erin"))
MALLORY = Person("mallory")

WEB = "tenants/ac/acme/networks/web.yaml"
MAIL = "tenants/ac/acme/networks/mail.yaml"
SHOP = "tenants/gl/globex/networks/shop.yaml"


class World:
    """A forge with a ledger on it, and a node's clone of that.

    Alice is root; Bob operates the farm paris with the node p1; Dave is the tenant acme, Erin is globex.
    """

    def __init__(
        self, directory: Path, *, root: bytes | None = None, root_people: Sequence[Person] = (ALICE,)
    ) -> None:
        self.directory = directory
        self.forge = Forge(directory / "forge.git")
        content = policy(*root_people) if root is None else root
        self.anchor = Anchor(
            self.forge.commit({POLICY_PATH: content}, root_people[0], subject="Begin"),
            frozenset(person.key.fingerprint for person in root_people),
        )
        self.ledger = self.new_ledger("node")

    def new_ledger(self, name: str, **settings: object) -> Ledger:
        values: dict[str, object] = {"fetch_timeout_s": 30.0, **settings}
        return Ledger(
            LedgerConfig(
                remote=str(values.pop("remote", self.forge.path)),
                branch="main",
                anchor=self.anchor.commit,
                root_fingerprints=self.anchor.root_fingerprints,
                directory=self.directory / name,
                **values,  # type: ignore[arg-type]
            )
        )

    def populate(self) -> None:
        """A farm with a node, two tenants with a network each."""
        commit = self.forge.commit
        commit({"farms/paris/farm.yaml": farm("paris", BOB)}, ALICE)
        commit({"farms/paris/nodes/p1.yaml": node("p1")}, BOB)
        commit(
            {
                "farms/paris/grants/acme.yaml": grant("acme"),
                "farms/paris/grants/globex.yaml": grant("globex"),
            },
            BOB,
        )
        commit({tenant_path("acme"): tenant("acme", DAVE)}, ALICE)
        commit({tenant_path("globex"): tenant("globex", ERIN)}, ALICE)
        commit({WEB: network("web", 1, [("paris/p1", 1, 1)])}, DAVE)
        commit({SHOP: network("shop", 2, [("paris/p1", 1, 2)])}, ERIN)

    def sync(self) -> LedgerView:
        return self.ledger.sync()

    def codes(self, last: int = 1) -> list[str]:
        """The codes of the last verdicts, after a fetch."""
        return [verdict.code for verdict in self.sync().verdicts[-last:]]

    def effective(self, path: str) -> bytes | None:
        """The file in the effective tree that the node wrote, as git shows it."""
        shown = subprocess.run(
            ["git", f"--git-dir={self.directory}/node/ledger.git", "show", f"refs/tnet/effective:{path}"],
            capture_output=True,
            check=False,
        )
        return shown.stdout if shown.returncode == 0 else None
