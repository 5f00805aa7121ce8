"""Trees without end: each holds the one below it twice, so forty of them are a million million paths."""

from __future__ import annotations

from reconciler.ledger.repository.objects import CommitId
from tests.integration.ledger.world import Forge, Person, signed

DEPTH = 40


def bomb(forge: Forge, on: CommitId, person: Person, directory: str) -> CommitId:
    """A signed commit in which the directory at the root is such a tree."""
    name = forge.write("tree", _entry(b"100644", b"f", forge.write("blob", b"x\n")))
    for _ in range(DEPTH):
        name = forge.write("tree", _entry(b"40000", b"a", name) + _entry(b"40000", b"b", name))
    others = _others(forge, on, directory.encode())
    others[directory.encode()] = _entry(b"40000", directory.encode(), name)
    root = forge.write("tree", b"".join(others[each] for each in sorted(others)))
    return forge.add(signed(forge.payload(root, [on], "Bomb"), person), {}, push=False)


def _entry(mode: bytes, name: bytes, target: str) -> bytes:
    return b"%s %s\0%s" % (mode, name, bytes.fromhex(target))


def _others(forge: Forge, commit: CommitId, directory: bytes) -> dict[bytes, bytes]:
    """The entries of the commit's root by name, all but that one."""
    listed = forge.git("ls-tree", commit).splitlines()
    parsed = (line.replace("\t", " ").split(" ", 3) for line in listed)
    entries = {
        name.encode(): _entry(mode.lstrip("0").encode(), name.encode(), target)
        for mode, _, target, name in parsed
    }
    return {name: entry for name, entry in entries.items() if name != directory}
