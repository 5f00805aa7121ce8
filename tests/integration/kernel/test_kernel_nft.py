"""Whatever table is made, it is seen as it was asked for."""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Network, IPv6Network

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kernel import nft_json
from reconciler.kernel.linux import LinuxTransport
from reconciler.kernel.nftables import Chain, Match, NftRule, NftTable, PrefixSet, Value
from reconciler.kernel.objects import HOST

OWNER = "ownerabcdefgh"

interfaces = st.sampled_from(["b0", "w0", "x0", "u0", "eth*", "lo"])
protocols = st.sampled_from(["icmp", "tcp", "udp", "gre", "esp", "ipv6-icmp", "sctp"])
states = st.sampled_from(["established", "related", "invalid", "new", "untracked"])
ports = st.sampled_from([1, 53, 67, 4789, 51820, 65535])
kinds = st.sampled_from(["local", "broadcast", "multicast", "unicast"])
icmp = st.sampled_from(["echo-request", "echo-reply", "destination-unreachable", "time-exceeded"])
icmpv6 = st.sampled_from(
    ["echo-request", "packet-too-big", "nd-neighbor-solicit", "nd-neighbor-advert", "nd-router-advert"]
)
ipv4 = st.builds(
    lambda number, length: IPv4Network((number, length), strict=False),
    st.sampled_from([0x0A000000, 0x0A010203, 0xC0A80101, 0xE0000000, 0x64400000]),
    st.integers(1, 32),
)
ipv6 = st.builds(
    lambda number, length: IPv6Network((number, length), strict=False),
    st.sampled_from([0xFD << 120, 0xFE80 << 112, (0x20010DB8 << 96) + 5, 0xFF02 << 112]),
    st.integers(1, 128),
)


def some(values: st.SearchStrategy[Value]) -> st.SearchStrategy[frozenset[Value]]:
    return st.frozensets(values, min_size=1, max_size=4)


matches = st.one_of(
    st.builds(Match, st.sampled_from(["iifname", "oifname"]), some(interfaces), st.booleans()),
    st.builds(Match, st.sampled_from(["ip saddr", "ip daddr"]), some(ipv4), st.booleans()),
    st.builds(Match, st.sampled_from(["ip6 saddr", "ip6 daddr"]), some(ipv6), st.booleans()),
    st.builds(Match, st.sampled_from(["ip saddr", "ip daddr"]), st.just(frozenset({"@four"})), st.booleans()),
    st.builds(
        Match, st.sampled_from(["ip6 saddr", "ip6 daddr"]), st.just(frozenset({"@six"})), st.booleans()
    ),
    st.builds(Match, st.just("ct state"), some(states), st.booleans()),
    st.builds(Match, st.just("meta l4proto"), some(protocols), st.booleans()),
    st.builds(Match, st.sampled_from(["udp dport", "udp sport", "tcp dport"]), some(ports), st.booleans()),
    st.builds(Match, st.just("icmp type"), some(icmp), st.booleans()),
    st.builds(Match, st.just("icmpv6 type"), some(icmpv6), st.booleans()),
    st.builds(Match, st.just("fib daddr type"), some(kinds), st.booleans()),
)
comments = st.sampled_from(["", "replies", "no way from a tenant to the node: see the manual"])


_FAMILY = {"ip saddr": 4, "ip daddr": 4, "ip6 saddr": 6, "ip6 daddr": 6, "icmp type": 4, "icmpv6 type": 6}


def coherent(found: list[Match]) -> bool:
    """nft refuses a rule that wants a packet to be of two families or protocols at once, and `NftRule` one
    that says the protocol twice."""
    families = {_FAMILY[match.field] for match in found if match.field in _FAMILY}
    named = {match.field.split()[0] for match in found if match.field.endswith(("port", "type", "l4proto"))}
    return len(families) < 2 and len(named - {"fib"}) < 2


def rules(verdicts: list[str], *, most: int = 3) -> st.SearchStrategy[tuple[NftRule, ...]]:
    rule = st.builds(
        NftRule,
        st.lists(matches, max_size=3).filter(coherent).map(tuple),
        st.sampled_from(verdicts),
        comments,
    )
    return st.lists(rule, max_size=most).map(tuple)


source_ports = st.sampled_from([(1024, 65535), (1, 2), (53, 53), (32768, 60999)])
transports = st.frozensets(st.sampled_from(["tcp", "udp"]), min_size=1)
masquerades = st.builds(
    lambda values, ports, why: NftRule((Match("meta l4proto", values),), "masquerade", why, ports),
    transports,
    source_ports,
    comments,
)
tables = st.builds(
    lambda filtering, nat, masked, four, six: NftTable(
        HOST,
        "tnet",
        OWNER,
        (
            Chain("forward", "filter", "forward", 0, "drop", filtering),
            Chain("postrouting", "nat", "postrouting", 100, "accept", nat + masked),
        ),
        (PrefixSet("four", 4, four), PrefixSet("six", 6, six)),
    ),
    rules(["accept", "drop"], most=6),
    rules(["masquerade", "accept"]),
    st.lists(masquerades, max_size=2).map(tuple),
    st.frozensets(ipv4, max_size=5),
    st.frozensets(ipv6, max_size=5),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(table=tables)
def test_a_table_is_listed_as_it_was_made(transport: LinuxTransport, table: NftTable) -> None:
    transport.nft(HOST, nft_json.replace_table(table))
    listing = transport.nft(HOST, nft_json.LIST_TABLES)
    assert nft_json.decode_tables(HOST, listing) == {"tnet": table}


def test_a_table_of_somebody_else_is_not_read(transport: LinuxTransport) -> None:
    script = "table inet other { map m { type ipv4_addr : verdict; }; chain c { ip saddr vmap @m; }; }"
    subprocess.run(["nft", "-f", "-"], input=script, text=True, check=True)
    seen = nft_json.decode_tables(HOST, transport.nft(HOST, nft_json.LIST_TABLES))
    assert [getattr(table, "owner", "") for table in seen.values()] == [None]


def test_the_generation_moves_with_every_transaction(transport: LinuxTransport) -> None:
    before = transport.nft_generation(HOST)
    assert transport.nft_generation(HOST) == before
    subprocess.run(["nft", "add", "table", "inet", "x"], check=True)
    assert transport.nft_generation(HOST) != before
