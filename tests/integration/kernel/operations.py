"""Small words for tests that carry out operations and look at what came of it."""

from __future__ import annotations

import subprocess

from reconciler.kernel.graph import KernelObject
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import Key
from reconciler.kernel.port import Operation, Outcome

OWNER = "ownerabcdefgh"
NS = "tnet-one"
NAT = "tnet-nat"


def add(*items: KernelObject, owner: str = OWNER) -> list[Operation]:
    return [Operation("add", owner, None, item) for item in items]


def delete(*items: KernelObject, owner: str = OWNER) -> list[Operation]:
    return [Operation("delete", owner, item, None) for item in items]


def change(before: KernelObject, after: KernelObject, owner: str = OWNER) -> list[Operation]:
    return [Operation("change", owner, before, after)]


def done(outcomes: list[Outcome]) -> None:
    assert [str(outcome) for outcome in outcomes if not outcome.ok] == []


def seen(kernel: NetlinkKernel, *sysctls: Key, owner: str = OWNER) -> set[KernelObject]:
    return set(kernel.observe(sysctls).of(owner).values())


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
