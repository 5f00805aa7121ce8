"""Userspace WireGuard end to end: daemons, handshakes, traffic, deaths."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Interface, ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from reconciler.kernel.linux import LinuxTransport
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import HOST, Address, Namespace, Route, WireGuard, WireGuardPeer
from reconciler.kernel.port import Operation
from reconciler.kernel.transport import TransportError
from reconciler.services.process_id import ProcessId
from reconciler.services.wireguard_go import WireGuardGo
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.operations import NS, OWNER, add, change, delete, done, run, seen

SIDES = ("a", "b", "c")


class Mesh:
    """Networks side by side on one node: each its namespace and device, all sockets on the node's `lo`."""

    def __init__(self, kernel: NetlinkKernel, keys: Keys) -> None:
        self.kernel = kernel
        self.public = {side: keys.new() for side in SIDES}
        self.port = {side: 52001 + place for place, side in enumerate(SIDES)}
        self.address = {side: ip_interface(f"10.{place + 1}.0.1/32") for place, side in enumerate(SIDES)}
        run("ip", "link", "set", "lo", "up")

    def device(self, side: str) -> WireGuard:
        return WireGuard(f"tnet-{side}", f"w{side}", 1400, self.public[side], self.port[side], HOST)

    def peer(self, side: str, other: str, endpoint: bool = True) -> WireGuardPeer:
        network = ip_network(f"{self._ip(other)}/32")
        where = (ip_address("127.0.0.1"), self.port[other]) if endpoint else None
        return WireGuardPeer(f"tnet-{side}", f"w{side}", self.public[other], frozenset({network}), where, 0)

    def add_side(self, side: str, *others: str) -> None:
        self.execute(add(Namespace(f"tnet-{side}")))
        self.execute(add(self.device(side)))
        contents = [Address(f"tnet-{side}", f"w{side}", self.address[side])]
        routes = [Route(f"tnet-{side}", ip_network("10.0.0.0/8"), f"w{side}")]
        self.execute(add(*contents, *routes, *(self.peer(side, other) for other in others)))

    def execute(self, operations: list[Operation]) -> None:
        done(self.kernel.execute(operations))

    def ping(self, side: str, other: str) -> bool:
        words = ["ip", "netns", "exec", f"tnet-{side}", "ping", "-c1", "-W1", self._ip(other)]
        return os.spawnvp(os.P_WAIT, words[0], [*words, "-q"]) == 0

    def _ip(self, side: str) -> str:
        found = self.address[side]
        assert isinstance(found, IPv4Interface)
        return str(found.ip)


def until(condition: Callable[[], bool], within_s: float = 15) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


@pytest.fixture
def mesh(kernel: NetlinkKernel, keys: Keys) -> Mesh:
    return Mesh(kernel, keys)


def handshake(side: str, public_key: str) -> str:
    found = re.search(rf"{re.escape(public_key)}\t(\d+)", run("wg", "show", f"w{side}", "latest-handshakes"))
    assert found is not None
    return found[1]


def test_two_devices_shake_hands_and_a_third_joins_without_breaking_them(mesh: Mesh) -> None:
    mesh.add_side("a", "b")
    mesh.add_side("b", "a")
    assert until(lambda: mesh.ping("a", "b"))
    session = handshake("a", mesh.public["b"])
    assert session != "0"
    mesh.add_side("c", "a")
    mesh.execute(add(mesh.peer("a", "c", endpoint=False)))
    changed = replace(mesh.peer("a", "b"), keepalive_s=20)
    mesh.execute(change(mesh.peer("a", "b"), changed))
    assert until(lambda: mesh.ping("c", "a"))
    assert handshake("a", mesh.public["b"]) == session
    assert mesh.ping("a", "b")
    mesh.execute(delete(mesh.peer("a", "c")))
    assert handshake("a", mesh.public["b"]) == session
    assert mesh.ping("a", "b")


def test_an_endpoint_that_was_learned_is_seen(mesh: Mesh) -> None:
    mesh.add_side("a")
    mesh.execute(add(mesh.peer("a", "b", endpoint=False)))
    assert mesh.peer("a", "b", endpoint=False) in seen(mesh.kernel)
    mesh.add_side("b", "a")
    assert until(lambda: mesh.ping("b", "a"))
    assert mesh.peer("a", "b", endpoint=True) in seen(mesh.kernel)


def test_the_device_is_at_home_and_its_socket_in_the_nodes_own_namespace(mesh: Mesh) -> None:
    mesh.add_side("a")
    assert "wa" not in run("ip", "link")
    details = run("ip", "-n", "tnet-a", "-d", "link", "show", "wa")
    assert f"alias tnet:{OWNER}" in details and "mtu 1400" in details and f"group {0x746E}" in details
    assert until(lambda: ":52001" in run("ss", "-lun"))
    assert "52001" not in run("ip", "netns", "exec", "tnet-a", "ss", "-lun")


def daemon(machine: Path, device: str) -> ProcessId:
    found = ProcessId.read(machine / "wireguard" / f"{device}.pid")
    assert found is not None
    return found


def test_a_dead_daemon_is_seen_as_a_missing_device_and_made_again(mesh: Mesh, machine: Path) -> None:
    mesh.add_side("a", "b")
    mesh.add_side("b", "a")
    process = daemon(machine, "wa")
    os.kill(process.pid, signal.SIGKILL)
    assert until(lambda: not process.alive)
    assert until(lambda: mesh.device("a") not in seen(mesh.kernel))
    assert mesh.device("b") in seen(mesh.kernel)
    address = Address("tnet-a", "wa", mesh.address["a"])
    mesh.execute(add(mesh.device("a")))
    mesh.execute(add(mesh.peer("a", "b"), address))
    mesh.execute(add(Route("tnet-a", ip_network("10.0.0.0/8"), "wa")))
    assert until(lambda: mesh.ping("a", "b"))


def test_a_daemon_goes_with_its_device_and_with_its_namespace(mesh: Mesh, machine: Path) -> None:
    mesh.add_side("a")
    mesh.add_side("b")
    processes = [daemon(machine, "wa"), daemon(machine, "wb")]
    mesh.execute(delete(mesh.device("a")))
    mesh.execute(delete(Namespace("tnet-b")))
    assert not any(process.alive for process in processes)
    assert not list(Path("/var/run/wireguard").glob("w*.sock"))
    assert not list((machine / "wireguard").glob("*.pid"))


def test_a_daemon_outlives_the_transport_that_started_it(mesh: Mesh, machine: Path, keys: Keys) -> None:
    mesh.add_side("a")
    process = daemon(machine, "wa")
    assert os.getsid(process.pid) == process.pid
    successor = LinuxTransport(WireGuardGo(machine / "wireguard"))
    kernel = NetlinkKernel(successor, keys)
    assert mesh.device("a") in seen(kernel)
    done(kernel.execute(delete(mesh.device("a"))))
    assert not process.alive
    successor.close()


def test_a_process_id_that_was_given_out_again_is_not_signalled(machine: Path) -> None:
    innocent = ProcessId.of(os.getpid())
    assert innocent is not None
    (machine / "wireguard").mkdir(parents=True)
    daemons = WireGuardGo(machine / "wireguard")
    replace(innocent, started=innocent.started - 1).write(machine / "wireguard" / "w0.pid")
    assert daemons.running() == frozenset()
    daemons.stop("w0")
    assert not (machine / "wireguard" / "w0.pid").exists()


def test_no_key_ends_up_in_what_is_said_or_left_behind(mesh: Mesh, machine: Path, keys: Keys) -> None:
    mesh.add_side("a", "b")
    private = keys.private_key(mesh.public["a"]).hex()
    left = [path.read_text() for path in (machine / "wireguard").iterdir()]
    left += [repr(mesh.kernel.observe()), repr(mesh.device("a"))]
    assert not [text for text in left if private in text]
    unknown = replace(mesh.device("a"), namespace="tnet-a", name="wz", public_key="A" * 43 + "=")
    (outcome,) = mesh.kernel.execute(add(unknown))
    assert "no private key" in str(outcome)
    assert "wz" not in run("ip", "-n", "tnet-a", "link")


def test_a_daemon_that_cannot_start_says_why_and_leaves_nothing(home: NetlinkKernel, machine: Path) -> None:
    run("ip", "link", "add", "w0", "type", "bridge")
    daemons = WireGuardGo(machine / "wireguard")
    with pytest.raises(TransportError, match="did not start"):
        daemons.start("w0")
    assert daemons.running() == frozenset()
    assert NS in run("ip", "netns")
