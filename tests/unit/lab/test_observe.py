"""Comparing two moments."""

from __future__ import annotations

import json

from reconciler.lab.inside.snapshot import is_learned, listing, without_noise
from reconciler.lab.observe import differences


def test_equal_moments_do_not_differ() -> None:
    seen = {"p1": {"node: links": ["a", "b"]}}
    assert differences(seen, seen) == ()


def test_a_difference_says_where_it_is_and_which_way() -> None:
    before = {"p1": {"node: links": ["a", "b"], "gone: links": ["x"]}}
    after = {"p1": {"node: links": ["a", "c"], "new: links": ["y"]}}
    assert differences(before, after) == (
        "p1 gone: links: - x",
        "p1 new: links: + y",
        "p1 node: links: - b",
        "p1 node: links: + c",
    )


def test_another_order_of_rules_is_a_difference() -> None:
    found = differences({"p1": {"nft": ["a", "b"]}}, {"p1": {"nft": ["b", "a"]}})
    assert len(found) == 1 and "otherwise ordered" in found[0]


def test_a_node_that_is_missing_is_a_difference() -> None:
    assert differences({"p1": {"nft": ["a"]}}, {}) == ("p1 nft: - a",)


def test_counters_timers_and_numbers_of_the_kernel_are_noise() -> None:
    value = {"ifname": "b", "ifindex": 4, "linkinfo": {"info_data": {"hello_timer": 0.1, "ageing_time": 5}}}
    assert without_noise(value) == {"ifname": "b", "linkinfo": {"info_data": {"ageing_time": 5}}}


def test_what_follows_the_carrier_later_is_noise_and_the_carrier_is_not() -> None:
    assert without_noise({"flags": ["NO-CARRIER", "UP"]}) == without_noise({"flags": ["UP"]})
    assert without_noise({"dst": "10.0.0.0/24", "flags": ["linkdown"]}) == {"dst": "10.0.0.0/24", "flags": []}
    assert without_noise({"flags": ["UP", "LOWER_UP"]}) != without_noise({"flags": ["UP"]})


def test_what_a_bridge_learned_is_left_out() -> None:
    assert is_learned({"mac": "02:00:00:00:00:01", "ifname": "c1", "flags": [], "master": "b", "state": ""})
    assert not is_learned({"mac": "02:00:00:00:00:01", "ifname": "x1", "state": "permanent"})


def test_listings_are_sorted_but_rulesets_keep_their_order() -> None:
    assert listing(json.dumps([{"b": 1}, {"a": 1}])) == ['{"a": 1}', '{"b": 1}']
    assert listing(json.dumps({"nftables": [{"b": 1}, {"a": 1}]})) == ['{"b": 1}', '{"a": 1}']
