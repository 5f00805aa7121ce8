"""A masquerade's source ports as different releases of nft list them."""

from __future__ import annotations

import json

import pytest

from reconciler.kernel import nft_json
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable
from reconciler.kernel.objects import HOST

_RULE = NftRule((Match("meta l4proto", frozenset(("tcp",))),), "masquerade", "", (53, 53))
_TABLE = NftTable(
    HOST, "tnet", "ownerabcdefgh", (Chain("out", "nat", "postrouting", 100, "accept", (_RULE,)),)
)


@pytest.mark.parametrize("listed", [53, {"range": [53, 53]}])
def test_a_range_of_one_port_is_read(listed: object) -> None:
    commands = json.loads(nft_json.add_table(_TABLE))["nftables"]
    items = [next(iter(command.values())) for command in commands]
    (rule,) = [item["rule"] for item in items if "rule" in item]
    rule["expr"][-1]["masquerade"]["port"] = listed
    assert nft_json.decode_tables(HOST, json.dumps({"nftables": items})) == {"tnet": _TABLE}
