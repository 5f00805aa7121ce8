"""Keys follow the model, one step behind too."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.agent.keys import NodeKeys
from reconciler.host.identity import Identity
from reconciler.model import base64_text
from reconciler.model.documents import Metadata, Network, NetworkSpec, Node, NodeSpec, Resource, SealedKey
from reconciler.model.model import Model
from reconciler.model.paths import network_path, node_path
from reconciler.model.sealing import SealingContext, seal, wireguard_public_key

NODE = "paris/p1"


def sealed_model(identity: Identity, private: bytes) -> tuple[Model, str]:
    """A model with one NR on the node whose key is `private`, and that key's public half."""
    sealing = identity.public_keys()[0]
    public = wireguard_public_key(private)
    context = SealingContext("acme", "web", identity.node_id, sealing.id, public)
    ciphertext = seal(base64_text.decode(sealing.key) or b"", context, private)
    resource = Resource(
        node=NODE,
        node_id=identity.node_id,
        index=1,
        slot=1,
        public_key=public,
        sealed=SealedKey(key=sealing.id, ciphertext=base64_text.encode(ciphertext)),
    )
    spec = NetworkSpec(ipv4="10.10.0.0/16", ipv6="fd00:1:2::/48", resources=(resource,))
    network = Network(api_version="tnet/v1", metadata=Metadata(name="web"), spec=spec)
    return Model.of({network_path("acme", "web"): network}), public


def test_a_changed_key_can_be_taken_back_until_the_next_change(tmp_path: Path) -> None:
    identity = Identity.create(tmp_path / "identity")
    privates = [bytes([number]) * 32 for number in (1, 2, 3)]
    steps = [sealed_model(identity, private) for private in privates]
    keys = NodeKeys(tmp_path / "identity", NODE)
    for (model, public), private in zip(steps, privates, strict=True):
        keys.update(model)
        keys.update(model)  # a pass without a change forgets nothing
        assert keys.private_key(public) == private
    assert keys.private_key(steps[1][1]) == privates[1]
    with pytest.raises(KeyError):
        keys.private_key(steps[0][1])


@pytest.mark.rule(24)
def test_a_sealing_key_made_while_the_agent_runs_opens_what_is_sealed_to_it(tmp_path: Path) -> None:
    directory = tmp_path / "identity"
    identity = Identity.create(directory)
    before, old_public = sealed_model(identity, bytes([1]) * 32)
    keys = NodeKeys(directory, NODE)
    keys.update(before)
    after, new_public = sealed_model(identity.rotated(directory), bytes([2]) * 32)
    keys.update(after)
    assert keys.private_key(new_public) == bytes([2]) * 32
    assert keys.private_key(old_public) == bytes([1]) * 32, "the change may have to be taken back"


def test_another_identity_is_taken_over_and_a_lost_one_leaves_what_is_known(tmp_path: Path) -> None:
    directory = tmp_path / "identity"
    model, public = sealed_model(Identity.create(directory), bytes([1]) * 32)
    keys = NodeKeys(directory, NODE)
    keys.update(model)
    directory.rename(tmp_path / "lost")
    assert keys.private_key(public) == bytes([1]) * 32
    with pytest.raises(KeyError):
        keys.private_key("A" * 43 + "=")
    resealed, new_public = sealed_model(Identity.create(directory), bytes([2]) * 32)
    keys.update(resealed)
    assert keys.private_key(new_public) == bytes([2]) * 32


def test_a_host_that_is_not_the_one_in_the_ledger_knows_it(tmp_path: Path) -> None:
    directory = tmp_path / "identity"
    registered = Identity.create(directory)
    spec = NodeSpec(
        id=registered.node_id,
        reachability="hidden",
        uplink="eth0",
        sealing_keys=registered.public_keys(),
    )
    node = Node(api_version="tnet/v1", metadata=Metadata(name="p1"), spec=spec)
    model = Model.of({node_path("paris", "p1"): node})
    directory.rename(tmp_path / "backup")
    Identity.create(directory)
    keys = NodeKeys(directory, NODE)
    assert f"the ledger's paris/p1 is {registered.node_id}" in keys.other_host(model)
    assert keys.other_host(Model.of({})) == "", "a node that isn't there is told of elsewhere"
    directory.rename(tmp_path / "wrong")
    (tmp_path / "backup").rename(directory)
    assert keys.other_host(model) == "", "the backup was put back under the running agent"
