"""A node's passes, over the fake kernel and a ledger that a test can take away."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import msgspec
import pytest

from reconciler.agent.node import Node, NodeUnknown, Parts
from reconciler.agent.report import Report
from reconciler.engine.journal import Journal
from reconciler.engine.result import RolledBack
from reconciler.host.attachment import Attachment, AttachmentStore, new_attachment
from reconciler.kernel.codec.link import create_plain
from reconciler.kernel.fake import FakeTransport
from reconciler.kernel.graph import Observed
from reconciler.kernel.netlink_kernel import NetlinkKernel
from reconciler.kernel.objects import HOST, NODE_OWNER
from reconciler.kernel.probe import Capabilities, Capability
from reconciler.ledger.repository.objects import CommitId, ObjectId
from reconciler.ledger.trouble import NoGoodState, RemoteUnreachable
from reconciler.ledger.view import LedgerView
from reconciler.model.documents import Network, Resource
from reconciler.model.loader import load
from reconciler.model.model import Model
from reconciler.model.netid import netid
from reconciler.model.paths import network_path
from reconciler.model.sealing import wireguard_public_key

EXAMPLE = Path(__file__).parents[2] / "example-repo"
NODE = "lyon/l1"
WEB, SHOP = netid("acme", "web"), netid("globex", "shop")


def example() -> Model:
    """The example repository, with WireGuard keys whose private halves `OwnKeys` knows."""
    names = {str(path.relative_to(EXAMPLE)): path for path in EXAMPLE.rglob("*.yaml")}
    model = Model.of({name: load(name, path.read_bytes()) for name, path in names.items()})
    return model.with_changes(
        {
            network_path(tenant, network.metadata.name): own_keys(network)
            for tenant, network in model.networks()
        }
    )


def own_keys(network: Network) -> Network:
    return with_resources(
        network,
        [
            msgspec.structs.replace(resource, public_key=wireguard_public_key(private_half(resource)))
            for resource in network.spec.resources
        ],
    )


def with_resources(network: Network, resources: Sequence[Resource]) -> Network:
    spec = msgspec.structs.replace(network.spec, resources=tuple(resources))
    return msgspec.structs.replace(network, spec=spec)


def private_half(resource: Resource) -> bytes:
    """Made for this test, from what tells NRs apart."""
    return hashlib.sha256(resource.sealed.ciphertext.encode()).digest()


def view(model: Model) -> LedgerView:
    tip = CommitId("a" * 40)
    return LedgerView(tip, tip, ObjectId("b" * 40), model, (), "hash")


@dataclass
class Remote:
    """A ledger of one state, whose remote can go away; `kept` is what the clone has."""

    model: Model
    away: bool = False
    kept: bool = True

    def sync(self) -> LedgerView:
        if self.away:
            raise RemoteUnreachable("no route to it", "look at the network")
        return view(self.model)

    def judge_local(self) -> LedgerView:
        if not self.kept:
            raise NoGoodState("nothing was ever fetched", "let it be reached once")
        return view(self.model)


@dataclass
class OwnKeys:
    """The private keys of `example()`."""

    keys: dict[str, bytes] = field(default_factory=dict)

    def private_key(self, public_key: str) -> bytes:
        return self.keys[public_key]

    def update(self, model: Model) -> None:
        for _, network in model.networks():
            self.keys |= {nr.public_key: private_half(nr) for nr in network.spec.resources}

    def other_host(self, model: Model) -> str:
        return ""


@dataclass
class World:
    remote: Remote
    transport: FakeTransport
    directory: Path
    now: float = 0.0
    plugged: list[Attachment] = field(default_factory=list)
    missing: tuple[str, ...] = ()

    def node(self, name: str = NODE) -> Node:
        keys = OwnKeys()
        return Node(
            Parts(
                name=name,
                ledger=self.remote,
                kernel=NetlinkKernel(self.transport, keys),
                keys=keys,
                journal=Journal(self.directory / "journal"),
                attachments=AttachmentStore(self.directory / "attachments"),
                plug_again=self.plug_again,
                probe=self.probe,
                clock=lambda: self.now,
            )
        )

    def seen(self) -> Observed:
        return NetlinkKernel(self.transport, OwnKeys()).observe()

    def plug_again(self, attachments: tuple[Attachment, ...]) -> tuple[tuple[Attachment, str], ...]:
        self.plugged = list(attachments)
        return ()

    def probe(self) -> Capabilities:
        names = ("namespaces", "bridge", "veth", "vxlan", "wireguard", "nftables")
        return Capabilities({n: Capability(n, n not in self.missing, f"no {n}", "get it") for n in names})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    transport = FakeTransport()
    make_foreign_link(transport, HOST, "eth0")
    yield World(Remote(example()), transport, tmp_path)
    transport.close()


def make_foreign_link(transport: FakeTransport, namespace: str, name: str) -> None:
    """A link that is not ours: the node's uplink, or one that somebody put where it is in the way."""
    (ack,) = transport.route_request(namespace, [create_plain(name, "bridge")])
    assert ack.code == 0


def owners(report: Report, ok: bool) -> set[str]:
    return {owner for owner, result in report.results.items() if result.ok == ok}


def test_a_first_pass_builds_all_and_a_second_has_nothing_to_do(world: World) -> None:
    node = world.node()
    assert node.plan().titles == {WEB: f"acme/web ({WEB})", SHOP: f"globex/shop ({SHOP})"}
    first = node.run_pass()
    assert first.ok, {owner: result.message for owner, result in first.results.items()}
    assert owners(first, ok=True) == {NODE_OWNER, WEB, SHOP}
    assert node.plan().empty
    assert {result.message for result in node.run_pass().results.values()} == {"up to date"}


def test_a_remote_that_is_away_leaves_the_last_good_state(world: World) -> None:
    node = world.node()
    assert node.run_pass().ok
    world.remote.away = True
    report = node.run_pass()
    assert isinstance(report.trouble, RemoteUnreachable)
    assert owners(report, ok=True) == {NODE_OWNER, WEB, SHOP}
    assert not report.ok


def test_a_new_agent_without_a_remote_takes_its_clones_state_or_does_nothing(world: World) -> None:
    world.remote.away = True
    assert owners(world.node().run_pass(), ok=True) == {NODE_OWNER, WEB, SHOP}
    world.remote.kept = False
    nothing = world.node().run_pass()
    assert (nothing.view, nothing.results) == (None, {})


def test_a_node_that_the_ledger_does_not_know_is_left_as_it_is(world: World) -> None:
    assert world.node().run_pass().ok
    before = world.seen()
    stranger = world.node("lyon/l9")
    report = stranger.run_pass()
    assert report.unknown_node and not report.ok
    assert world.seen() == before
    with pytest.raises(NodeUnknown, match="lyon/l9"):
        stranger.plan()


def test_one_tenants_failure_leaves_the_other_and_is_tried_again_later(world: World) -> None:
    node = world.node()
    world.transport.namespace_add(f"tnet-{SHOP}")
    make_foreign_link(world.transport, f"tnet-{SHOP}", "theirs")
    report = node.run_pass()
    assert owners(report, ok=False) == {SHOP}
    assert owners(report, ok=True) == {NODE_OWNER, WEB}
    assert node.seconds_to_retry() == 1.0
    assert SHOP not in node.run_pass().results
    world.now = 1.0
    world.transport.namespace_delete(f"tnet-{SHOP}")
    assert node.run_pass().ok
    assert node.seconds_to_retry() is None


def test_a_failure_in_the_kernel_rolls_that_network_back_and_backs_off(world: World) -> None:
    node, whole = world.node(), world.remote.model
    world.remote.model = without_l2(whole)
    assert node.run_pass().ok
    before = world.seen()
    world.remote.model = whole
    world.transport.fail(1, errno.ENOMEM)
    report = node.run_pass()
    failed = [result for result in report.results.values() if isinstance(result, RolledBack)]
    assert len(failed) == 1
    assert "ENOMEM" in failed[0].message
    assert world.seen().owned == before.owned
    world.now += 10
    assert node.run_pass().ok
    assert node.plan().empty


def without_l2(model: Model) -> Model:
    """acme gives its NR on lyon/l2 up."""
    network = model.network("acme", "web")
    assert network is not None
    left = [resource for resource in network.spec.resources if resource.node != "lyon/l2"]
    return model.with_changes({network_path("acme", "web"): with_resources(network, left)})


def test_without_wireguard_nothing_is_half_built_and_it_comes_with_the_package(world: World) -> None:
    world.missing = ("wireguard",)
    node = world.node()
    report = node.run_pass()
    assert set(report.lacking) == {WEB, SHOP}
    assert set(report.results) == {NODE_OWNER}
    assert f"tnet-{WEB}" not in world.transport.namespaces()
    assert not node.plan().empty
    world.missing = ()
    assert node.run_pass().ok


def test_without_nftables_nothing_at_all_is_touched(world: World) -> None:
    world.missing = ("nftables",)
    assert NODE_OWNER in world.node().run_pass().lacking
    assert world.transport.namespaces() == {}


def test_only_attachments_of_networks_that_are_here_are_plugged_again(world: World) -> None:
    slices = (IPv4Network("10.10.3.0/24"), IPv6Network("fd00:1:2:3::/64"))
    here = new_attachment("acme", "web", WEB, slices, "web1", "eth0", ())
    gone = new_attachment("acme", "old", netid("acme", "old"), slices, "old1", "eth0", ())
    store = AttachmentStore(world.directory / "attachments")
    store.add(here)
    store.add(gone)
    assert world.node().run_pass().ok
    assert world.plugged == [here]


def test_a_corrupt_attachment_is_reported_and_the_networks_are_built(world: World) -> None:
    directory = world.directory / "attachments"
    directory.mkdir()
    (directory / "x.json").write_text("{")
    report = world.node().run_pass()
    assert owners(report, ok=True) == {NODE_OWNER, WEB, SHOP}
    assert report.attachment_trouble is not None
