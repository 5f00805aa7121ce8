"""The isolation matrix: what counts as reached, and who tries what."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from reconciler.lab.matrix import Cell, Target, table, tries
from reconciler.lab.tenants import Container


def container(tenant: str, machine: str) -> Container:
    address = IPv4Address("10.10.1.10")
    return Container(tenant, "net", machine, address, IPv6Address("fd00::10"), address)


def test_silence_is_right_where_nothing_may_answer() -> None:
    target = Target("g", "t", ("192.0.2.1",))
    assert Cell("a", target, {}).ok
    assert Cell("a", target, {}).sign == "·"


def test_one_answer_by_one_protocol_is_a_breach() -> None:
    breach = Cell("a", Target("g", "t", ("192.0.2.1",)), {"udp 192.0.2.1": "t"})
    assert not breach.ok
    assert breach.sign == "1!"
    assert str(breach) == "a -> t: udp 192.0.2.1 (t) answered"


def test_what_must_be_reached_must_answer_by_every_protocol_on_every_address() -> None:
    target = Target("g", "t", ("192.0.2.1", "2001:db8::1"), "all")
    whole = {
        f"{protocol} {address}": "t" for protocol in ("icmp", "udp", "tcp") for address in target.addresses
    }
    assert Cell("a", target, whole).ok
    whole.pop("tcp 2001:db8::1")
    assert not Cell("a", target, whole).ok


def test_a_tenant_a_machine_or_a_single_container_can_be_spared() -> None:
    here = container("acme", "p1")
    assert tries(here, Target("g", "t", ()))
    for spared in ("acme", "@p1", "acme@p1"):
        assert not tries(here, Target("g", "t", (), spares=frozenset({spared})))
    assert tries(here, Target("g", "t", (), spares=frozenset({"globex", "@p2", "acme@p2"})))


def test_the_table_has_a_row_a_target_and_a_blank_where_nobody_tries() -> None:
    one, two = Target("first", "one", ("192.0.2.1",)), Target("second", "two", ("192.0.2.2",))
    lines = table(
        ["aa", "bb"], [Cell("aa", one, {}), Cell("bb", one, {"icmp 192.0.2.1": "x"}), Cell("bb", two, {})]
    )
    assert lines == [
        "                 aa  bb",
        "-- first",
        "one (192.0.2.1)  ·   1!",
        "-- second",
        "two (192.0.2.2)      ·",
    ]
