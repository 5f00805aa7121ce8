"""A sealed key that is copied elsewhere, signed and accepted there: it opens nowhere but at its own place.

Real keys, really sealed, through the ledger, the node's key ring and the agent's pass (over the fake kernel).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.agent.keys import NodeKeys
from reconciler.agent.node import Node, Parts
from reconciler.agent.report import Report
from reconciler.engine.journal import Journal
from reconciler.host.attachment import AttachmentStore
from reconciler.host.identity import Identity, KeyRing
from reconciler.kernel.codec.link import create_plain
from reconciler.kernel.fake import FakeTransport
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import HOST
from reconciler.kernel.probe import Capabilities, Capability
from reconciler.ledger.verdict import Verdict
from reconciler.model import base64_text
from reconciler.model.netid import netid
from reconciler.model.paths import tenant_path
from reconciler.model.sealing import SealError, SealingContext, seal, wireguard_public_key
from tests.integration.ledger.world import (
    ALICE,
    BOB,
    DAVE,
    ERIN,
    MAIL,
    SHOP,
    WEB,
    Person,
    World,
    document,
    farm,
    grant,
    tenant,
)

pytestmark = pytest.mark.rule(24)

SIGNERS = {"acme": DAVE, "globex": ERIN}
NUMBERS = {WEB: 1, MAIL: 2, SHOP: 3}


@dataclass(frozen=True)
class Sealed:
    """What a network's file says of one NR, with who it was made for."""

    node: str
    node_id: str
    key: str
    public: str
    ciphertext: str
    private: bytes = field(repr=False)


@dataclass
class Farm:
    """Two nodes with identities of their own, one of them here; acme and globex buy on both."""

    world: World
    identities: dict[str, Identity]
    directory: Path

    def sealed(self, tenant: str, network: str, node: str = "paris/p1") -> Sealed:
        """A fresh key pair, as the tenant's tool makes and seals it."""
        identity, private = self.identities[node], os.urandom(32)
        current, public = identity.public_keys()[0], wireguard_public_key(private)
        context = SealingContext(tenant, network, identity.node_id, current.id, public)
        ciphertext = seal(base64.b64decode(current.key), context, private)
        return Sealed(node, identity.node_id, current.id, public, base64_text.encode(ciphertext), private)

    def write(
        self, path: str, sealed: Sealed | None, by: Person, peer: Sealed | None = None, **copied: str
    ) -> Verdict:
        """Commits the network with this NR, some of it taken from elsewhere, and its peer on another node."""
        peers = [] if peer is None else [vars(peer)]
        content = None if sealed is None else network_file(path, {**vars(sealed), **copied}, *peers)
        self.world.forge.commit({path: content}, by)
        return self.world.sync().verdicts[-1]

    def ring(self, node: str = "paris/p1") -> KeyRing:
        return KeyRing(self.identities[node], self.world.ledger.judge_local().model, node)


def network_file(path: str, *resources: dict[str, object]) -> bytes:
    number = NUMBERS[path]
    lines = [f"  ipv4: 10.{number}.0.0/16", f"  ipv6: fd00:0:{number:x}::/48", "  resources:"]
    for index, nr in enumerate(resources, 1):
        lines += [
            f"    - node: {nr['node']}",
            f"      nodeId: {nr['node_id']}",
            f"      index: {index}",
            f"      slot: {number}",
            f"      publicKey: {nr['public']}",
            "      sealed:",
            f"        key: {nr['key']}",
            f"        ciphertext: {nr['ciphertext']}",
        ]
    return document("Network", Path(path).stem, "\n".join(lines))


def node_file(name: str, number: int, identity: Identity) -> bytes:
    current = identity.public_keys()[0]
    spec = (
        f"  id: {identity.node_id}\n  reachability: public\n  uplink: eth0\n"
        f"  endpoints:\n    - 192.0.2.{number}\n"
        f"  sealingKeys:\n    - id: {current.id}\n      key: {current.key}"
    )
    return document("Node", name, spec)


@pytest.fixture
def bought(empty_world: World, tmp_path: Path) -> Farm:
    identities = {f"paris/{name}": Identity.create(tmp_path / name / "identity") for name in ("p1", "p2")}
    commit = empty_world.forge.commit
    commit({"farms/paris/farm.yaml": farm("paris", BOB)}, ALICE)
    commit(
        {
            f"farms/{name.replace('/', '/nodes/')}.yaml": node_file(name[-2:], number, identity)
            for number, (name, identity) in enumerate(identities.items(), 1)
        },
        BOB,
    )
    commit({f"farms/paris/grants/{name}.yaml": grant(name) for name in SIGNERS}, BOB)
    for name, person in SIGNERS.items():
        commit({tenant_path(name): tenant(name, person)}, ALICE)
    return Farm(empty_world, identities, tmp_path)


def test_at_its_place_it_opens(bought: Farm) -> None:
    web = bought.sealed("acme", "web")
    assert bought.write(WEB, web, DAVE).accepted
    assert bought.ring().private_key(web.public) == web.private


@pytest.mark.parametrize(
    ("path", "by"), [(SHOP, ERIN), (MAIL, DAVE)], ids=["another tenant's", "the tenant's other network"]
)
def test_while_it_stands_nobody_else_has_its_public_key(bought: Farm, path: str, by: Person) -> None:
    web = bought.sealed("acme", "web")
    bought.write(WEB, web, DAVE)
    verdict = bought.write(path, web, by)
    assert (verdict.code, "the WireGuard key" in verdict.detail) == ("violation", True)
    assert bought.ring().private_key(web.public) == web.private


@pytest.mark.parametrize(
    ("path", "by"), [(SHOP, ERIN), (MAIL, DAVE)], ids=["another tenant's", "the tenant's other network"]
)
def test_copied_whole_once_it_is_free_it_does_not_open(bought: Farm, path: str, by: Person) -> None:
    """All of the history can be copied for ever, so the copy is accepted; it just doesn't open."""
    web = bought.sealed("acme", "web")
    bought.write(WEB, web, DAVE)
    bought.write(WEB, None, DAVE)
    assert bought.write(path, web, by).accepted
    with pytest.raises(SealError, match="does not open"):
        bought.ring().open(web.public)


def test_only_the_ciphertext_copied_beside_an_own_public_key_does_not_open(bought: Farm) -> None:
    web, own = bought.sealed("acme", "web"), bought.sealed("globex", "shop")
    bought.write(WEB, web, DAVE)
    assert bought.write(SHOP, own, ERIN, ciphertext=web.ciphertext).accepted
    with pytest.raises(SealError):
        bought.ring().open(own.public)
    assert bought.ring().private_key(web.public) == web.private


def test_an_earlier_key_of_the_same_network_does_not_open_beside_a_later_one(bought: Farm) -> None:
    old, new = bought.sealed("acme", "web"), bought.sealed("acme", "web")
    bought.write(WEB, old, DAVE)
    assert bought.write(WEB, new, DAVE, ciphertext=old.ciphertext).accepted
    with pytest.raises(SealError):
        bought.ring().open(new.public)


def test_copied_to_another_node_it_does_not_open(bought: Farm) -> None:
    """Neither as that node's own, nor if it still says for whom it was sealed."""
    web, other = bought.sealed("acme", "web"), bought.identities["paris/p2"]
    key = other.public_keys()[0].id
    assert bought.write(WEB, web, DAVE, node="paris/p2", node_id=other.node_id, key=key).accepted
    with pytest.raises(SealError):
        bought.ring("paris/p2").open(web.public)
    verdict = bought.write(WEB, web, DAVE, node="paris/p2", node_id=other.node_id)
    assert (verdict.code, "sealing key" in verdict.detail) == ("violation", True)


def test_at_its_own_place_it_may_come_back(bought: Farm) -> None:
    """As a purchase that is taken up again; the other node has nothing of it."""
    web = bought.sealed("acme", "web")
    bought.write(WEB, web, DAVE)
    bought.write(WEB, None, DAVE)
    assert bought.write(WEB, web, DAVE).accepted
    assert bought.ring().private_key(web.public) == web.private
    with pytest.raises(KeyError):
        bought.ring("paris/p2").private_key(web.public)


# --- what the agent makes of it -----------------------------------------------------------------------


@pytest.fixture
def agent(bought: Farm) -> Iterator[Node]:
    """paris/p1's agent, with its identity's keys and the ledger as it is fetched."""
    transport = FakeTransport()
    assert transport.route_request(HOST, [create_plain("eth0", "bridge")])[0].code == 0
    keys = NodeKeys(bought.directory / "p1" / "identity", "paris/p1")
    names = ("namespaces", "bridge", "veth", "vxlan", "wireguard", "nftables")
    yield Node(
        Parts(
            name="paris/p1",
            ledger=bought.world.ledger,
            kernel=NetlinkKernel(transport, keys),
            keys=keys,
            journal=Journal(bought.directory / "journal"),
            attachments=AttachmentStore(bought.directory / "attachments"),
            plug_again=lambda attachments: (),
            probe=lambda: Capabilities({name: Capability(name, True) for name in names}),
            clock=lambda: 0.0,
        )
    )
    transport.close()


def refused(report: Report) -> set[str]:
    return {owner for owner, result in report.results.items() if not result.ok}


def test_a_network_with_a_copied_key_is_not_built_and_all_others_are(bought: Farm, agent: Node) -> None:
    def buy(path: str, tenant: str, **copied: str) -> Sealed:
        """An NR here and one on the other node, so that there is something to encrypt."""
        here, there = (bought.sealed(tenant, Path(path).stem, node) for node in ("paris/p1", "paris/p2"))
        assert bought.write(path, here, SIGNERS[tenant], peer=there, **copied).accepted
        return here

    web = buy(WEB, "acme")
    buy(MAIL, "acme")
    assert refused(agent.run_pass()) == set()
    buy(SHOP, "globex", ciphertext=web.ciphertext)
    report = agent.run_pass()
    assert refused(report) == {netid("globex", "shop")}
    assert "private key" in report.results[netid("globex", "shop")].message
    buy(SHOP, "globex")
    assert refused(agent.run_pass(confirmed=True)) == set()
