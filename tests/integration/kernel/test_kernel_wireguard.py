"""WireGuard end to end, by the kernel where it can and by daemons: handshakes, traffic, peers to and fro."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from reconciler.kernel.objects import WireGuardPeer
from tests.integration.kernel.keys import Keys
from tests.integration.kernel.mesh import Mesh, handshake, until
from tests.integration.kernel.operations import OWNER, add, change, delete, run, seen

pytestmark = pytest.mark.parametrize("wireguard_kind", ["kernel", "userspace"])


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


def test_more_peers_than_one_message_holds_are_all_seen(mesh: Mesh, keys: Keys) -> None:
    mesh.add_side("a")
    allowed = [frozenset({ip_network((0x0A000000 + (place << 8), 24))}) for place in range(300)]
    peers = [WireGuardPeer("tnet-a", "wa", keys.new(), networks, None, 0) for networks in allowed]
    wide = frozenset(ip_network((0x0B000000 + (place << 8), 24)) for place in range(2500))
    peers.append(WireGuardPeer("tnet-a", "wa", keys.new(), wide, None, 0))
    mesh.execute(add(*peers))
    assert set(peers) <= seen(mesh.kernel)
