"""Documents load, and what is wrong with one is said all at once, with its place and what to do.

The tests spoil a text of the example repository and look at the problems.
"""

from __future__ import annotations

import base64
import re

import msgspec
import pytest

from reconciler.model import loader
from reconciler.model.documents import Network, to_builtins
from reconciler.model.loader import load
from reconciler.model.problems import DocumentError, Problem
from reconciler.model.yaml import MAX_BYTES
from tests.unit.model import example
from tests.unit.model.example import (
    ACME,
    L2,
    LYON_GLOBEX,
    P1,
    PARIS,
    PARIS_ACME,
    POLICY,
    WEB,
)

SSH_KEY = re.compile(r"ssh-ed25519 \S+")


def problems(path: str, text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(DocumentError) as caught:
        load(path, text if isinstance(text, bytes) else text.encode())
    return caught.value.problems


def spoiled(path: str, *changes: tuple[str, str]) -> str:
    text = example.texts()[path]
    for old, new in changes:
        assert old in text, f"{path} has no {old!r}"
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


@pytest.mark.parametrize("path", sorted(example.texts()))
def test_every_document_of_the_example_loads(path: str) -> None:
    assert load(path, example.texts()[path].encode()) == example.documents()[path]


def test_the_same_bytes_are_loaded_once() -> None:
    data = example.texts()[WEB].encode()
    assert load(WEB, data) is load(WEB, bytes(bytearray(data)))


def test_the_same_bytes_at_another_path_are_judged_anew() -> None:
    (problem,) = problems("farms/oslo/farm.yaml", example.texts()[PARIS])
    assert (problem.code, problem.pointer) == ("name-mismatch", "metadata.name")


def test_to_builtins_is_what_was_written() -> None:
    network = example.documents()[WEB]
    assert msgspec.convert(to_builtins(network), Network) == network


# --- Shape -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "change", "code", "pointer", "words"),
    [
        (P1, ("  uplink:", "  upLink:"), "unknown-field", "spec.upLink", "Did you mean `uplink`?"),
        (P1, ("  uplink:", "  uplnk:"), "unknown-field", "spec.uplnk", "Did you mean `uplink`?"),
        (PARIS, ("udpPorts:", "udp_ports:"), "unknown-field", "spec.udp_ports", "Did you mean `udpPorts`?"),
        (P1, ("  uplink: eth0\n", "  uplink: eth0\n  zzz: 1\n"), "unknown-field", "spec.zzz", "Remove it."),
        (P1, ("  uplink: eth0\n", ""), "missing-field", "spec.uplink", "`spec.uplink` is missing"),
        (P1, ("kind: Node\n", ""), "missing-field", "kind", "`kind` is missing"),
        (P1, ("kind: Node", "kind: Farm"), "wrong-kind", "kind", "a Node belongs at this path"),
        (P1, ("tnet/v1", "tnet/v2"), "bad-choice", "apiVersion", "`tnet/v1`, not `tnet/v2`"),
        (P1, ("reachability: public", "reachability: yes"), "bad-choice", "spec.reachability", "`hidden`"),
        (P1, ("uplink: eth0", "uplink: 7"), "wrong-type", "spec.uplink", "Put it in quotes."),
        (P1, ("uplink: eth0", "uplink: true"), "wrong-type", "spec.uplink", "Put it in quotes."),
        (P1, ("uplink: eth0", "uplink:"), "wrong-type", "spec.uplink", "remove the line"),
        (P1, ("uplink: eth0", "uplink: [eth0]"), "wrong-type", "spec.uplink", "this is a list"),
        (P1, ("uplink: eth0", "uplink: a/b"), "bad-text", "spec.uplink", "a network interface"),
        (P1, ("uplink: eth0", "uplink: .."), "bad-text", "spec.uplink", "a network interface"),
        (P1, ("uplink: eth0", "uplink: all"), "bad-text", "spec.uplink", "a network interface"),
        (P1, ("uplink: eth0", 'uplink: "eth0\\n"'), "bad-text", "spec.uplink", "a network interface"),
        (P1, ("name: p1", 'name: "p1\\n"'), "bad-text", "metadata.name", "DNS label"),
        (P1, ("name: p1", "name: " + "p" * 64), "bad-text", "metadata.name", "DNS label"),
        (PARIS, ("count: 1000", "count: many"), "wrong-type", "spec.udpPorts.count", "this is text"),
        (PARIS, ("count: 1000", "count: 1e3"), "wrong-type", "spec.udpPorts.count", "a number"),
        (PARIS, ("count: 1000", "count: true"), "wrong-type", "spec.udpPorts.count", "true or false"),
        (PARIS, ("count: 1000", "count: 0"), "out-of-range", "spec.udpPorts.count", "at least 1"),
        (PARIS, ("first: 51000", "first: 65536"), "out-of-range", "spec.udpPorts.first", "at most 65535"),
        (PARIS, ("mtuBytes: 1500", "mtuBytes: 900"), "out-of-range", "spec.fastNetwork.mtuBytes", "1350"),
        (POLICY, ("protocol: 1", "protocol: 2"), "bad-choice", "spec.protocol", "not `2`"),
        (POLICY, ("protocol: 1", "protocol: true"), "bad-choice", "spec.protocol", "`1`"),
        (WEB, ("paris: 4097", "Paris: 4097"), "bad-text", "spec.vnis.Paris", "DNS label"),
        (WEB, ("paris: 4097", "paris: 16777216"), "out-of-range", "spec.vnis.paris", "16777215"),
        (WEB, ("- node: paris/p1", "- node: p1"), "bad-text", "spec.resources[0].node", "<farm>/<node>"),
        (WEB, ("index: 1\n", "index: 0\n"), "out-of-range", "spec.resources[0].index", "at least 1"),
        (WEB, ("  name: web\n", "  name: web\n  description: |\n    x\n"), "", "", ""),
    ],
)
def test_a_wrong_field_is_explained(
    path: str, change: tuple[str, str], code: str, pointer: str, words: str
) -> None:
    text = spoiled(path, change)
    if not code:
        text = text.replace("  description: The web shop's front and back ends.\n", "")
        assert load(path, text.encode())
        return
    problem = problems(path, text)[0]
    assert (problem.code, problem.pointer) == (code, pointer)
    assert words in f"{problem.message} {problem.advice}"


def test_everything_wrong_is_reported_in_order_with_its_place() -> None:
    text = spoiled(
        P1,
        ("tnet/v1", "tnet/v9"),
        ("  uplink: eth0", "  upling: eth0"),
        ("192.0.2.10", "17"),
        ("    address: 10.99.0.1\n", ""),
    )
    found = problems(P1, text)
    assert [(problem.code, problem.line) for problem in found] == [
        ("bad-choice", line_of(text, "apiVersion")),
        ("unknown-field", line_of(text, "upling")),
        ("wrong-type", line_of(text, "- 17")),
        ("missing-field", line_of(text, "fast:")),
    ]
    assert str(found[1]).startswith(f"{P1}:{line_of(text, 'upling')}:3: ")


@pytest.mark.parametrize("text", ["[]", "just words", "42", "~", "kind: Node\nkind: Node"])
def test_a_file_that_holds_something_else(text: str) -> None:
    (problem,) = problems(P1, text)
    assert problem.line == (2 if "\n" in text else 1)


def test_a_path_that_is_not_governed() -> None:
    (problem,) = problems("tenants/xx/acme/tenant.yaml", "a: 1")
    assert problem.code == "no-document"
    assert "tenants/ac/acme/tenant.yaml" in problem.advice


def test_yaml_problems_come_with_their_place() -> None:
    (problem,) = problems(P1, example.texts()[P1].replace("uplink: ", "uplink: &x "))
    assert (problem.code, problem.column) == ("anchor", 11)


# --- Rules within a document -------------------------------------------------------------------------


def key_text(path: str) -> str:
    found = SSH_KEY.search(example.texts()[path])
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("path", "change", "code", "pointer", "words"),
    [
        # policy, and what is said of signers everywhere
        (POLICY, ("threshold: 1", "threshold: 2"), "threshold-too-high", "spec.root.threshold", "only 1"),
        (POLICY, ("name: policy", "name: root"), "name-mismatch", "metadata.name", "`policy`"),
        # farms
        (PARIS, ("first: 51000", "first: 65000"), "ports-overflow", "spec.udpPorts.count", "At most 536"),
        (PARIS, ("first: 51000", "first: 4000"), "ports-hold-vxlan", "spec.udpPorts", "4789"),
        (
            PARIS,
            ("10.99.0.0/24", "10.99.0.1/24"),
            "bad-prefix",
            "spec.fastNetwork.prefix",
            "Write 10.99.0.0/24",
        ),
        (PARIS, ("10.99.0.0/24", "10.99.0.0"), "bad-prefix", "spec.fastNetwork.prefix", "10.99.0.0/32"),
        (PARIS, ("10.99.0.0/24", "10.99.0.0/255.255.255.0"), "bad-prefix", "spec.fastNetwork.prefix", "/24"),
        (PARIS, ("10.99.0.0/24", "10.99.0/24"), "bad-prefix", "spec.fastNetwork.prefix", "no IP prefix"),
        (PARIS, ("10.99.0.0/24", "224.0.0.0/24"), "bad-prefix", "spec.fastNetwork.prefix", "no node"),
        (PARIS, ("10.99.0.0/24", "10.99.0.0/31"), "bad-prefix", "spec.fastNetwork.prefix", "too small"),
        (
            PARIS,
            ("10.99.0.0/24", "100.64.0.0/24"),
            "overlaps-transit",
            "spec.fastNetwork.prefix",
            "inside every",
        ),
        (PARIS, ("- 192.0.2.0/24", "- 0.0.0.0/0"), "overlaps-transit", "spec.reserved[0]", "100.64.0.0/15"),
        (PARIS, ("- 192.0.2.0/24", "- fd00::/8"), "overlaps-transit", "spec.reserved[0]", "fd74:6e65:7400"),
        (PARIS, ("- 192.0.2.0/24", "- 198.51.100.0/24"), "reserved-twice", "spec.reserved[1]", "twice"),
        (
            PARIS,
            ("2001:db8:1::/48", "2001:0db8:1::/48"),
            "bad-prefix",
            "spec.reserved[2]",
            "Write 2001:db8:1::/48",
        ),
        (PARIS, ("2001:db8:1::/48", "::ffff:10.0.0.0/112"), "bad-prefix", "spec.reserved[2]", "wraps"),
        (PARIS, ("2001:db8:1::/48", "fe80::%eth0/64"), "bad-prefix", "spec.reserved[2]", "zone"),
        (
            PARIS,
            ("spec:\n", "spec:\n  ipv6Allocation: 2001:db8::/32\n"),
            "bad-allocation",
            "spec.ipv6Allocation",
            "/48",
        ),
        # nodes
        (P1, ("reachability: public", "reachability: hidden"), "hidden-endpoint", "spec.endpoints", "public"),
        (
            L2,
            ("reachability: hidden", "reachability: public"),
            "no-endpoint",
            "spec.reachability",
            "endpoint",
        ),
        (P1, ("192.0.2.10", "300.1.1.1"), "bad-address", "spec.endpoints[0]", "no IP address"),
        (P1, ("192.0.2.10", "192.0.2.10/24"), "bad-address", "spec.endpoints[0]", "no IP address"),
        (P1, ("192.0.2.10", "127.0.0.1"), "bad-address", "spec.endpoints[0]", "nobody can reach"),
        (P1, ("192.0.2.10", "0.0.0.0"), "bad-address", "spec.endpoints[0]", "nobody can reach"),
        (P1, ("192.0.2.10", "255.255.255.255"), "bad-address", "spec.endpoints[0]", "nobody can reach"),
        (P1, ("192.0.2.10", "100.65.1.1"), "bad-address", "spec.endpoints[0]", "nobody can reach"),
        (P1, ("192.0.2.10", "fe80::1"), "bad-address", "spec.endpoints[0]", "nobody can reach"),
        (P1, ("192.0.2.10", "fe80::1%eth0"), "bad-address", "spec.endpoints[0]", "zone"),
        (P1, ("192.0.2.10", "2001:DB8::1"), "bad-address", "spec.endpoints[0]", "Write 2001:db8::1."),
        (P1, ("192.0.2.10", "2001:db8:1::10"), "endpoint-twice", "spec.endpoints[1]", "twice"),
        (
            P1,
            ("address: 10.99.0.1", "address: ff02::1"),
            "bad-address",
            "spec.fast.address",
            "nobody can reach",
        ),
        (P1, ("      key: ", "      key: AAAA"), "bad-sealing-key", "spec.sealingKeys[0].key", "1216 bytes"),
        # grants and tenants
        (LYON_GLOBEX, ("- l2", "- l1"), "node-twice", "spec.nodes[1]", "twice"),
        (PARIS_ACME, ("name: acme", "name: globex"), "name-mismatch", "metadata.name", "`acme`"),
        # networks
        (WEB, ("ipv4: 10.10.0.0/16", "ipv4: fd01::/48"), "bad-ipv4-range", "spec.ipv4", "/8 to /23"),
        (WEB, ("ipv4: 10.10.0.0/16", "ipv4: 10.10.0.0/24"), "bad-ipv4-range", "spec.ipv4", "one /24"),
        (WEB, ("ipv4: 10.10.0.0/16", "ipv4: 8.8.0.0/16"), "bad-ipv4-range", "spec.ipv4", "not private"),
        (
            WEB,
            ("ipv4: 10.10.0.0/16", "ipv4: 10.10.0.0/22"),
            "index-out-of-range",
            "spec.resources[3].index",
            "3",
        ),
        (
            WEB,
            ("  relays:\n    - paris/p1", "  relays:\n    - paris/p9"),
            "relay-without-resource",
            "spec.relays[0]",
            "no NR",
        ),
        (
            WEB,
            ("    - paris/p1\n", "    - paris/p1\n    - paris/p1\n"),
            "relay-twice",
            "spec.relays[1]",
            "twice",
        ),
        (WEB, ("paris: 4097", "oslo: 4097"), "vni-without-resource", "spec.vnis.oslo", "no NR"),
        (WEB, ("- node: paris/p2", "- node: paris/p1"), "node-twice", "spec.resources[1].node", "twice"),
        (WEB, ("index: 2\n", "index: 1\n"), "index-twice", "spec.resources[1].index", "twice"),
        (
            WEB,
            ("ciphertext: ", "ciphertext: AAAA"),
            "bad-ciphertext",
            "spec.resources[0].sealed.ciphertext",
            "1168",
        ),
    ],
)
def test_a_broken_rule_is_explained(
    path: str, change: tuple[str, str], code: str, pointer: str, words: str
) -> None:
    text = spoiled(path, change)
    problem = problems(path, text)[0]
    assert (problem.code, problem.pointer) == (code, pointer)
    assert words in f"{problem.message} {problem.advice}"


def test_a_problem_points_at_the_value() -> None:
    text = spoiled(WEB, ("index: 2\n", "index: 1\n"))
    (problem,) = problems(WEB, text)
    second = text.index("index: 1", text.index("index: 1") + 1)
    assert problem.line == text[:second].count("\n") + 1
    assert problem.column == len("      index: ") + 1


def test_a_problem_with_a_key_points_at_the_key() -> None:
    text = spoiled(WEB, ("paris: 4097", "oslo: 4097"))
    (problem,) = problems(WEB, text)
    assert (problem.line, problem.column) == (line_of(text, "oslo: 4097"), 5)


@pytest.mark.parametrize("ula", ["fc00:1:1::/48", "2001:db8:1::/48", "fd00:1:1::/64", "10.0.0.0/16"])
def test_the_ipv6_range_is_a_unique_local_48(ula: str) -> None:
    text = re.sub("ipv6: fd.*", f"ipv6: {ula}", example.texts()[WEB])
    assert [problem.code for problem in problems(WEB, text)] == ["bad-ipv6-range"]


def test_the_ipv6_range_keeps_off_the_transit_range() -> None:
    text = re.sub("ipv6: fd.*", "ipv6: fd74:6e65:7400::/48", example.texts()[WEB])
    assert [problem.code for problem in problems(WEB, text)] == ["overlaps-transit"]


@pytest.mark.parametrize("key", ["A" * 43 + "=", "b" * 43 + "="])
def test_a_wireguard_key_is_spelled_in_one_way_and_is_not_zero(key: str) -> None:
    text = re.sub("publicKey: .*", f"publicKey: {key}", example.texts()[WEB], count=1)
    assert [problem.code for problem in problems(WEB, text)] == ["bad-public-key"]


def test_two_resources_with_one_wireguard_key() -> None:
    keys = re.findall("publicKey: (.*)", example.texts()[WEB])
    text = example.texts()[WEB].replace(keys[1], keys[0])
    assert [problem.code for problem in problems(WEB, text)] == ["public-key-twice"]


def test_a_sealing_key_has_the_id_that_derives_from_it() -> None:
    ids = re.findall("- id: (.*)", example.texts()[P1])
    (problem,) = problems(P1, spoiled(P1, (ids[0], "a" * 26)))
    assert problem.code == "sealing-key-id"
    assert ids[0] in problem.advice


def test_one_key_belongs_to_one_principal() -> None:
    key = key_text(POLICY)
    text = example.texts()[POLICY] + f"      - name: mallory\n        keys:\n          - {key}\n"
    assert [problem.code for problem in problems(POLICY, text)] == ["key-twice"]


def test_one_name_stands_for_one_principal() -> None:
    key = key_text(PARIS)
    text = example.texts()[POLICY] + f"      - name: alice\n        keys:\n          - {key}\n"
    assert [problem.code for problem in problems(POLICY, text)] == ["principal-twice"]


def test_a_damaged_ssh_key() -> None:
    key = key_text(POLICY)
    text = example.texts()[POLICY].replace(key, key[:-4])
    assert [problem.code for problem in problems(POLICY, text)] == ["bad-key"]


def test_a_proof_for_a_key_that_the_tenant_does_not_have() -> None:
    text = example.texts()[ACME].replace(f"- key: {key_text(ACME)}", f"- key: {key_text(POLICY)}")
    assert [problem.code for problem in problems(ACME, text)] == ["proof-without-key"]


def test_no_error_repeats_a_long_value() -> None:
    text = spoiled(P1, ("uplink: eth0", "uplink: " + "x" * 5000))
    assert len(problems(P1, text)[0].message) < 200


def big_network(count: int) -> str:
    """The example's network, written with so many NRs."""
    head, _, listed = example.texts()[WEB].partition("  resources:\n")
    first = listed.split("    - node:")[1]
    keys = [
        base64.b64encode(bytes([1 + number % 250, number // 250, *bytes(30)])).decode()
        for number in range(count)
    ]
    entries = [
        re.sub("publicKey: .*", f"publicKey: {keys[n]}", first.replace("paris/p1", f"paris/n{n}"))
        .replace("index: 1\n", f"index: {n + 1}\n")
        .replace("slot: 1\n", f"slot: {n + 1}\n")
        for n in range(count)
    ]
    relays = head.replace("- paris/p1", "- paris/n1")
    return relays + "  resources:\n" + "".join(f"    - node:{entry}" for entry in entries)


def test_the_largest_network_fits_a_file() -> None:
    text = big_network(128)
    assert len(text) <= MAX_BYTES
    loaded = load(WEB, text.encode())
    assert isinstance(loaded, Network)
    assert len(loaded.spec.resources) == 128


def test_a_larger_network_is_refused() -> None:
    assert "too-long" in [problem.code for problem in problems(WEB, big_network(129))]


def test_old_documents_leave_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_CACHE_ENTRIES", 2)
    loader._cache.clear()
    texts = [spoiled(P1, ("uplink: eth0", f"uplink: eth{number}")).encode() for number in range(4)]
    loaded = [load(P1, text) for text in texts]
    assert len(loader._cache) == 2
    assert load(P1, texts[3]) is loaded[3]
    assert load(P1, texts[0]) is not loaded[0]
