"""The network's MTU: the least over its links."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address

from reconciler.compile.member import Member
from reconciler.compile.mtu import network_mtu_bytes, vxlan_mtu_bytes
from tests.unit.compile.members import make


def test_a_network_without_links_has_the_underlays() -> None:
    assert network_mtu_bytes([]) == 1500
    assert network_mtu_bytes([make("paris/a", 1, public=True, fast_mtu=9000)]) == 1500
    assert network_mtu_bytes([make("lyon/a", 1), make("oslo/b", 2)]) == 1500


def test_wireguard_leaves_1420() -> None:
    assert network_mtu_bytes([make("paris/a", 1, public=True), make("lyon/b", 2)]) == 1420


def test_vxlan_takes_50_of_the_fast_networks_mtu_over_ipv4_and_70_over_ipv6() -> None:
    ipv4 = make("paris/a", 1, fast_mtu=9000)
    assert vxlan_mtu_bytes(ipv4) == 8950
    assert vxlan_mtu_bytes(replace(ipv4, fast_address=IPv6Address("fd99::1"))) == 8930


def _fast(index: int, mtu: int, farm: str = "paris") -> Member:
    return make(f"{farm}/n{index}", index, public=True, fast_mtu=mtu)


def test_vxlan_alone_may_be_jumbo() -> None:
    assert network_mtu_bytes([_fast(1, 9000), _fast(2, 9000)]) == 8950


def test_the_slowest_kind_of_link_decides_for_all() -> None:
    assert network_mtu_bytes([_fast(1, 9000), _fast(2, 9000), _fast(3, 1500, "lyon")]) == 1420
    assert network_mtu_bytes([_fast(1, 1400), _fast(2, 1400), make("lyon/b", 3)]) == 1350


def test_a_single_fast_port_makes_no_vxlan_link() -> None:
    assert network_mtu_bytes([_fast(1, 1400), make("lyon/b", 3)]) == 1420
