"""`tnet receipt`: written in a clone, checked anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.authoring.desk import WEB, Desk


@pytest.fixture
def vouched(web: Desk) -> Desk:
    """After root has signed a snapshot of the ledger in which acme has bought web."""
    web.tnet("checkpoint", "snapshot", by="alice")
    return web


def anchor(desk: Desk) -> str:
    return desk.git("config", "tnet.anchor")


def test_a_receipt_is_written_and_checked_without_the_ledger(
    vouched: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, begun = tmp_path / "web.receipt", anchor(vouched)
    said = vouched.tnet("receipt", "HEAD", str(file))
    assert f"tnet receipt verify {file}" in said.err
    monkeypatch.chdir(tmp_path)
    found = vouched.tnet("receipt", "verify", str(file), "--anchor", begun).out
    assert "was accepted" in found
    assert f"put      {WEB}" in found
    assert "approved by dave (tenant acme), SHA256:" in found
    assert "signed by alice (root)" in found
    plain = vouched.tnet("receipt", "verify", str(file), "--anchor", begun, "-o", "json").json
    assert plain["documents"][0]["content"] == vouched.read(WEB)
    assert plain["checkpoint"]["kind"] == "snapshot"


def test_it_goes_to_the_output_unless_there_is_a_file(vouched: Desk, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(vouched.tnet("receipt", "HEAD", "--document", WEB).out)
    vouched.tnet("receipt", "verify", str(file), "--anchor", anchor(vouched))
    last = vouched.tnet("log", "-n", "1", "-o", "json").json[0]["position"]
    assert vouched.tnet("receipt", str(last)).out == file.read_text()


def test_a_changed_or_foreign_receipt_is_refused(vouched: Desk, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(vouched.tnet("receipt", "HEAD").out.replace("paris/p1", "paris/p2"))
    assert "receipt" in vouched.tnet("receipt", "verify", str(file), "--anchor", anchor(vouched), code=1).err
    file.write_text(vouched.tnet("receipt", "HEAD").out)
    said = vouched.tnet("receipt", "verify", str(file), "--anchor", "1" * 40, code=1)
    assert "of the ledger that begins at" in said.err
    key = "SHA256:" + "A" * 43
    vouched.tnet("receipt", "verify", str(file), "--anchor", anchor(vouched), "--root-key", key, code=1)


def test_without_a_checkpoint_it_says_what_to_run(web: Desk) -> None:
    said = web.tnet("receipt", "HEAD", code=1)
    assert "no checkpoint stands for position" in said.err
    assert "tnet checkpoint witness" in said.err
    assert said.out == ""


def test_a_rejected_commit_has_no_receipt(vouched: Desk) -> None:
    vouched.tnet("network", "delete", "acme/web", "--force", by="erin")
    said = vouched.tnet("receipt", "HEAD", code=1)
    assert "changed nothing in effect (not-authorized" in said.err
