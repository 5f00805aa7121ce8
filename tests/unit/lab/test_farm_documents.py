"""The example repository under the lab's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.authoring.document_text import new_text
from reconciler.host.identity import Identity
from reconciler.lab.errors import LabError
from reconciler.lab.farm_documents import (
    documents,
    example_texts,
    fresh,
    people_in,
    rewritten,
    signing_order,
)
from reconciler.lab.people import Person, allowed_signers, make_people
from reconciler.model.documents import Document, Network, Node
from reconciler.model.model import Model
from reconciler.model.rules import violations


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Person]:
    return make_people(tmp_path_factory.mktemp("people"), people_in(documents(example_texts())))


@pytest.fixture(scope="module")
def wanted(people: Mapping[str, Person], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Document]:
    example, home = documents(example_texts()), tmp_path_factory.mktemp("nodes")
    said = {}
    for number, (path, document) in enumerate(example.items()):
        if isinstance(document, Node):
            identity = Identity.create(home / str(number))
            spec = replace(document.spec, id=identity.node_id, sealing_keys=identity.public_keys())
            said[path] = replace(document, spec=spec)
    return fresh(example, people, said)


def test_everybody_of_the_example_is_known() -> None:
    assert people_in(documents(example_texts())) == ("alice", "bob", "chloe", "dave", "erin")


def test_the_fresh_documents_break_no_rule(wanted: Mapping[str, Document]) -> None:
    assert violations(Model.of(wanted)) == ()


def test_no_key_of_the_example_is_left(wanted: Mapping[str, Document], people: Mapping[str, Person]) -> None:
    before, after = example_texts(), rewritten(example_texts(), wanted)
    old = {word for text in before.values() for word in text.decode().split() if word.startswith("AAAAC3")}
    left = {word for text in after.values() for word in text.decode().split() if word in old}
    assert old and not left


def test_comments_of_the_example_stay(wanted: Mapping[str, Document]) -> None:
    before, after = example_texts(), rewritten(example_texts(), wanted)
    for path, text in before.items():
        comments = [line for line in text.decode().splitlines() if line.lstrip().startswith("#")]
        kept = [line for line in after[path].decode().splitlines() if line.lstrip().startswith("#")]
        assert kept == comments, path


def test_every_network_is_sealed_anew(wanted: Mapping[str, Document]) -> None:
    example = documents(example_texts())
    for path, document in wanted.items():
        if isinstance(document, Network):
            was = example[path]
            assert isinstance(was, Network)
            keys = {each.public_key for each in document.spec.resources}
            assert not keys & {each.public_key for each in was.spec.resources}


def test_every_file_is_signed_for_once_and_by_its_owner(wanted: Mapping[str, Document]) -> None:
    order = signing_order(wanted)
    assert sorted(path for each in order for path in each.paths) == sorted(wanted)
    assert order[0].paths == ("trust/policy.yaml",)
    signers = {path: each.signer for each in order for path in each.paths}
    assert signers["farms/lyon/nodes/l1.yaml"] == "chloe"
    assert signers["farms/paris/grants/globex.yaml"] == "bob"
    assert signers["tenants/ac/acme/tenant.yaml"] == "alice"
    assert signers["tenants/ac/acme/networks/web.yaml"] == "dave"


def test_a_directory_without_a_policy_is_no_example(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no example repository"):
        example_texts(tmp_path)


def test_git_learns_everybodys_key(people: Mapping[str, Person]) -> None:
    lines = allowed_signers(people.values()).splitlines()
    assert lines[0] == f'alice namespaces="git" {people["alice"].public_key}'
    assert len(lines) == len(people)


def test_documents_read_back_as_they_were_wanted(wanted: Mapping[str, Document]) -> None:
    assert documents(rewritten(example_texts(), wanted)) == wanted
    assert all(new_text(path, document) for path, document in wanted.items())
