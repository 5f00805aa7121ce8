"""What the lab's machines are told, as a table of text."""

from __future__ import annotations

from ipaddress import ip_interface

from reconciler.lab import wiring
from reconciler.lab.topology import BOX, FARM, INTERNET, L2, Cable, Interface, Machine, Table


def test_a_cable_is_born_with_both_ends_inside() -> None:
    text = wiring.cabling((Cable(("a", "eth0"), ("b", "port")),), {"a": 10, "b": 20})
    assert text == "link add eth0 netns 10 type veth peer name port netns 20\n"


def test_a_node_is_addressed_and_routed() -> None:
    lines = wiring.configuration(L2).splitlines()
    assert lines == [
        "link set lo up",
        "address add 192.168.77.10/24 dev eth0",
        "address add fd77::10/64 dev eth0 nodad",
        "link set eth0 up",
        "route add default via 192.168.77.1",
        "route add default via fd77::1",
    ]


def test_a_bridge_is_made_before_its_ports_join() -> None:
    machine = Machine("m", "router", (Interface("br", ("192.0.2.1/24",), ("a",)),))
    lines = wiring.configuration(machine).splitlines()
    assert lines.index("link add br type bridge forward_delay 0") < lines.index("link set a master br up")


def test_marked_packets_go_by_way_of_one_neighbour() -> None:
    machine = Machine("m", "host", (), tables=(Table(4, "l2", ("192.0.2.9", "2001:db8::9")),))
    assert wiring.configuration(machine).splitlines()[1:] == [
        "rule add from 0.0.0.0/0 fwmark 4 table 104",
        "route add 0.0.0.0/0 via 192.0.2.9 table 104",
        "rule add from ::/0 fwmark 4 table 104",
        "route add ::/0 via 2001:db8::9 table 104",
    ]


def test_only_the_box_translates_addresses() -> None:
    assert 'oifname "wan" masquerade' in wiring.router_ruleset(BOX)
    assert wiring.router_ruleset(INTERNET) == ""
    assert "nft" not in wiring.setup_script(INTERNET)


def test_nodes_are_left_as_they_are() -> None:
    assert all(not wiring.sysctls(node) for node in FARM.nodes)


def test_every_cable_ends_at_a_machine_of_the_farm_and_no_address_is_given_twice() -> None:
    names = {machine.name for machine in FARM.machines}
    assert {end[0] for cable in FARM.cables for end in (cable.left, cable.right)} <= names
    given = [address for machine in FARM.machines for address in machine.addresses()]
    assert len(given) == len(set(given))


def test_every_gateway_is_on_a_wire_of_its_machine() -> None:
    for machine in FARM.machines:
        links = [ip_interface(address).network for i in machine.interfaces for address in i.addresses]
        for gateway in machine.gateways:
            assert any(ip_interface(gateway).ip in link for link in links), (machine.name, gateway)
