"""What stops networks without touching them: suspension, and grants, nodes and farms that go."""

from __future__ import annotations

import pytest

from tests.integration.authoring.desk import WEB, Desk

SUSPENSION = "trust/suspensions/acme.yaml"


@pytest.mark.rule(11)
def test_root_suspends_a_tenant_and_lets_it_run_again(web: Desk) -> None:
    network = web.read(WEB)
    said = web.tnet("tenant", "suspend", "acme", "--reason", "Invoice 7 is open.", by="alice")
    assert "suspends acme/web on paris/p1: root has suspended acme: Invoice 7 is open." in said.out
    assert "reason: Invoice 7 is open." in web.read(SUSPENSION)
    said = web.tnet("tenant", "suspend", "acme", "--reason", "Invoice 7 is open.", by="alice", code=1)
    assert "acme is suspended already" in said.err
    web.tnet("tenant", "suspend", "acme", "--reason", "Invoice 8, too.", by="alice")
    for person in ("dave", "bob"):
        assert "it is for root to change" in web.tnet("tenant", "resume", "acme", by=person, code=1).err
    said = web.tnet("tenant", "resume", "acme", "-o", "json", by="alice")
    assert said.json["notes"] == ["acme/web runs again on paris/p1"]
    assert said.json["paths"] == [SUSPENSION]
    assert "acme isn't suspended" in web.tnet("tenant", "resume", "acme", by="alice", code=1).err
    assert web.read(WEB) == network


def test_only_known_tenants_are_suspended(desk: Desk) -> None:
    before = desk.snapshot()
    said = desk.tnet("tenant", "suspend", "amce", "--reason", "x", by="alice", code=1)
    assert "there is no tenant amce in effect" in said.err
    desk.tnet("tenant", "suspend", "acme", "--reason", "two\nlines", by="alice", code=1)
    desk.tnet("tenant", "suspend", "acme", "--reason", "x", by="bob", code=1)
    assert desk.snapshot() == before


@pytest.mark.rule(12)
def test_a_revoked_grant_says_what_it_suspends_and_can_come_back(web: Desk) -> None:
    said = web.tnet("farm", "revoke-grant", "paris", "acme", by="bob")
    assert "suspends acme/web on paris/p1: the farm paris no longer grants acme anything" in said.out
    again = web.tnet("farm", "revoke-grant", "paris", "acme", by="bob", code=1)
    assert "acme has no grant of its own on paris" in again.err
    web.tnet("rollback", "HEAD", by="bob")
    assert web.tnet("log", "-n", "1").out.startswith("accepted")
    assert (web.root / "farms/paris/grants/acme.yaml").exists()


@pytest.mark.rule(12)
def test_a_lowered_grant_says_what_it_suspends(web: Desk) -> None:
    words = ("farm", "grant", "paris", "acme", "--max-resources", "0")
    assert "suspends acme/web on paris/p1" in web.tnet(*words, "--dry-run", by="bob").err
    assert "suspends acme/web on paris/p1" in web.tnet(*words, by="bob").out
    raised = web.tnet("farm", "grant", "paris", "acme", "--max-resources", "2", "--node", "p9", by="bob")
    assert "there is no node paris/p9 yet" in raised.out


def test_a_bound_that_is_given_up_leaves_no_null_behind(web: Desk) -> None:
    grant = ("farm", "grant", "paris", "acme", "--max-resources", "2")
    web.tnet(*grant, "--max-per-node", "1", by="bob")
    assert "maxResourcesPerNode: 1" in web.read("farms/paris/grants/acme.yaml")
    web.tnet(*grant, by="bob")
    assert "maxResourcesPerNode" not in web.read("farms/paris/grants/acme.yaml")


def test_a_farmer_opens_a_farm_and_closes_it_again(web: Desk) -> None:
    before = web.read("farms/paris/farm.yaml")
    web.tnet("farm", "revoke-grant", "paris", "acme", by="bob")
    words = ("farm", "open-grant", "paris")
    said = web.tnet(*words, "--max-per-tenant", "2", "--max-resources", "40", by="bob")
    assert "acme/web runs again on paris/p1" in said.out
    assert "maxResourcesPerTenant: 2" in web.read("farms/paris/farm.yaml")
    again = web.tnet(*words, "--max-per-tenant", "2", "--max-resources", "40", by="bob", code=1)
    assert "paris has this open grant already" in again.err
    web.tnet(*words, "--max-per-tenant", "2", by="bob", code=64)
    web.tnet(*words, "--close", "--max-resources", "1", by="bob", code=64)
    assert "it is for farm paris to change" in web.tnet(*words, "--close", by="dave", code=1).err
    assert "suspends acme/web on paris/p1" in web.tnet(*words, "--close", by="bob").out
    assert web.read("farms/paris/farm.yaml") == before
    assert "paris has no open grant" in web.tnet(*words, "--close", by="bob", code=1).err
    assert "there is no farm nice" in web.tnet("farm", "open-grant", "nice", "--close", by="bob", code=1).err


@pytest.mark.rule(13)
def test_a_farmer_removes_a_node_whatever_hangs_on_it(web: Desk) -> None:
    said = web.tnet("node", "remove", "paris/p1", "--dry-run", by="bob")
    assert "deleted file" in said.out
    assert "suspends acme/web on paris/p1: " in said.err
    said = web.tnet("node", "remove", "paris/p1", by="bob")
    assert "suspends acme/web on paris/p1: the node paris/p1 is no longer in the repository" in said.out
    said = web.tnet("node", "remove", "paris/p1", by="bob", code=1)
    assert "there is no node paris/p1 in effect" in said.err and "paris has: paris/p2" in said.err
    assert "chloe (farm lyon)" in web.tnet("node", "remove", "paris/p2", by="chloe", code=1).err
    web.tnet("rollback", "HEAD", by="bob")


def test_root_strikes_a_farm_out(web: Desk) -> None:
    said = web.tnet("farm", "remove", "paris", by="alice")
    assert "its nodes stay written down, and nobody can change them: paris/p1, paris/p2" in said.out
    assert "suspends acme/web on paris/p1" in said.out
    assert "(no-rule)" in web.tnet("node", "remove", "paris/p1", by="bob", code=1).err
    web.tnet("rollback", "HEAD", by="alice")
    web.tnet("node", "remove", "paris/p2", by="bob")
    assert "there is no farm berlin" in web.tnet("farm", "remove", "berlin", by="alice", code=1).err
    assert "it is for root to change" in web.tnet("farm", "remove", "paris", by="bob", code=1).err


def test_a_misspelt_tenant_is_still_told_of(desk: Desk) -> None:
    said = desk.tnet("farm", "grant", "paris", "amce", "--max-resources", "1", by="bob")
    assert "there is no tenant amce yet" in said.out


@pytest.mark.parametrize(
    "verb",
    ["farm remove", "farm revoke-grant", "farm open-grant", "node remove"]
    + [f"tenant {verb}" for verb in ("rotate", "recover", "remove", "suspend", "resume", "withdraw")],
)
def test_each_verb_has_help_with_an_example(desk: Desk, verb: str) -> None:
    said = desk.tnet(*verb.split(), "--help")
    assert "\n  Example:\n    tnet " in said.out and f"tnet {verb} " in said.out.partition("Example:")[2]
    assert "Signed by" in " ".join(said.out.split())
