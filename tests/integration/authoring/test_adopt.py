"""Taking over what isn't in effect, and being rid of it."""

from __future__ import annotations

import pytest

from tests.integration.authoring.desk import WEB, Desk

GRANT = "farms/paris/grants/acme.yaml"


def squashed(desk: Desk, subject: str = "Squash (#7)") -> str:
    """acme's branch, squashed by a forge: the content is dave's, the commit is nobody's."""
    desk.git("switch", "-qc", "topic")
    desk.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    desk.git("switch", "-q", "main")
    desk.git("merge", "-q", "--squash", "topic")
    forge = ("-c", "user.name=GitHub", "-c", "user.email=noreply@github.com")
    desk.git(*forge, "commit", "-qm", subject)
    return desk.git("rev-parse", "HEAD")


def last(desk: Desk) -> str:
    return desk.tnet("log", "-n", "1").out


def trailers(desk: Desk) -> list[str]:
    return [line for line in desk.git("log", "-1", "--format=%B").splitlines() if line.startswith("Tnet-")]


# --- adopt -------------------------------------------------------------------------------------------


def test_a_squash_is_taken_over_by_who_may_change_the_file(web: Desk) -> None:
    before = web.read(WEB)
    commit = squashed(web)
    assert "REJECTED" in last(web)
    assert "the forge seems to have made it" in last(web)
    assert f"tnet adopt {commit[:12]}" in last(web)
    said = web.tnet("adopt", commit, by="dave")
    assert "+    - node: lyon/l1" in said.out
    assert f"Adopt {WEB}" in said.out
    assert "signed by dave (tenant acme)" in said.out
    assert last(web).startswith("accepted")
    assert len(trailers(web)) == 1
    assert web.read(WEB) != before
    assert web.git("diff", "HEAD~1", "HEAD") == ""
    assert web.git("status", "--porcelain") == ""


def test_a_path_is_taken_as_head_has_it(web: Desk) -> None:
    squashed(web)
    web.tnet("adopt", WEB, by="dave")
    assert last(web).startswith("accepted")
    web.tnet("network", "add-node", "acme/web", "paris/p2", by="dave")
    assert last(web).startswith("accepted")


def test_a_directory_means_all_below_it_from_where_one_is(web: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    squashed(web)
    monkeypatch.chdir(web.root / "tenants" / "ac")
    web.tnet("adopt", "acme", by="dave")
    assert last(web).startswith("accepted")


def test_a_dry_run_shows_the_difference_to_what_is_in_effect_and_changes_nothing(web: Desk) -> None:
    squashed(web)
    before = web.snapshot()
    said = web.tnet("adopt", WEB, "--dry-run")
    assert "+    - node: lyon/l1" in said.out
    assert web.snapshot() == before


def test_nobody_adopts_what_is_anothers(web: Desk) -> None:
    squashed(web)
    before = web.snapshot()
    said = web.tnet("adopt", WEB, by="erin", code=1)
    assert "not-authorized" in said.err
    assert web.snapshot() == before


def test_what_was_repaired_meanwhile_is_brought_back_from_its_commit(web: Desk) -> None:
    commit = squashed(web)
    refused = web.read(WEB)
    web.tnet("repair")
    assert web.read(WEB) != refused
    web.tnet("adopt", commit, by="dave")
    assert last(web).startswith("accepted")
    assert web.read(WEB) == refused
    assert web.git("status", "--porcelain") == ""


def test_a_commit_of_an_unmerged_branch_is_taken_over(web: Desk) -> None:
    web.git("switch", "-qc", "topic")
    web.write(WEB, web.read(WEB).replace("  name: web\n", "  name: web\n  description: a bot's idea\n"))
    web.git("-c", "user.name=bot", "-c", "user.email=b@b", "commit", "-qam", "Unsigned")
    web.git("switch", "-q", "main")
    web.tnet("adopt", "topic", by="dave")
    assert last(web).startswith("accepted")
    assert "a bot's idea" in web.read(WEB)


def test_a_deletion_is_adopted(web: Desk) -> None:
    web.git("rm", "-q", WEB)
    web.git("-c", "user.name=forge", "-c", "user.email=f@f", "commit", "-qm", "Delete")
    web.tnet("adopt", "HEAD", by="dave")
    assert last(web).startswith("accepted")
    assert trailers(web)[0].startswith("Tnet-Adopt: " + "0" * 40)


def test_what_is_in_effect_needs_no_adoption(web: Desk) -> None:
    assert "in effect already" in web.tnet("adopt", WEB, by="dave", code=1).err
    assert "in effect already" in web.tnet("adopt", "HEAD", by="dave", code=1).err
    said = web.tnet("adopt", "nonsense", by="dave", code=1)
    assert "neither a file" in said.err
    assert "tnet log --rejected" in said.err


def test_what_can_be_no_document_is_not_adopted(web: Desk) -> None:
    web.write("tenants/notes.txt", "hello")
    web.git("add", "tenants/notes.txt")
    web.git("-c", "user.name=f", "-c", "user.email=f@f", "commit", "-qm", "Notes")
    said = web.tnet("adopt", "tenants/notes.txt", by="dave", code=1)
    assert "no document can lie there" in said.err
    assert "tnet repair tenants/notes.txt" in said.err


def test_a_second_person_approves_by_adopting_on_the_branch(desk: Desk) -> None:
    """Two must sign: one commits on a branch, the other adopts there; the forge merges, unsigned."""
    tenant = "tenants/ac/acme/tenant.yaml"
    proof = desk.tnet("tenant", "prove", "acme", "--principal", "chloe", by="chloe").out
    fields = dict(line.split(": ", 1) for line in proof.splitlines() if ": " in line)
    text = desk.read(tenant).replace("  signers:\n", "  signers:\n    threshold: 2\n")
    text = text.replace(
        "  proofs:", f"      - name: chloe\n        keys:\n          - {fields['key']}\n  proofs:"
    )
    desk.write(tenant, f"{text}    - key: {fields['key']}\n      signature: {fields['signature']}\n")
    desk.tnet("commit", by="dave")
    desk.git("switch", "-qc", "topic")
    desk.tnet("network", "create", "acme/web", "--node", "paris/p1", "--force", by="dave")
    said = desk.tnet("adopt", "HEAD", "--force", by="chloe")
    assert "+kind: Network" in said.out
    desk.git("switch", "-q", "main")
    desk.git("-c", "user.name=f", "-c", "user.email=f@f", "merge", "-q", "--no-ff", "-m", "Merge", "topic")
    assert last(desk).startswith("accepted")
    assert "chloe (tenant acme), dave (tenant acme)" in last(desk)


def test_json_names_commit_paths_and_lines(web: Desk) -> None:
    commit = squashed(web)
    found = web.tnet("adopt", commit, "-o", "json", by="dave").json
    assert found["accepted"] is True
    assert found["paths"] == [WEB]
    assert found["notes"] == trailers(web)


def test_an_adoption_is_rolled_back_to_what_was_in_effect_before(web: Desk) -> None:
    """The adopting commit changed no file, and what it found in the file was refused."""
    before = web.read(WEB)
    commit = squashed(web)
    web.tnet("adopt", commit, by="dave")
    web.tnet("rollback", "HEAD", by="dave")
    assert web.read(WEB) == before
    assert last(web).startswith("accepted")
    web.tnet("rollback", "HEAD", by="dave")
    assert "lyon/l1" in web.read(WEB)


def test_a_repair_is_not_rolled_back_to_what_was_refused(web: Desk) -> None:
    squashed(web)
    web.tnet("repair")
    assert "nothing of" in web.tnet("rollback", "HEAD", by="dave", code=1).err


# --- repair ------------------------------------------------------------------------------------------


def test_repair_needs_no_key_and_changes_nothing_in_effect(web: Desk) -> None:
    effective = web.read(WEB)
    squashed(web)
    said = web.tnet("repair")
    assert web.read(WEB) == effective
    assert WEB in said.out
    assert "signed by" not in said.out
    assert "changes nothing in effect (repair)" in last(web)
    assert web.git("log", "-1", "--format=%G?") == "N"
    assert web.git("status", "--porcelain") == ""


def test_repair_is_signed_if_there_is_a_key(web: Desk) -> None:
    squashed(web)
    web.tnet("repair", by="erin")
    assert "gpgsig" in web.git("cat-file", "commit", "HEAD")
    assert "(repair)" in last(web)


def test_repair_of_a_path_leaves_others(web: Desk) -> None:
    squashed(web)
    web.git("rm", "-q", GRANT)
    web.git("-c", "user.name=f", "-c", "user.email=f@f", "commit", "-qm", "Delete")
    web.tnet("repair", "farms")
    assert (web.root / GRANT).exists()
    assert "lyon/l1" in web.read(WEB)
    assert "is in effect" in web.tnet("repair", GRANT, code=1).err


def test_repair_takes_away_what_can_be_no_document(web: Desk) -> None:
    """A link and a directory in documents' places, and a name that isn't UTF-8."""
    effective = web.read(WEB)
    (web.root / WEB).unlink()
    (web.root / WEB).symlink_to("/etc/passwd")
    grant = web.read(GRANT)
    (web.root / GRANT).unlink()
    (web.root / GRANT).mkdir()
    web.write(f"{GRANT}/inner.yaml", "x")
    (web.root / "tenants" / b"\xff\n\xfe.txt".decode("utf-8", "surrogateescape")).write_text("y")
    web.git("add", "-A")
    web.git("-c", "user.name=f", "-c", "user.email=f@f", "commit", "-qm", "Odd")
    web.tnet("repair")
    assert web.read(WEB) == effective
    assert web.read(GRANT) == grant
    assert "(repair)" in last(web)
    assert "all that HEAD holds is in effect" in web.tnet("repair", code=1).err
    assert web.git("status", "--porcelain") == ""


def test_a_dry_run_of_repair_shows_it_and_changes_nothing(web: Desk) -> None:
    squashed(web)
    before = web.snapshot()
    assert "-    - node: lyon/l1" in web.tnet("repair", "--dry-run").out
    assert web.snapshot() == before


def test_repair_does_not_overwrite_what_is_being_edited(web: Desk) -> None:
    squashed(web)
    web.write(WEB, web.read(WEB) + "# mine\n")
    before = web.snapshot()
    assert "has changes that aren't committed" in web.tnet("repair", code=1).err
    assert web.snapshot() == before


def test_staged_changes_elsewhere_survive(web: Desk) -> None:
    commit = squashed(web)
    web.write("README", "staged")
    web.git("add", "README")
    web.tnet("adopt", commit, by="dave")
    assert web.git("status", "--porcelain") == "A  README"
    web.write("tenants/notes.txt", "hello")
    web.git("add", "tenants/notes.txt")
    web.git("-c", "user.name=f", "-c", "user.email=f@f", "commit", "-qm", "Notes", "tenants/notes.txt")
    web.tnet("repair")
    assert web.git("status", "--porcelain") == "A  README"


# --- every edit starts from what is in effect --------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("network", "add-node", "acme/web", "paris/p2"),
        ("network", "remove-node", "acme/web", "paris/p1"),
        ("network", "reseal", "acme/web"),
        ("network", "delete", "acme/web"),
    ],
)
def test_no_edit_builds_on_what_was_rejected(web: Desk, words: tuple[str, ...]) -> None:
    squashed(web)
    before = web.snapshot()
    said = web.tnet(*words, by="dave", code=1)
    assert f"tnet repair {WEB}" in said.err
    assert f"tnet adopt {WEB}" in said.err
    assert web.snapshot() == before


def test_a_hand_edit_does_not_build_on_what_was_rejected(web: Desk) -> None:
    squashed(web)
    web.write(WEB, web.read(WEB) + "# more\n")
    assert f"tnet repair {WEB}" in web.tnet("commit", by="dave", code=1).err
