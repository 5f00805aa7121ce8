"""Userspace WireGuard: its daemons live, die, and are told apart from strangers."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from reconciler.kernel.linux import LinuxTransport
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import Address, Namespace, Route
from reconciler.kernel.transport import TransportError
from reconciler.services.process_id import ProcessId
from reconciler.services.wireguard_go import WireGuardGo
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.mesh import Mesh, until
from tests.integration.kernel.operations import NS, add, delete, done, run, seen


@pytest.fixture
def wireguard_kind() -> str:
    return "userspace"


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


def test_a_daemon_that_death_left_unrecorded_is_found_and_replaced(mesh: Mesh, machine: Path) -> None:
    mesh.add_side("a")
    process = daemon(machine, "wa")
    (machine / "wireguard" / "wa.pid").unlink()
    assert mesh.device("a") not in seen(mesh.kernel)
    mesh.execute(add(mesh.device("a")))
    assert not process.alive
    assert mesh.device("a") in seen(mesh.kernel)


def test_a_daemon_of_somebody_else_is_left(machine: Path, transport: LinuxTransport) -> None:
    theirs = WireGuardGo(machine / "theirs")
    theirs.start("wz")
    ours = WireGuardGo(machine / "wireguard")
    ours.stop("wz")
    with pytest.raises(TransportError, match="did not start"):
        ours.start("wz")
    assert theirs.running() == {"wz"}
    assert "errno=0" in transport.wireguard_uapi("wz", "get=1\n\n")
    theirs.stop("wz")


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
