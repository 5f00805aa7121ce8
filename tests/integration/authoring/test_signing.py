"""With which key a commit is signed; one that can't be signed, or wouldn't count, changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.authoring.desk import Desk, hand_to_agent, make_key

ADD = ("network", "add-node", "acme/web", "lyon/l1")


def test_the_key_comes_from_the_option_then_the_environment_then_git(
    web: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.git("config", "user.signingkey", str(web.keys / "dave"))
    assert "signed by dave" in web.tnet(*ADD).out
    monkeypatch.setenv("TNET_SIGNING_KEY", str(web.keys / "erin"))
    assert "erin (tenant globex) signed it" in web.tnet("rollback", "HEAD", code=1).err
    assert "signed by dave" in web.tnet("rollback", "HEAD", by="dave").out


@pytest.mark.usefixtures("agent")
def test_an_agent_signs_for_the_public_key_in_a_file(web: Desk) -> None:
    hand_to_agent(web.keys / "dave")
    assert "signed by dave" in web.tnet(*ADD, "--key", str(web.keys / "dave.pub")).out


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("prefix", ["", "key::"])
def test_an_agent_signs_for_a_public_key_as_it_stands(web: Desk, prefix: str) -> None:
    public = (web.keys / "dave.pub").read_text().strip()
    hand_to_agent(web.keys / "dave")
    web.git("config", "user.signingkey", prefix + public)
    assert "signed by dave" in web.tnet(*ADD).out


@pytest.mark.usefixtures("agent")
def test_an_agent_proves_a_tenants_key(desk: Desk, tmp_path: Path) -> None:
    make_key(tmp_path / "frank")
    hand_to_agent(tmp_path / "frank")
    public = (tmp_path / "frank.pub").read_text().strip()
    proof = desk.tnet("tenant", "prove", "initech", "--principal", "frank", "--key", public).out
    (tmp_path / "proof").write_text(proof)
    assert (
        "signed by alice (root)"
        in desk.tnet("tenant", "add", "initech", "--proof", str(tmp_path / "proof"), by="alice").out
    )


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_other_kinds_of_key_sign_too(desk: Desk, tmp_path: Path, kind: str) -> None:
    make_key(tmp_path / "root", kind=kind)
    desk.tnet("init", str(tmp_path / "ledger"), "--key", str(tmp_path / "root"))
    desk.go(tmp_path / "ledger")
    bob = f"bob={desk.keys}/bob.pub"
    assert (
        "signed by root"
        in desk.tnet("farm", "add", "nice", "--farmer", bob, "--key", str(tmp_path / "root")).out
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "there is no key to sign with"),
        ("/nowhere/key", "--key names /nowhere/key, which is neither a key file nor an SSH public key"),
        ("0xDEADBEEF", "neither a key file nor an SSH public key"),
        ("locked", "passphrase"),
        ("erin", "every node would reject this (not-authorized)"),
        ("stranger", "every node would reject this (unknown-key)"),
        ("orphan.pub", "can't sign with"),
        ("text", "this file is no SSH key"),
    ],
)
def test_without_a_good_signature_nothing_changes(web: Desk, value: str | None, words: str) -> None:
    make_key(web.keys / "locked", passphrase="correct horse")
    make_key(web.keys / "stranger")
    make_key(web.keys / "gone").unlink()
    (web.keys / "gone.pub").rename(web.keys / "orphan.pub")
    (web.keys / "text").write_text("this is no key\n")
    before = web.snapshot()
    if value and (web.keys / value).exists():
        value = str(web.keys / value)
    said = web.tnet(*ADD, *(["--key", value] if value else []), code=1)
    assert words in said.err, said.err
    assert said.err.count("\n  ") >= 1, "an advice belongs to it"
    assert web.snapshot() == before


def test_an_openpgp_key_in_gits_configuration_is_told_from_an_ssh_key(web: Desk) -> None:
    web.git("config", "user.signingkey", "3AA5C34371567BD2")
    said = web.tnet(*ADD, code=1)
    assert "git config user.signingkey names 3AA5C34371567BD2, which is neither" in said.err


def test_the_users_other_signing_settings_do_not_matter(web: Desk) -> None:
    for name, value in (
        ("gpg.format", "openpgp"),
        ("commit.gpgsign", "false"),
        ("i18n.commitEncoding", "latin1"),
        ("core.autocrlf", "true"),
        ("core.hooksPath", str(web.root)),
    ):
        web.git("config", name, value)
    web.tnet(*ADD, "-m", "für später", by="dave")
    assert "für später" in web.git("log", "-1", "--format=%B", "--encoding=UTF-8")
    assert web.git("cat-file", "blob", "HEAD:tenants/ac/acme/networks/web.yaml").count("\r") == 0


def test_without_a_name_in_gits_configuration_the_key_alone_says_who_it_was(web: Desk) -> None:
    assert os.environ["HOME"] != "/root"
    web.tnet(*ADD, by="dave")
    assert web.git("log", "-1", "--format=%an <%ae>") == "tnet <tnet@localhost>"
    web.git("config", "user.name", "Dave")
    web.git("config", "user.email", "dave@example.org")
    web.tnet("rollback", "HEAD", by="dave")
    assert web.git("log", "-1", "--format=%an <%ae> %cn") == "Dave <dave@example.org> Dave"


def test_force_commits_what_would_be_rejected_and_says_so(web: Desk) -> None:
    said = web.tnet(*ADD, "--force", by="erin")
    assert "NOT ACCEPTED as it stands (not-authorized)" in said.out
    assert "REJECTED" in web.tnet("log", "-n", "1").out
