"""Before, change, after: what requests do to a world, printed as `ip` would; and faults on purpose."""

from __future__ import annotations

import errno
from ipaddress import ip_interface, ip_network

import pytest

from property_tests.fake_messages import (
    FIRST,
    ChangeAddress,
    ChangeRoute,
    DelLink,
    Ends,
    NewLink,
    Request,
    SetLink,
)
from reconciler.kernel.fake import Death, FakeTransport, NotModelled
from reconciler.kernel.objects import HOST
from reconciler.kernel.transport import TransportError

BRIDGE = NewLink(HOST, "bridge", Ends("br0", FIRST, "02:00:00:00:00:01", up=True))
PAIR = NewLink(HOST, "veth", Ends("v0", FIRST + 1, up=True), peer=Ends("p0", FIRST + 2, moved_to="blue"))
IPV4 = ChangeAddress(HOST, ip_interface("10.1.0.1/24"), FIRST)
IPV6 = ChangeAddress(HOST, ip_interface("fd00::1/64"), FIRST)
ROUTE = ChangeRoute(HOST, ip_network("10.9.0.0/24"), FIRST)


def _ask(transport: FakeTransport, *requests: Request) -> list[int]:
    return [
        ack.code
        for request in requests
        for ack in transport.route_request(request.space, [request.encode(transport.namespace_handle)])
    ]


@pytest.fixture
def fake() -> FakeTransport:
    transport = FakeTransport()
    transport.namespace_add("blue")
    transport.sysctl_write(HOST, [("net/ipv6/conf/default/addr_gen_mode", "1")])
    return transport


def _lines(transport: FakeTransport, namespace: str = HOST) -> list[str]:
    lines = transport.world.render(namespace).splitlines()
    return [line.strip() for line in lines if "sysctl" not in line and "lo loopback" not in line][1:]


LOOPBACK = ["address 127.0.0.1/8", "address ::1/128"]
PLAIN_BRIDGE = f"link br0 bridge mtu 1500 index {FIRST} 02:00:00:00:00:01 up"


def test_a_link_set_down_keeps_its_ipv4_addresses_and_loses_ipv6_and_routes(fake: FakeTransport) -> None:
    assert _ask(fake, BRIDGE, IPV4, IPV6, ROUTE) == [0, 0, 0, 0]
    route = "route 10.9.0.0/24 dev br0 metric 0 proto 116"
    assert _lines(fake) == [PLAIN_BRIDGE, "address 10.1.0.1/24", "address fd00::1/64", *LOOPBACK, route]

    assert _ask(fake, SetLink(HOST, Ends(index=FIRST, up=False))) == [0]

    assert _lines(fake) == [PLAIN_BRIDGE.replace("up", "down"), "address 10.1.0.1/24", *LOOPBACK]


def test_the_last_ipv4_address_takes_all_ipv4_routes_of_its_link(fake: FakeTransport) -> None:
    _ask(fake, BRIDGE, IPV4, ROUTE)
    gone = ChangeAddress(HOST, IPV4.address, FIRST, deletion=True)
    assert _ask(fake, gone) == [0]
    assert _lines(fake) == [PLAIN_BRIDGE, *LOOPBACK]


def test_deleting_one_end_of_a_pair_takes_the_other(fake: FakeTransport) -> None:
    assert _ask(fake, PAIR) == [0]
    assert _lines(fake, "blue") == [f"link p0 veth to v0 in (host) mtu 1500 index {FIRST + 2} down"]
    assert _ask(fake, DelLink(HOST, Ends(name="v0"))) == [0]
    assert _lines(fake, "blue") == []


def test_a_namespace_takes_along_what_is_in_it_and_the_other_ends(fake: FakeTransport) -> None:
    before = fake.world.render(HOST)
    _ask(fake, PAIR)
    fake.namespace_delete("blue")
    assert fake.world.render(HOST) == before
    assert fake.namespaces() == {}


def test_a_peer_cannot_be_born_up(fake: FakeTransport) -> None:
    before = fake.world.render()
    born_up = NewLink(HOST, "veth", Ends("v0", FIRST), peer=Ends("p0", FIRST + 1, up=True))
    assert _ask(fake, born_up) == [errno.ENOTCONN]
    assert fake.world.render() == before


def test_a_snapshot_is_not_changed_by_what_follows_and_can_be_restored_twice(fake: FakeTransport) -> None:
    snapshot, before = fake.world.snapshot(), fake.world.render()
    for _ in range(2):
        _ask(fake, BRIDGE, IPV4, ROUTE, PAIR)
        assert fake.world.render() != before == snapshot.render()
        fake.world.restore(snapshot)
        assert fake.world.render() == before


def test_a_change_that_shall_fail_changes_nothing_and_the_next_goes_on(fake: FakeTransport) -> None:
    fake.fail(at=2, code=errno.ENOBUFS)
    assert _ask(fake, BRIDGE, IPV4, IPV6) == [0, errno.ENOBUFS, 0]
    assert _lines(fake) == [PLAIN_BRIDGE, "address fd00::1/64", *LOOPBACK]


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_death_comes_before_or_after_a_change(fake: FakeTransport, when: str, made: bool) -> None:
    fake.die(at=1, when=when)  # type: ignore[arg-type]
    with pytest.raises(Death):
        _ask(fake, BRIDGE)
    assert (PLAIN_BRIDGE in _lines(fake)) == made
    assert _ask(fake, BRIDGE) == [errno.EEXIST if made else 0]


def test_a_failing_seam_raises_the_errno(fake: FakeTransport) -> None:
    fake.fail(at=1, code=errno.ENOSPC)
    with pytest.raises(TransportError) as caught:
        fake.namespace_add("green")
    assert caught.value.code == errno.ENOSPC
    assert "green" not in fake.namespaces()


def test_what_is_not_modelled_is_said_and_not_guessed(fake: FakeTransport) -> None:
    with pytest.raises(NotModelled, match="macvlan"):
        _ask(fake, NewLink(HOST, "macvlan", Ends("m0")))
    with pytest.raises(NotModelled, match="tcp_tw_reuse"):
        fake.sysctl_read(HOST, ["net/ipv4/tcp_tw_reuse"])


def test_a_refused_transaction_leaves_no_trace(fake: FakeTransport) -> None:
    before = fake.world.render(), fake.nft_generation(HOST)
    table = '{"table": {"family": "inet", "name": "t"}}'
    with pytest.raises(TransportError) as caught:
        fake.nft(HOST, f'{{"nftables": [{{"add": {table}}}, {{"create": {table}}}]}}')
    assert caught.value.code == errno.EEXIST
    assert (fake.world.render(), fake.nft_generation(HOST)) == before
