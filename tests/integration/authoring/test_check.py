"""Bad input, seen before nodes see it: where it is, what is wrong, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.authoring.desk import WEB, Desk


def checked(desk: Desk, *words: str) -> list[str]:
    """What `tnet check` prints about a work tree or range that nodes would reject."""
    before = desk.snapshot()
    said = desk.tnet("check", *words, code=1)
    assert desk.snapshot() == before
    assert said.out.splitlines()[-1] == "nodes would reject this"
    return said.out.splitlines()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("slot: 1", "slot: one", ":13: `spec.resources[0].slot` should be a number"),
        ("slot: 1", "slots: 1", "there is no field `slots` here"),
        ("slot: 1", "slot: 1\n      slot: 1", "slot"),
        ("slot: 1", "slot: &a 1", "anchor"),
        ("node: paris/p1", "node: paris/p9", "there is no node `paris/p9`"),
        ("index: 1", "index: 70000", "spec.resources[0].index"),
        ("kind: Network", "kind: Farm", "kind"),
        ("name: web", "name: other", "name"),
        ("ipv4: 10.", "ipv4: 11.", "is not private"),
        ("spec:", "spec: {", ""),
    ],
)
def test_an_edited_file(web: Desk, old: str, new: str, words: str) -> None:
    assert old in web.read(WEB)
    web.write(WEB, web.read(WEB).replace(old, new, 1))
    lines = checked(web)
    assert lines[0].startswith(f"{WEB}:")
    assert words in "\n".join(lines)
    said = web.tnet("commit", by="dave", code=1)
    assert f"{WEB}" in said.err


def test_all_problems_at_once(web: Desk) -> None:
    text = web.read(WEB).replace("slot: 1", "slot: one").replace("index: 1", "indx: 1")
    web.write(WEB, text)
    assert len([line for line in checked(web) if line.startswith(WEB)]) >= 2


def test_numbers_that_somebody_else_has_and_how_to_get_others(web: Desk) -> None:
    web.tnet("network", "create", "globex/shop", "--node", "paris/p1", by="erin")
    shop = "tenants/gl/globex/networks/shop.yaml"
    taken = web.read(shop).replace("slot: 2", "slot: 1").replace("paris: 4098", "paris: 4097")
    web.write(shop, taken)
    lines = "\n".join(checked(web))
    assert f"slot 1 on paris/p1 is taken by {WEB}" in lines
    assert "VNI 4097" in lines
    web.tnet("network", "renumber", "globex/shop")
    assert "slot: 2" in web.read(shop)
    assert "nobody else has its numbers" in web.tnet("network", "renumber", "globex/shop", code=1).err


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("tenants/ac/acme/networks/big.yaml", b"#" * 300_000, "big"),
        ("tenants/ac/acme/networks/utf.yaml", b"a: \xff\n", "utf"),
        ("tenants/ac/acme/networks/Web.yaml", b"a: 1\n", "no document belongs"),
        ("tenants/xx/acme/networks/db.yaml", b"a: 1\n", "it belongs at tenants/ac/acme/networks/db.yaml"),
        ("tenants/ac/acme/networks/bomb.yaml", b"a: &a [1]\nb: [*a, *a]\n", "anchor"),
    ],
)
def test_a_file_that_can_not_be_a_document(desk: Desk, path: str, content: bytes, words: str) -> None:
    file = desk.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    assert words in "\n".join(checked(desk))


def test_a_symbolic_link_is_refused(web: Desk, tmp_path: Path) -> None:
    (web.root / WEB).rename(tmp_path / "web.yaml")
    (web.root / WEB).symlink_to(tmp_path / "web.yaml")
    assert "symbolic link" in web.tnet("check", code=1).err


def test_an_executable_document_is_refused(web: Desk) -> None:
    (web.root / WEB).chmod(0o755)
    assert "wrong-mode" in "\n".join(checked(web))


def test_commits_that_are_not_pushed_yet(web: Desk) -> None:
    web.git("tag", "pushed")
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    assert "1 transaction, all accepted" in web.tnet("check", "pushed..HEAD").out
    web.write(WEB, web.read(WEB) + "# mine now\n")
    web.tnet("commit", "--force", by="erin")
    lines = checked(web, "pushed..")
    assert [line.split()[0] for line in lines if line and line[0] != " "][:2] == ["accepted", "REJECTED"]
    found = web.tnet("check", "pushed..HEAD", "-o", "json", code=1).json
    assert [each["code"] for each in found["transactions"]] == ["accepted", "not-authorized"]
    assert found["ok"] is False


def test_a_branch_that_main_has_left_behind(web: Desk) -> None:
    web.git("switch", "-qc", "topic", "HEAD~1")
    web.tnet("network", "create", "acme/db", by="dave")
    before = web.snapshot()
    assert "1 transaction, all accepted (merged by the forge)" in web.tnet("check", "main..topic").out
    assert "git rebase" in web.tnet("check", "main..topic", "--fast-forward", code=1).out
    assert web.snapshot() == before


@pytest.mark.parametrize("words", ["HEAD", "..HEAD", "HEAD...HEAD"])
def test_what_is_no_range_is_wrong_usage(desk: Desk, words: str) -> None:
    assert "is not BASE..HEAD" in desk.tnet("check", words, code=64).err


def test_nothing_to_check(desk: Desk) -> None:
    assert "no document differs from HEAD" in desk.tnet("check").out
    desk.write("notes.txt", "not governed\n")
    assert "no document differs from HEAD" in desk.tnet("check").out


def test_without_an_anchor_documents_are_looked_at_and_signatures_are_not(web: Desk) -> None:
    web.git("config", "--unset", "tnet.anchor")
    said = web.tnet("check")
    assert "no signature" in said.err
    assert "15 documents, nothing wrong" in said.out
    web.write(WEB, web.read(WEB).replace("slot: 1", "slot: 5000"))
    assert "slot 5000 has no UDP port" in "\n".join(checked(web))


def test_problems_for_programs(web: Desk) -> None:
    web.write(WEB, web.read(WEB).replace("slot: 1", "slot: one"))
    (problem,) = web.tnet("check", "-o", "json", code=1).json["problems"]
    assert (problem["path"], problem["column"], problem["pointer"]) == (WEB, 13, "spec.resources[0].slot")
    assert problem["line"] == web.read(WEB).splitlines().index("      slot: one") + 1


def test_a_commit_that_was_too_late_is_taken_back_and_renumbered(web: Desk) -> None:
    """As the user guide has it: rebase, take the rejected commit back into the files, other numbers."""
    early = web.git("rev-parse", "HEAD")
    web.tnet("network", "create", "globex/shop", "--node", "paris/p1", by="erin")
    web.git("branch", "landed")
    web.git("reset", "-q", "--hard", early)
    web.tnet("network", "create", "acme/db", "--node", "paris/p1", by="dave")
    web.tnet("key", "setup", by="dave")
    web.git("rebase", "-q", "landed")
    assert "slot 2 on paris/p1 is taken" in web.tnet("check", "landed..HEAD", code=1).out
    web.git("reset", "-q", "landed")
    web.tnet("network", "renumber", "acme/db")
    assert "signed by dave" in web.tnet("commit", by="dave").out
    assert "all accepted" in web.tnet("check", "landed..HEAD").out
