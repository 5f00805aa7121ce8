"""`tnet trace`: from a line, or from what stands in a kernel, to the commit and the key behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.authoring.author import Author
from reconciler.compile.addresses import nr_slice, transit
from reconciler.compile.names import bridge_name, namespace_name, netid, wireguard_name
from reconciler.compile.node import compile_node
from reconciler.kernel.graph import Graph
from reconciler.kernel.nftables import NftTable
from reconciler.kernel.objects import (
    NODE_OWNER,
    Address,
    Bridge,
    Namespace,
    Veth,
    VethPeer,
    Vxlan,
    WireGuard,
)
from reconciler.model.documents import Network
from reconciler.model.loader import load
from reconciler.records.kernel_origin import origins
from tests.integration.authoring.desk import WEB, Desk
from tests.integration.authoring.test_diff import commit_unsigned

NAME = netid("acme", "web")


def traced(desk: Desk, what: str, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.tnet("trace", what, *words, "-o", "json").json["found"]
    return found


def only(desk: Desk, what: str) -> dict[str, Any]:
    """The one origin of a place in a document."""
    ((origin,),) = ([source["origins"] for source in traced(desk, what)[0]["sources"]],)
    assert len(origin) == 1
    found: dict[str, Any] = origin[0]
    return found


def web_document(desk: Desk) -> Network:
    document = load(WEB, desk.read(WEB).encode())
    assert isinstance(document, Network)
    return document


def head(desk: Desk) -> str:
    return desk.git("rev-parse", "HEAD")


def test_each_line_goes_to_the_commit_that_wrote_it(web: Desk) -> None:
    bought = head(web)
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    added = head(web)
    said = only(web, f"{WEB}#spec.resources[0].slot")
    assert (said["commit"], said["principal"], said["role"]) == (bought, "dave", "tenant acme")
    assert only(web, f"{WEB}#spec.resources[1].slot")["commit"] == added
    line = web.read(WEB).split("\n").index("    - node: lyon/l1") + 1
    assert only(web, f"{WEB}:{line}")["commit"] == added
    origins = traced(web, WEB)[0]["sources"][0]["origins"]
    assert {each["commit"] for each in origins} == {bought, added}
    assert origins[-1]["last_line"] == web.read(WEB).count("\n")


def test_what_was_rejected_is_nobodys_line(web: Desk) -> None:
    """The same line, first by a stranger and refused, then by the tenant: it is the tenant's."""
    bought = head(web)
    text = web.read(WEB)
    changed = text.replace("  name: web\n", "  name: web\n  description: ours\n")
    web.write(WEB, changed)
    commit_unsigned(web)
    web.tnet("repair", by="dave")
    web.write(WEB, changed)
    web.tnet("commit", by="dave")
    assert only(web, f"{WEB}#metadata.description")["commit"] == head(web)
    assert only(web, f"{WEB}#metadata.name")["commit"] == bought


def test_an_adopted_line_is_the_adopters(web: Desk) -> None:
    web.write(WEB, web.read(WEB).replace("  name: web\n", "  name: web\n  description: ours\n"))
    commit_unsigned(web)
    web.tnet("adopt", WEB, by="dave")
    said = only(web, f"{WEB}#metadata.description")
    assert (said["commit"], said["principal"]) == (head(web), "dave")


def test_through_a_merge_it_leads_to_who_signed_the_line(web: Desk) -> None:
    """Two commits on a branch, a merge by the forge: each line is its own commit's."""
    web.git("switch", "-q", "-c", "topic")
    web.write(WEB, web.read(WEB).replace("  name: web\n", "  name: web\n  description: ours\n"))
    web.tnet("commit", by="dave")
    described = head(web)
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    added = head(web)
    web.git("switch", "-q", "main")
    identity = ("-c", "user.name=forge", "-c", "user.email=forge@x")
    web.git(*identity, "merge", "-q", "--no-ff", "--no-gpg-sign", "-m", "Merge topic", "topic")
    merge = head(web)
    for pointer, author in (("metadata.description", described), ("spec.resources[1].node", added)):
        said = only(web, f"{WEB}#{pointer}")
        assert (said["commit"], said["author_commit"], said["principal"]) == (merge, author, "dave")
    out = web.tnet("trace", f"{WEB}#metadata.description").out
    assert f"written in {described[:12]}, signed by dave (tenant acme), SHA256:" in out


def test_a_line_that_comes_back_is_of_who_brought_it_back(web: Desk) -> None:
    web.tnet("network", "delete", "acme/web", by="dave")
    web.tnet("rollback", "HEAD", by="dave")
    assert only(web, f"{WEB}#metadata.name")["commit"] == head(web)


def test_an_interface_leads_to_its_network_and_fields(web: Desk) -> None:
    for name, pointers in (
        (bridge_name(NAME), {"metadata.name", "spec.resources[0].node", "spec.resources[0].index"}),
        (
            wireguard_name(NAME),
            {
                "metadata.name",
                "spec.resources[0].publicKey",
                "spec.resources[0].sealed",
                "spec.resources[0].slot",
                "spec.udpPorts",
            },
        ),
        (namespace_name(NAME), {"metadata.name", "spec.resources[0]"}),
    ):
        (found,) = traced(web, name)
        assert found["what"].endswith("of acme/web on paris/p1")
        assert {source["pointer"] for source in found["sources"]} == pointers
    farm = next(
        source
        for found in traced(web, wireguard_name(NAME))
        for source in found["sources"]
        if source["path"] == "farms/paris/farm.yaml"
    )
    assert farm["origins"][0]["role"] == "root"


def test_addresses_ports_and_keys_lead_to_their_resource(web: Desk) -> None:
    spec = web_document(web).spec
    (nr,) = spec.resources
    own = nr_slice(spec.ipv4, spec.ipv6, nr.index)
    for what, told in (
        (str(own.gateway_ipv4.ip), "an address in"),
        (str(own.gateway_ipv4), "an address in"),
        (str(own.ipv6.network_address + 7), "an address in"),
        (str(transit(nr.slot).upper_ipv4.ip), "a transit address"),
        (nr.public_key, "the WireGuard key"),
        ("nft:" + namespace_name(NAME), "the nftables table"),
    ):
        (found,) = traced(web, what)
        assert found["what"].startswith(told), what
        assert any(source["path"] == WEB for source in found["sources"])
    (found,) = traced(web, "203.0.113.1")
    assert found["what"] == "an endpoint of the node paris/p1"
    assert found["sources"][0]["origins"][0]["principal"] == "bob"


def test_a_port_is_found_by_the_farms_range(web: Desk) -> None:
    document = load("farms/paris/farm.yaml", web.read("farms/paris/farm.yaml").encode())
    port = document.spec.udp_ports.first + web_document(web).spec.resources[0].slot - 1  # type: ignore[union-attr]
    assert "acme/web on paris/p1" in traced(web, f"udp/{port}", "--on", "paris/p1")[0]["what"]
    web.tnet("trace", f"udp/{port}", "--on", "lyon/l1", code=1)


def test_a_suspended_resource_says_that_it_isnt_there(web: Desk) -> None:
    web.tnet("farm", "revoke-grant", "paris", "acme", by="bob")
    (found,) = traced(web, bridge_name(NAME))
    assert "no longer grants acme" in found["suspended"]
    assert "not there now" in web.tnet("trace", bridge_name(NAME)).out


def test_what_is_nothing_of_ours_is_said(web: Desk) -> None:
    for what in ("eth0", "192.0.2.250", "tenants/ac/acme/networks/none.yaml", "docker0", "1", ""):
        said = web.tnet("trace", what, code=1)
        assert "is no document" in said.err or "is not in effect" in said.err
    assert "and no line 9999" in web.tnet("trace", f"{WEB}:9999", code=1).err
    assert "nothing at spec.nonsense" in web.tnet("trace", f"{WEB}#spec.nonsense", code=1).err


def test_everything_that_compile_names_is_traced(web: Desk) -> None:
    """Every link, namespace, address and table of a node's graphs leads to its network, or to the node."""
    web.tnet("network", "add-node", "acme/web", "paris/p2", by="dave")
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    with Author.open(web.root) as author:
        model = author.model
    compiled = compile_node(model, "paris/p1")
    (part,) = compiled.networks
    assert part.graph is not None
    for graph, owner in ((part.graph, "of acme/web on paris/p1"), (compiled.node, "of the node paris/p1")):
        for name in set(_names_of(graph)):
            assert any(owner in each.what for each in origins(model, name, "paris/p1")), name


def _names_of(graph: Graph) -> Iterator[str]:
    for item in graph.objects:
        if isinstance(item, Namespace | Bridge | Veth | VethPeer | Vxlan | WireGuard):
            yield item.name
        elif isinstance(item, NftTable):
            yield f"nft:{item.namespace or 'tnet'}"
        elif isinstance(item, Address) and graph.owner != NODE_OWNER and not item.address.is_link_local:
            yield str(item.address)
        if isinstance(item, WireGuard):
            yield f"udp/{item.listen_port}"
            yield item.public_key
