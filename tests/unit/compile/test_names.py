"""Names and MACs."""

from __future__ import annotations

from reconciler.compile import names


def test_a_netid_and_the_names_made_of_it() -> None:
    netid = names.netid("acme", "web")
    assert len(netid) == 13
    assert names.namespace_name(netid) == f"tnet-{netid}"
    links = {
        function(netid)
        for function in (
            names.bridge_name,
            names.wireguard_name,
            names.vxlan_name,
            names.uplink_name,
            names.transit_name,
        )
    }
    assert len(links) == 5
    assert all(len(name) == 14 for name in links)


def test_networks_of_one_name_differ_by_tenant_and_the_slash_counts() -> None:
    assert names.netid("acme", "web") != names.netid("globex", "web")
    assert names.netid("ac", "me-web") != names.netid("ac-me", "web")


def test_a_mac_is_local_unicast_and_has_the_index_in_it() -> None:
    mac = names.mac("vxlan", names.netid("acme", "web"), 0x1234)
    assert mac.startswith("02:")
    assert mac.endswith(":12:34")
    assert len(mac) == 17


def test_bridge_and_vxlan_of_one_nr_have_different_macs() -> None:
    netid = names.netid("acme", "web")
    assert names.mac("bridge", netid, 1) != names.mac("vxlan", netid, 1)
