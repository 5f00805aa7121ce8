"""Who is linked to whom, how, and through whom."""

from __future__ import annotations

from tests.unit.compile.members import make, picture, view


def test_two_in_one_fast_network_are_linked_by_vxlan_be_they_public_or_hidden() -> None:
    for public in (True, False):
        members = [make("paris/a", 1, public=public, fast_mtu=1500), make("paris/b", 2, fast_mtu=1500)]
        assert picture(view(members, "paris/a")) == {"paris/b": ("vxlan", ())}
        assert picture(view(members, "paris/b")) == {"paris/a": ("vxlan", ())}


def test_fast_networks_of_two_farms_are_two() -> None:
    members = [make("paris/a", 1, public=True, fast_mtu=1500), make("lyon/b", 2, fast_mtu=1500)]
    assert picture(view(members, "paris/a")) == {"lyon/b": ("wireguard", ())}


def test_one_without_a_fast_port_is_linked_by_wireguard_in_its_own_farm() -> None:
    members = [make("paris/a", 1, public=True, fast_mtu=1500), make("paris/b", 2)]
    assert picture(view(members, "paris/b")) == {"paris/a": ("wireguard", ())}


def test_two_hidden_ones_go_through_the_first_relay_both_reach() -> None:
    members = [
        make("lyon/a", 1),
        make("oslo/b", 2),
        make("paris/r", 3, public=True),
        make("paris/s", 4, public=True),
    ]
    mesh = view(members, "lyon/a", "paris/s", "paris/r")
    assert picture(mesh) == {"paris/r": ("wireguard", ()), "paris/s": ("wireguard", ("oslo/b",))}
    assert view(members, "paris/s", "paris/s", "paris/r").relaying
    assert not view(members, "paris/r", "paris/s", "paris/r").relaying


def test_a_relay_may_be_reached_by_vxlan() -> None:
    members = [
        make("paris/a", 1, fast_mtu=1500),
        make("paris/r", 2, public=True, fast_mtu=1500),
        make("lyon/b", 3),
    ]
    assert picture(view(members, "paris/a", "paris/r")) == {"paris/r": ("vxlan", ("lyon/b",))}
    assert picture(view(members, "lyon/b", "paris/r")) == {"paris/r": ("wireguard", ("paris/a",))}
    assert view(members, "paris/r", "paris/r").relaying


def test_two_hidden_ones_without_a_relay_are_unreachable_from_each_other() -> None:
    members = [make("lyon/a", 1), make("oslo/b", 2), make("paris/r", 3, public=True)]
    for here, there in (("lyon/a", "oslo/b"), ("oslo/b", "lyon/a")):
        assert [member.node for member in view(members, here).unreachable] == [there]
    assert view(members, "paris/r").unreachable == ()


def test_a_relay_that_has_gone_is_passed_over() -> None:
    members = [make("lyon/a", 1), make("oslo/b", 2), make("paris/r", 3, public=True)]
    mesh = view(members, "lyon/a", "paris/gone", "paris/r")
    assert picture(mesh) == {"paris/r": ("wireguard", ("oslo/b",))}


def test_a_relay_that_is_hidden_now_serves_only_those_it_is_linked_to() -> None:
    members = [make("lyon/a", 1), make("paris/b", 2, fast_mtu=1500), make("paris/r", 3, fast_mtu=1500)]
    assert [member.node for member in view(members, "lyon/a", "paris/r").unreachable] == [
        "paris/b",
        "paris/r",
    ]


def test_two_hidden_ones_of_the_same_sort_make_a_relay_relay() -> None:
    members = [make("lyon/a", 1), make("lyon/b", 2), make("paris/r", 3, public=True)]
    assert view(members, "paris/r", "paris/r").relaying


def test_a_relay_between_only_one_hidden_one_and_public_ones_has_nothing_to_do() -> None:
    members = [make("lyon/a", 1), make("oslo/b", 2, public=True), make("paris/r", 3, public=True)]
    assert not view(members, "paris/r", "paris/r").relaying


def test_hidden_ones_on_one_fast_network_need_no_relay() -> None:
    members = [
        make("lyon/a", 1, fast_mtu=1500),
        make("lyon/b", 2, fast_mtu=1500),
        make("paris/r", 3, public=True),
    ]
    assert not view(members, "paris/r", "paris/r").relaying
    assert picture(view(members, "lyon/a", "paris/r")) == {
        "lyon/b": ("vxlan", ()),
        "paris/r": ("wireguard", ()),
    }


def test_one_alone_has_no_links() -> None:
    mesh = view([make("paris/a", 1, public=True)], "paris/a", "paris/a")
    assert (mesh.neighbours, mesh.unreachable, mesh.relaying) == ((), (), False)
