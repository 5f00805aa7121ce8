"""What derives from a range, an index and a slot."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

import pytest

from reconciler.compile.addresses import link_local, nr_slice, transit, udp_port
from reconciler.model.documents import PortRange


def test_index_n_holds_the_nth_24_and_the_nth_64() -> None:
    own = nr_slice("10.1.0.0/16", "fd01:2:3::/48", 5)
    assert own.ipv4 == IPv4Network("10.1.5.0/24")
    assert own.ipv6 == IPv6Network("fd01:2:3:5::/64")
    assert own.gateway_ipv4 == IPv4Interface("10.1.5.1/24")
    assert own.gateway_ipv6 == IPv6Interface("fd01:2:3:5::1/64")


@pytest.mark.parametrize(
    ("ipv4", "index", "expected"),
    [
        ("10.0.0.0/8", 65535, "10.255.255.0/24"),
        ("172.16.0.0/12", 300, "172.17.44.0/24"),
        ("10.2.0.0/20", 15, "10.2.15.0/24"),
        ("192.168.2.0/23", 1, "192.168.3.0/24"),
    ],
)
def test_the_range_may_be_of_any_length_from_8_to_23(ipv4: str, index: int, expected: str) -> None:
    assert nr_slice(ipv4, "fd01:2:3::/48", index).ipv4 == IPv4Network(expected)


@pytest.mark.parametrize(("ipv4", "index"), [("10.2.0.0/20", 16), ("192.168.2.0/23", 2)])
def test_an_index_beyond_the_range_is_refused(ipv4: str, index: int) -> None:
    with pytest.raises(ValueError, match=f"index {index}"):
        nr_slice(ipv4, "fd01:2:3::/48", index)


def test_indexes_are_written_in_hexadecimal_in_link_local_addresses() -> None:
    assert link_local(1) == IPv6Interface("fe80::1/64")
    assert link_local(65535) == IPv6Interface("fe80::ffff/64")


def test_slot_s_has_the_sth_transit_pair_the_nat_namespace_the_even_end() -> None:
    pair = transit(3)
    assert (pair.lower_ipv4, pair.upper_ipv4) == (
        IPv4Interface("100.64.0.6/31"),
        IPv4Interface("100.64.0.7/31"),
    )
    assert pair.lower_ipv6 == IPv6Interface("fd74:6e65:7400::6/127")
    assert pair.upper_ipv6 == IPv6Interface("fd74:6e65:7400::7/127")


def test_the_last_slot_still_lies_in_shared_address_space() -> None:
    assert transit(65535).upper_ipv4.ip in IPv4Network("100.64.0.0/10")


def test_slot_s_listens_on_the_sth_port_of_the_farms_range() -> None:
    ports = PortRange(first=51820, count=100)
    assert [udp_port(ports, slot) for slot in (1, 2, 100)] == [51820, 51821, 51919]


@pytest.mark.parametrize(("first", "count", "slot"), [(51820, 100, 101), (65535, 10, 2)])
def test_a_slot_without_a_port_is_refused(first: int, count: int, slot: int) -> None:
    with pytest.raises(ValueError, match=f"slot {slot}"):
        udp_port(PortRange(first=first, count=count), slot)
