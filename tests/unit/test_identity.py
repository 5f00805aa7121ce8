"""A node's identity is made whole, kept private, never overwritten; its key ring opens what is the node's."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from reconciler.host.identity import Identity, IdentityError, KeyRing, sealing_context
from reconciler.model import base64_text, sealed_format
from reconciler.model.documents import Network, Node, Resource, SealedKey
from reconciler.model.model import Model
from reconciler.model.sealing import SealError, seal, wireguard_public_key
from tests.unit.model import example
from tests.unit.model.example import P1, SHOP, WEB


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity.create(tmp_path / "identity")


def sealed_resource(
    identity: Identity, tenant: str, network: str, resource: Resource
) -> tuple[Resource, bytes]:
    """The NR with a fresh key sealed to the identity's current sealing key."""
    private_key = os.urandom(32)
    current = identity.public_keys()[0]
    made = msgspec.structs.replace(
        resource,
        node_id=identity.node_id,
        public_key=wireguard_public_key(private_key),
        sealed=SealedKey(key=current.id, ciphertext="AAAA"),
    )
    public = base64_text.decode(current.key) or b""
    ciphertext = seal(public, sealing_context(tenant, network, made), private_key)
    sealed = SealedKey(key=current.id, ciphertext=base64_text.encode(ciphertext))
    return msgspec.structs.replace(made, sealed=sealed), private_key


def with_resource(path: str, number: int, resource: Resource) -> Network:
    resources = list(example.network(path).spec.resources)
    resources[number] = resource
    return example.network(path, resources=tuple(resources))


def model_of(identity: Identity) -> tuple[Model, str, bytes]:
    """The example with paris/p1 being this identity, and the key of acme/web's NR on it."""
    node: Node = example.node(P1, id=identity.node_id, sealing_keys=identity.public_keys())
    resource, private_key = sealed_resource(identity, "acme", "web", example.network(WEB).spec.resources[0])
    model = example.model().with_changes({P1: node, WEB: with_resource(WEB, 0, resource)})
    return model, resource.public_key, private_key


# --- Files --------------------------------------------------------------------------------------------


def test_what_was_created_loads(tmp_path: Path) -> None:
    created = Identity.create(tmp_path / "state" / "identity")
    assert Identity.load(tmp_path / "state" / "identity") == created


def test_its_node_document_is_valid(identity: Identity) -> None:
    (key,) = identity.public_keys()
    public = base64_text.decode(key.key)
    assert public is not None
    assert key.id == sealed_format.sealing_key_id(public)
    assert identity.node_id == sealed_format.node_id(public)


def test_only_its_owner_can_read_it(tmp_path: Path, identity: Identity) -> None:
    directory = tmp_path / "identity"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == {0o600}


def test_it_is_never_overwritten(tmp_path: Path, identity: Identity) -> None:
    with pytest.raises(IdentityError, match="exists already"):
        Identity.create(tmp_path / "identity")
    assert Identity.load(tmp_path / "identity") == identity
    assert [path.name for path in tmp_path.iterdir()] == ["identity"], "nothing is left beside it"


def test_a_missing_identity_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IdentityError) as caught:
        Identity.load(tmp_path / "none")
    assert "tnet node init" in caught.value.advice


@pytest.mark.parametrize("what", ["directory", "file"])
def test_an_identity_open_to_others_is_refused(tmp_path: Path, identity: Identity, what: str) -> None:
    directory = tmp_path / "identity"
    target = directory if what == "directory" else next(directory.glob("*.key"))
    target.chmod(target.stat().st_mode | 0o040)
    with pytest.raises(IdentityError, match="others can read") as caught:
        Identity.load(directory)
    assert "chmod" in caught.value.advice


def test_an_identity_of_somebody_else_is_refused_by_that_name(
    tmp_path: Path, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    with pytest.raises(IdentityError, match="belongs to another user"):
        Identity.load(tmp_path / "identity")


@pytest.mark.parametrize("content", ["", "AAAA\n", "not base64\n"])
def test_a_damaged_key_is_refused(tmp_path: Path, identity: Identity, content: str) -> None:
    next((tmp_path / "identity").glob("*.key")).write_text(content)
    with pytest.raises(IdentityError, match="damaged"):
        Identity.load(tmp_path / "identity")


def test_an_identity_without_keys_is_refused(tmp_path: Path, identity: Identity) -> None:
    next((tmp_path / "identity").glob("*.key")).unlink()
    with pytest.raises(IdentityError, match="no sealing key"):
        Identity.load(tmp_path / "identity")


def test_rotating_keeps_the_id_and_the_old_keys(tmp_path: Path, identity: Identity) -> None:
    rotated = identity.rotated(tmp_path / "identity").rotated(tmp_path / "identity")
    assert rotated.node_id == identity.node_id
    assert rotated.sealing_keys[-1:] == identity.sealing_keys
    assert len(rotated.sealing_keys) == 3
    assert Identity.load(tmp_path / "identity") == rotated


# --- Key ring -----------------------------------------------------------------------------------------


def test_the_ring_opens_the_nodes_keys(identity: Identity) -> None:
    model, public_key, private_key = model_of(identity)
    ring = KeyRing(identity, model, "paris/p1")
    assert ring.private_key(public_key) == private_key
    assert ring.private_key(public_key) is ring.private_key(public_key), "opened once"


@pytest.mark.rule(24)
def test_keys_sealed_before_a_rotation_still_open(tmp_path: Path, identity: Identity) -> None:
    model, public_key, private_key = model_of(identity)
    rotated = identity.rotated(tmp_path / "identity")
    assert KeyRing(rotated, model, "paris/p1").private_key(public_key) == private_key


def test_the_ring_of_a_changed_model_keeps_what_it_needs(identity: Identity) -> None:
    model, public_key, _ = model_of(identity)
    ring = KeyRing(identity, model, "paris/p1")
    opened = ring.private_key(public_key)
    assert ring.with_model(model).private_key(public_key) is opened
    gone = ring.with_model(model.with_changes({WEB: None}))
    with pytest.raises(KeyError):
        gone.private_key(public_key)


def test_a_key_of_nobody(identity: Identity) -> None:
    model, _, _ = model_of(identity)
    with pytest.raises(KeyError):
        KeyRing(identity, model, "paris/p1").private_key("A" * 43 + "=")


def test_keys_of_other_nodes_are_not_asked_for(identity: Identity) -> None:
    model, public_key, _ = model_of(identity)
    with pytest.raises(KeyError):
        KeyRing(identity, model, "paris/p2").private_key(public_key)


@pytest.mark.rule(24)
def test_a_copied_resource_does_not_give_its_key_away(identity: Identity) -> None:
    """Another tenant who copies public key and ciphertext into its own network gets nothing opened."""
    model, public_key, _ = model_of(identity)
    stolen = model.network("acme", "web")
    assert stolen is not None
    original = stolen.spec.resources[0]
    copied = model.with_changes({WEB: None, SHOP: with_resource(SHOP, 0, original)})
    with pytest.raises(SealError, match="globex/shop does not open"):
        KeyRing(identity, copied, "paris/p1").open(public_key)


@pytest.mark.rule(24)
def test_a_key_sealed_to_an_unknown_sealing_key(identity: Identity, tmp_path: Path) -> None:
    model, public_key, _ = model_of(identity)
    stranger = replace(Identity.create(tmp_path / "stranger"), node_id=identity.node_id)
    with pytest.raises(SealError, match="which this node does not have") as caught:
        KeyRing(stranger, model, "paris/p1").open(public_key)
    assert "reseal" in caught.value.advice


def test_nothing_shows_a_secret(identity: Identity) -> None:
    model, public_key, private_key = model_of(identity)
    ring = KeyRing(identity, model, "paris/p1")
    ring.private_key(public_key)
    for value in (identity, identity.sealing_keys, ring):
        shown = f"{value!r} {value}"
        assert base64_text.encode(identity.sealing_keys[0].private) not in shown
        assert repr(private_key)[2:12] not in shown
        assert repr(identity.sealing_keys[0].private)[2:12] not in shown
