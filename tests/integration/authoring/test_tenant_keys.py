"""A tenant's keys: rotated by the tenant, replaced by root if all are lost; consent taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.ledger.signatures.keys import from_text
from tests.integration.authoring.desk import WEB, Desk, make_key

ACME = "tenants/ac/acme/tenant.yaml"


def prove(desk: Desk, key: str, principal: str, tenant: str = "acme") -> str:
    """A new key of this name if there is none, and the file with its proof."""
    if not (desk.keys / key).exists():
        make_key(desk.keys / key)
    file = desk.keys / f"{key}.proof"
    file.write_text(desk.tnet("tenant", "prove", tenant, "--principal", principal, by=key).out)
    return str(file)


def fingerprint(desk: Desk, key: str) -> str:
    return from_text(" ".join((desk.keys / f"{key}.pub").read_text().split()[:2])).fingerprint


# --- rotate ------------------------------------------------------------------------------------------


@pytest.mark.rule(19)
def test_a_key_is_replaced_in_one_commit(web: Desk) -> None:
    proof = prove(web, "dave-new", "dave")
    old = f"{web.keys}/dave.pub"
    said = web.tnet("tenant", "rotate", "acme", "--add", proof, "--remove", old, by="dave")
    assert f"added {fingerprint(web, 'dave-new')}" in said.out
    assert f"removed {fingerprint(web, 'dave')}" in said.out
    assert web.tnet("network", "reseal", "acme/web", by="dave", code=1).err.count("unknown-key") == 1
    web.tnet("network", "reseal", "acme/web", by="dave-new")
    assert web.read(ACME).count("- key:") == 1
    assert web.tnet("log", "-n", "1").out.startswith("accepted")


def test_a_second_person_and_a_threshold(web: Desk) -> None:
    web.tnet("tenant", "rotate", "acme", "--add", prove(web, "fred", "fred"), "--threshold", "2", by="dave")
    assert "threshold: 2" in web.read(ACME)
    assert "(threshold)" in web.tnet("network", "reseal", "acme/web", by="dave", code=1).err


def test_keys_are_named_by_fingerprint_principal_or_file(desk: Desk) -> None:
    for word in ("fred", fingerprint_of_new(desk, "fred"), f"{desk.keys}/fred.pub"):
        desk.tnet("tenant", "rotate", "acme", "--add", prove(desk, "fred", "fred"), by="dave")
        desk.tnet("tenant", "rotate", "acme", "--remove", word, by="dave")
        assert "fred" not in desk.read(ACME)


def fingerprint_of_new(desk: Desk, key: str) -> str:
    make_key(desk.keys / key)
    return fingerprint(desk, key)


def test_what_can_not_be_is_refused_and_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    before = desk.snapshot()
    said = desk.tnet("tenant", "rotate", "acme", "--remove", "dave", by="dave", code=1)
    assert "the tenant acme would have a threshold of 1, and 0 to sign" in said.err
    said = desk.tnet("tenant", "rotate", "acme", "--remove", "fred", by="dave", code=1)
    assert "acme has no key fred" in said.err
    assert f"dave {fingerprint(desk, 'dave')}" in said.err
    proof = prove(desk, "fred", "fred", tenant="globex")
    said = desk.tnet("tenant", "rotate", "acme", "--add", proof, by="dave", code=1)
    assert "this proof is for tenant globex, not acme" in said.err
    assert "nothing to change" in desk.tnet("tenant", "rotate", "acme", by="dave", code=64).err
    said = desk.tnet("tenant", "rotate", "nobody", "--threshold", "1", by="dave", code=1)
    assert "there is no tenant nobody in effect" in said.err
    own = prove(desk, "fred", "fred")
    said = desk.tnet("tenant", "rotate", "acme", "--add", own, by="erin", code=1)
    assert "it is for tenant acme to change" in said.err
    assert desk.snapshot() == before


def test_root_does_not_rotate_for_the_tenant_unmarked(desk: Desk) -> None:
    said = desk.tnet(
        "tenant", "rotate", "acme", "--add", prove(desk, "fred", "fred"), "-o", "json", by="alice"
    )
    assert said.json["code"] == "recovery"


def test_keys_of_rules_are_changed_with_the_principals(desk: Desk) -> None:
    desk.tnet("tenant", "rotate", "acme", "--add", prove(desk, "fred", "fred"), by="dave")
    fred = (desk.keys / "fred.pub").read_text().rsplit(" ", 1)[0]
    rule = (
        "  rules:\n    - paths:\n        - tenants/ac/acme/networks/*\n      signers:\n        principals:\n"
        f"          - name: fred\n            keys:\n              - {fred}\n"
    )
    desk.write(ACME, desk.read(ACME) + rule)
    desk.tnet("commit", by="dave")
    proof = prove(desk, "fred-new", "fred")
    desk.tnet("tenant", "rotate", "acme", "--add", proof, "--remove", f"{desk.keys}/fred.pub", by="dave")
    assert fred not in desk.read(ACME)
    desk.tnet("network", "create", "acme/mail", by="fred-new")
    said = desk.tnet("tenant", "rotate", "acme", "--remove", "fred", by="dave", code=1)
    assert "the rule for tenants/ac/acme/networks/* would have a threshold of 1, and 0 to sign" in said.err


# --- recover -----------------------------------------------------------------------------------------


@pytest.mark.rule(11)
def test_root_recovers_a_tenant_and_the_log_says_so(web: Desk) -> None:
    said = web.tnet("tenant", "recover", "acme", "--proof", prove(web, "fred", "fred"), by="alice")
    assert "every node lists this as a RECOVERY, for ever" in said.out
    assert "signed by alice (root)" in said.out
    assert "recovery" in web.tnet("log", "-n", "1").out.lower()
    web.tnet("network", "reseal", "acme/web", by="dave", code=1)
    web.tnet("network", "reseal", "acme/web", by="fred")


def test_only_root_recovers(desk: Desk) -> None:
    before = desk.snapshot()
    said = desk.tnet("tenant", "recover", "acme", "--proof", prove(desk, "fred", "fred"), by="bob", code=1)
    assert "(not-authorized)" in said.err
    said = desk.tnet("tenant", "recover", "acme", "--proof", prove(desk, "fred", "fred"), by="fred", code=1)
    assert "(unknown-key)" in said.err
    assert desk.snapshot() == before


@pytest.mark.rule(11)
def test_a_recovery_is_not_rolled_back(desk: Desk) -> None:
    desk.tnet("tenant", "recover", "acme", "--proof", prove(desk, "fred", "fred"), by="alice")
    before = desk.snapshot()
    for person in ("alice", "fred"):
        said = desk.tnet("rollback", "HEAD", by=person, code=1)
        assert "is a recovery" in said.err
        assert "tnet tenant rotate" in said.err
    assert desk.snapshot() == before


# --- remove ------------------------------------------------------------------------------------------


@pytest.mark.rule(11)
def test_a_tenant_leaves_for_ever(web: Desk) -> None:
    before = web.snapshot()
    said = web.tnet("tenant", "remove", "acme", by="dave", code=1)
    assert "acme still has networks: acme/web" in said.err
    assert "--with-networks" in said.err
    said = web.tnet("tenant", "remove", "acme", "--with-networks", by="alice", code=1)
    assert "(not-authorized)" in said.err
    assert web.snapshot() == before
    said = web.tnet("tenant", "remove", "acme", "--with-networks", by="dave")
    assert "the name acme can never be used again" in said.out
    assert "farmers may revoke its grants now: lyon, paris" in said.out
    assert not (web.root / WEB).exists()
    said = web.tnet("rollback", "HEAD", by="alice", code=1)
    assert "the tenant acme was removed, and names of tenants are never used again" in said.err
    said = web.tnet("tenant", "add", "acme", "--proof", prove(web, "dave", "dave"), by="alice", code=1)
    assert "(name-retired)" in said.err


def test_a_network_of_a_removed_tenant_does_not_come_back_alone(web: Desk) -> None:
    web.tnet("network", "delete", "acme/web", by="dave")
    web.tnet("tenant", "remove", "acme", by="dave")
    said = web.tnet("rollback", "HEAD~1", by="dave", code=1)
    assert "the tenant acme was removed" in said.err


# --- withdraw ----------------------------------------------------------------------------------------


def _proposed(desk: Desk) -> str:
    """A signed commit on a branch, by dave."""
    desk.git("switch", "-qc", "feature")
    desk.tnet("network", "reseal", "acme/web", by="dave")
    commit = desk.git("rev-parse", "HEAD")
    desk.git("switch", "-q", "main")
    return commit


@pytest.mark.rule(9)
def test_consent_is_taken_back_before_it_is_merged(web: Desk) -> None:
    commit = _proposed(web)
    said = web.tnet("tenant", "withdraw", "feature", by="dave")
    assert f"{commit[:12]} is listed as " in said.out
    assert commit not in web.read(ACME)
    web.git("-c", "user.name=x", "-c", "user.email=x@y", "merge", "--no-ff", "-qm", "Merge", "feature")
    verdict = web.tnet("log", "-n", "1", "-o", "json").json
    assert "withdrawn" in str(verdict)
    web.git("reset", "-q", "--hard", "HEAD~1")
    again = web.tnet("tenant", "withdraw", commit, by="dave", code=1)
    assert "has taken back all of this already" in again.err


def test_what_is_merged_or_nobodys_is_no_consent_to_take_back(web: Desk) -> None:
    before = web.snapshot()
    said = web.tnet("tenant", "withdraw", "HEAD", by="dave", code=1)
    assert "is behind HEAD" in said.err and "tnet rollback" in said.err
    said = web.tnet("tenant", "withdraw", "0" * 40, by="dave", code=1)
    assert "there is no such commit" in said.err and "git fetch" in said.err
    web.git("switch", "-qc", "grants")
    web.tnet("farm", "grant", "paris", "acme", "--max-resources", "3", by="bob")
    web.git("switch", "-q", "main")
    said = web.tnet("tenant", "withdraw", "grants", by="dave", code=1)
    assert "these commits change no tenant's documents" in said.err and "spec.withdrawn" in said.err
    assert web.snapshot() == before


def test_a_commit_about_two_tenants_needs_to_be_told_whose(web: Desk) -> None:
    web.git("switch", "-qc", "both")
    globex = "tenants/gl/globex/tenant.yaml"
    for path in (ACME, globex):
        web.write(path, web.read(path) + "# both\n")
    web.tnet("commit", "--force", by="dave")
    web.git("switch", "-q", "main")
    said = web.tnet("tenant", "withdraw", "both", by="dave", code=1)
    assert "several tenants: acme, globex" in said.err
    web.tnet("tenant", "withdraw", "both", "--tenant", "acme", by="dave")
    assert "withdrawn:" in web.read(ACME)
    assert "withdrawn:" not in web.read(globex)
