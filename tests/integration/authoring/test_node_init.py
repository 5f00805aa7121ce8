"""A host describes itself: identity, uplink, reachability."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.model.documents import FastPort, Node
from reconciler.model.loader import load
from tests.integration.authoring.hosts import Host, host

TNET = (sys.executable, "-m", "reconciler.cli.main")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Host]:
    """A host with an uplink `wan0` (addresses for documentation only) and a `fast0`."""
    with host("h1", tmp_path) as made:
        for line in (
            "ip link add wan0 type veth peer name wan1",
            "ip link add fast0 type veth peer name fast1",
            "ip address add 192.0.2.7/24 dev wan0",
            "ip address add 2001:db8::7/64 dev wan0 nodad",
            "ip address add 10.99.0.7/24 dev fast0",
            "ip link set wan0 up",
            "ip link set wan1 up",
            "ip route add default via 192.0.2.1",
        ):
            made.run(*line.split())
        yield made


def described(machine: Host, *words: str) -> Node:
    text = machine.run(*TNET, "node", "init", "paris/h1", "--state-dir", str(machine.state), *words)
    document = load("farms/paris/nodes/h1.yaml", text.encode())
    assert isinstance(document, Node)
    return document


def refused(machine: Host, *words: str, code: int = 1) -> None:
    machine.run(*TNET, "node", "init", "paris/h1", "--state-dir", str(machine.state), *words, code=code)


def test_the_uplink_is_the_default_routes(machine: Host) -> None:
    assert described(machine).spec.uplink == "wan0"


def test_without_a_public_address_it_is_hidden_and_with_one_public(machine: Host) -> None:
    assert described(machine).spec.reachability == "hidden"
    machine.run("ip", "address", "add", "9.9.9.9/32", "dev", "wan0")
    found = described(machine).spec
    assert (found.reachability, found.endpoints) == ("public", ("9.9.9.9",))
    assert described(machine, "--hidden").spec.endpoints == ()


def test_endpoints_that_are_named_make_it_public(machine: Host) -> None:
    found = described(machine, "--endpoint", "203.0.113.9", "--endpoint", "2001:db8::9").spec
    assert (found.reachability, found.endpoints) == ("public", ("203.0.113.9", "2001:db8::9"))


def test_an_endpoint_that_is_no_address_is_refused_before_an_identity_is_made(machine: Host) -> None:
    refused(machine, "--endpoint", "300.1.1.1", code=64)
    assert not (machine.state / "identity").exists()


def test_the_fast_address_is_the_interfaces_or_the_one_named(machine: Host) -> None:
    assert described(machine, "--fast", "fast0").spec.fast == FastPort(nic="fast0", address="10.99.0.7")
    other = described(machine, "--fast", "fast0=10.99.0.8").spec.fast
    assert other == FastPort(nic="fast0", address="10.99.0.8")


def test_running_it_again_describes_the_same_host(machine: Host) -> None:
    assert described(machine) == described(machine)


@pytest.mark.rule(24)
def test_a_new_sealing_key_comes_first_and_the_old_one_stays(machine: Host) -> None:
    before = described(machine).spec
    after = described(machine, "--new-sealing-key").spec
    assert after.id == before.id
    assert after.sealing_keys[1:] == before.sealing_keys
    assert described(machine).spec == after


def test_the_identity_is_for_root_alone(machine: Host) -> None:
    described(machine)
    identity = machine.state / "identity"
    assert identity.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in identity.iterdir()} == {0o600}
    identity.chmod(0o755)
    refused(machine)


def test_what_can_not_be_makes_no_identity(machine: Host) -> None:
    refused(machine, "--uplink", "nope0")
    refused(machine, "--fast", "nope0")
    refused(machine, "--hidden", "--endpoint", "203.0.113.9", code=64)
    machine.run("ip", "route", "del", "default")
    refused(machine)
    assert not machine.state.exists()
    assert described(machine, "--uplink", "wan0").spec.uplink == "wan0"
