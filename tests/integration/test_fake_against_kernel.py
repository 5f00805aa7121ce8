"""The same random requests to the fake and to this machine's kernel: the same answers, the same state.

A few hundred sequences by default; `FAKE_SEQUENCES=100000` runs as many. What was run is printed.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from property_tests.fake_messages import SPACES, EndNamespace, Request, Sequence, WriteSysctl, sequences
from reconciler.kernel.fake import FakeTransport, NotModelled
from reconciler.kernel.linux.transport import LinuxTransport
from reconciler.kernel.transport import Transport
from tests.integration.fake_normal_form import State, state

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces")

SEQUENCES = int(os.environ.get("FAKE_SEQUENCES", "300"))
QUIET = (
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
    ("net/ipv6/conf/default/accept_dad", "0"),
)
"""Else a real kernel makes addresses of its own a second later."""

SETTLING_S = float(os.environ.get("FAKE_SETTLING_S", "2"))

ENDING_S = 10.0

_numbers = itertools.count()


class Pair:
    """Namespaces A and B of one kernel, under names of their own."""

    def __init__(self, transport: Transport, prefix: str) -> None:
        self.transport = transport
        self.names = {space: f"{prefix}{space.lower()}" for space in SPACES}
        for name in self.names.values():
            transport.namespace_add(name)
            transport.sysctl_write(name, QUIET)

    def ask(self, request: Request) -> int:
        """The errno of the answer."""
        name = self.names.get(request.space)
        if name is None:
            return 0
        if isinstance(request, EndNamespace):
            self._end(request.space)
            return 0
        if isinstance(request, WriteSysctl):
            return self.transport.sysctl_write(name, [(request.path, request.value)])[0].code
        return self.transport.route_request(name, [request.encode(self._handle)])[0].code

    def _handle(self, space: str) -> int:
        name = self.names.get(space)
        return 1 << 20 if name is None else self.transport.namespace_handle(name)

    def _end(self, space: str) -> None:
        """Its veths and VXLAN devices elsewhere take the real kernel a moment to end."""
        self.transport.namespace_delete(self.names.pop(space))

    def state(self) -> dict[str, State]:
        return {space: state(self.transport, name) for space, name in self.names.items()}

    def links(self) -> list[Any]:
        return [link[0] for name in self.names.values() for link in state(self.transport, name)["links"]]

    def close(self) -> None:
        for space in list(self.names):
            self._end(space)


@pytest.fixture(scope="module")
def kernel() -> Iterator[LinuxTransport]:
    transport = LinuxTransport()
    yield transport
    transport.close()


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    found: Counter[str] = Counter()
    yield found
    print(f"\nfake against the kernel: {dict(found)}")


def differences(left: Any, right: Any) -> list[str]:
    """What only the kernel (-) and what only the fake (+) has."""
    lines = []
    for space in left:
        for part in left[space]:
            real, fake = left[space][part], right[space][part]
            lines += [f"- {space} {part} {item}" for item in real if item not in fake]
            lines += [f"+ {space} {part} {item}" for item in fake if item not in real]
            if not lines and real != fake:
                lines.append(f"{space} {part}: {real} != {fake}")
    return lines


def settled_differences(real: Pair, fake: Pair) -> list[str]:
    """A real kernel does some things a moment later (the local route of an IPv6 address, the other end of
    a veth whose namespace went): what counts is what it settles to."""
    deadline = time.monotonic() + SETTLING_S
    expected = fake.state()
    found = differences(real.state(), expected)
    while found and time.monotonic() < deadline:
        time.sleep(0.005)
        found = differences(real.state(), expected)
    return found


def await_same_links(real: Pair, fake: Pair) -> None:
    """Until the veths and VXLAN devices that a namespace's end takes along have gone."""
    deadline = time.monotonic() + ENDING_S
    expected = fake.links()
    while real.links() != expected and time.monotonic() < deadline:
        time.sleep(0.002)


def compare(kernel: LinuxTransport, sequence: Sequence, counts: Counter[str]) -> None:
    number = next(_numbers)
    real = Pair(kernel, f"t{os.getpid()}-{number}")
    fake = Pair(FakeTransport(), "t")
    counts["sequences"] += 1
    try:
        for request in sequence.requests:
            try:
                guessed = fake.ask(request)
            except NotModelled as unknown:
                counts["cut short, not modelled"] += 1
                counts[f"not modelled: {unknown}"] += 1
                break
            answered = real.ask(request)
            counts["requests"] += 1
            counts["accepted"] += answered == 0
            assert guessed == answered, f"{request}: the kernel says {answered}, the fake {guessed}"
            if isinstance(request, EndNamespace):
                await_same_links(real, fake)
        found = settled_differences(real, fake)
        assert not found, "\n".join(found)
    finally:
        real.close()


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    suppress_health_check=(
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ),
)
@given(sequence=sequences)
def test_answers_and_dumps_are_those_of_the_kernel(
    kernel: LinuxTransport, counts: Counter[str], sequence: Sequence
) -> None:
    compare(kernel, sequence, counts)
