"""Files that would cost a careless reader all its memory or time, signed by somebody who may."""

from __future__ import annotations

import resource
import time

import pytest

from tests.integration.ledger.world import DAVE, MAIL, WEB, World, network

pytestmark = pytest.mark.rule(3)

HEAD = b"apiVersion: tnet/v1\nkind: Network\nmetadata:\n  name: web\nspec:\n"
LONGEST = 262_144 - len(HEAD) - 16
"""What still fits into the longest file that is read."""


def laughs() -> bytes:
    lines = [b"  a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [b"  a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 30)]
    return b"\n".join(lines)


def merges() -> bytes:
    lines = [b"  b0: &b0 {x: 1, y: 2}"]
    lines += [b"  b%d: &b%d {<<: [*b%d, *b%d]}" % (n, n, n - 1, n - 1) for n in range(1, 60)]
    return b"\n".join(lines)


BOMBS = {
    "aliases of aliases": laughs(),
    "merge keys of merge keys": merges(),
    "an alias of itself": b"  a: &a [*a]",
    "lists in lists": b"  ipv4: " + b"[" * LONGEST,
    "maps in maps": b"  ipv4: " + b"{a: " * (LONGEST // 4),
    "complex keys in complex keys": b"  " + b"? - " * (LONGEST // 4),
    "many values": b"  ipv4: [" + b"1," * (LONGEST // 2 - 8) + b"]",
    "many keys": b"\n".join(b"  k%05d: 1" % n for n in range(LONGEST // 12)),
    "one key many times": b"  ipv4: x\n" * (LONGEST // 10),
    "an integer of a quarter of a million digits": b"  ipv4: " + b"9" * LONGEST,
    "a text of nothing but escapes": b'  ipv4: "' + b"\\U0001F4A3" * (LONGEST // 10) + b'"',
    "many tags": b"  ipv4: " + b"!a " * (LONGEST // 3),
    "a tag that makes an object": b"  ipv4: !!python/object/apply:os.system ['true']",
    "many documents": b"  ipv4: x\n" + b"---\n" * (LONGEST // 4 - 4),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_no_document_and_takes_neither_time_nor_memory(world: World, bomb: str) -> None:
    before = world.sync()
    content = HEAD + BOMBS[bomb] + b"\n"
    assert len(content) <= 262_144
    world.forge.commit({WEB: content}, DAVE)
    begun, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    view = world.sync()
    assert time.process_time() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 256 << 10  # KiB
    assert (view.verdicts[-1].code, view.model) == ("invalid-document", before.model)
    assert len(view.verdicts[-1].detail) < 4096
    world.forge.commit({MAIL: network("mail", 8)}, DAVE)
    assert world.codes() == ["accepted"]
