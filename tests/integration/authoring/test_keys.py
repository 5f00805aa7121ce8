"""`tnet key`: from no key at all to plain `git commit` whose commits nodes accept, and back."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from reconciler.authoring import key_search
from reconciler.cli.main import cli
from tests.integration.authoring.desk import Desk, hand_to_agent, make_key

WEB = "tenants/ac/acme/networks/web.yaml"
SETTINGS = ("gpg.format", "user.signingkey", "commit.gpgsign", "gpg.ssh.allowedSignersFile")


def settings(desk: Desk) -> str:
    """The clone's whole configuration."""
    return (desk.root / ".git" / "config").read_text()


def edit(desk: Desk) -> None:
    """What a person does in an editor."""
    desk.write(WEB, desk.read(WEB) + "# by hand\n")


def home_key(desk: Desk, name: str, **options: str) -> Path:
    directory = desk.keys.parent / ".ssh"
    directory.mkdir(mode=0o700, exist_ok=True)
    return make_key(directory / name, **options)


# --- plain git ----------------------------------------------------------------------------------------


def test_plain_git_commits_what_nodes_accept(web: Desk) -> None:
    edit(web)
    web.git("-c", "user.name=x", "-c", "user.email=x", "commit", "-qam", "Before")
    assert "unsigned" in web.tnet("check", "HEAD~1..HEAD", code=1).out
    web.git("reset", "-q", "--hard", "HEAD~1")

    said = web.tnet("key", "setup", by="dave")
    assert "dave (tenant acme)" in said.out
    edit(web)
    web.git("commit", "-qam", "By plain git")
    assert "1 transaction, all accepted" in web.tnet("check", "HEAD~1..HEAD").out
    shown = web.git("log", "--show-signature", "--format=%G? %GS %s", "-1")
    assert "G dave@acme.tenant By plain git" in shown
    assert 'Good "git" signature for dave@acme.tenant' in shown


def test_git_knows_every_signer_of_the_ledger(web: Desk) -> None:
    web.tnet("key", "setup", by="dave")
    marks = web.git("log", "--format=%G? %GS").splitlines()
    assert {mark.split()[0] for mark in marks} == {"G"}
    assert {mark.split()[1] for mark in marks} == {
        "alice@root",
        "bob@paris.farm",
        "chloe@lyon.farm",
        "dave@acme.tenant",
    }


def test_plain_git_merges_reverts_and_amends_what_nodes_accept(web: Desk) -> None:
    web.tnet("key", "setup", by="dave")
    web.git("switch", "-qc", "topic")
    edit(web)
    web.git("commit", "-qam", "Topic")
    web.git("switch", "-q", "main")
    web.git("merge", "-q", "--no-ff", "-m", "Merge", "topic")
    web.git("revert", "--no-edit", "-m", "1", "HEAD")
    web.git("commit", "-q", "--amend", "-m", "Take it back")
    verdicts = web.tnet("check", "HEAD~2..HEAD", "-o", "json").json["transactions"]
    assert [verdict["accepted"] for verdict in verdicts] == [True, True]


def test_a_user_with_openpgp_and_another_encoding_signs_by_ssh_in_this_clone(web: Desk) -> None:
    (web.keys.parent / ".gitconfig").write_text(
        "[user]\n\tname = Zoë\n\temail = z@example.net\n\tsigningkey = 3AA5C34371567BD2\n"
        "[gpg]\n\tformat = openpgp\n[i18n]\n\tcommitEncoding = ISO-8859-1\n"
    )
    web.tnet("key", "setup", by="dave")
    edit(web)
    web.git("commit", "-qam", "Zoë was here")
    assert web.tnet("check", "HEAD~1..HEAD", "-o", "json").json["transactions"][0]["accepted"]
    assert web.git("log", "-1", "--format=%an <%ae>") == "Zoë <z@example.net>"


@pytest.mark.rule(25)
def test_whoever_has_told_git_no_name_commits_under_the_ledgers(web: Desk) -> None:
    web.tnet("key", "setup", by="dave")
    edit(web)
    web.git("commit", "-qam", "Nameless")
    assert web.git("log", "-1", "--format=%an <%ae>") == "dave <tnet@localhost>"


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("named_by", ["file", "text"])
def test_plain_git_signs_with_a_key_that_only_an_agent_holds(web: Desk, named_by: str) -> None:
    public = web.keys / "dave.pub"
    hand_to_agent(web.keys / "dave")
    web.tnet("key", "setup", "--key", str(public) if named_by == "file" else public.read_text().strip())
    edit(web)
    web.git("commit", "-qam", "By an agent")
    assert web.tnet("check", "HEAD~1..HEAD", "-o", "json").json["transactions"][0]["accepted"]


def test_tnet_signs_with_the_key_that_was_set_up(web: Desk) -> None:
    web.tnet("key", "setup", by="dave")
    assert "signed by dave" in web.tnet("network", "add-node", "acme/web", "lyon/l1").out


# --- setting up, again, and undoing -------------------------------------------------------------------


def test_undo_gives_every_setting_its_value_from_before(web: Desk) -> None:
    web.git("config", "--add", "user.signingkey", "one")
    web.git("config", "--add", "user.signingkey", "two")
    web.git("config", "commit.gpgsign", "false")
    before = {name: web.git("config", "--local", "--get-all", name) for name in SETTINGS[1:3]}
    web.tnet("key", "setup", by="dave")
    web.tnet("key", "setup", by="erin")
    said = web.tnet("key", "setup", "--undo")
    assert "user.signingkey: as it was before" in said.out
    assert {name: web.git("config", "--local", "--get-all", name) for name in SETTINGS[1:3]} == before
    left = settings(web)
    assert "gpg" not in left.replace("gpgsign = false", "")
    assert "email" not in left
    assert not (web.root / ".git" / "tnet" / "allowed_signers").exists()


def test_undo_leaves_alone_what_somebody_has_changed_since(web: Desk) -> None:
    web.tnet("key", "setup", by="dave")
    web.git("config", "user.signingkey", "mine")
    said = web.tnet("key", "setup", "--undo", "-o", "json").json
    assert said["left"] == ["user.signingkey"]
    assert "commit.gpgsign" in said["restored"]
    assert web.git("config", "user.signingkey") == "mine"


def test_undo_of_nothing_says_so(web: Desk) -> None:
    assert "has set nothing up here" in web.tnet("key", "setup", "--undo", code=1).err


def test_setting_up_again_takes_in_who_has_come(desk: Desk) -> None:
    desk.tnet("key", "setup", by="alice")
    make_key(desk.keys / "frank")
    desk.tnet("farm", "add", "nice", "--farmer", f"frank={desk.keys}/frank.pub", by="alice")
    file = desk.root / ".git" / "tnet" / "allowed_signers"
    assert "frank" not in file.read_text()
    desk.tnet("key", "setup")
    assert (
        f'frank@nice.farm namespaces="git" {(desk.keys / "frank.pub").read_text().split()[0]}'
        in file.read_text()
    )
    assert desk.tnet("key", "setup", "--undo").code == 0


def test_every_work_tree_of_a_clone_signs(web: Desk, tmp_path: Path) -> None:
    web.tnet("key", "setup", by="dave")
    web.git("worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    web.go(tmp_path / "other")
    edit(web)
    web.git("commit", "-qam", "Elsewhere")
    assert web.git("log", "-1", "--format=%G?") == "G"
    web.tnet("key", "setup", "--undo")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("absent", "neither a key file nor an SSH public key"),
        ("orphan.pub", "its private half is neither beside it nor in an ssh-agent"),
        ("text", "this file is no SSH key"),
        ("short", "2048 to 16384 bits"),
    ],
)
def test_a_key_that_cannot_sign_sets_nothing_up(web: Desk, key: str, words: str) -> None:
    make_key(web.keys / "orphan").unlink()
    (web.keys / "text").write_text("no key\n")
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(web.keys / "short")]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    before = settings(web)
    said = web.tnet("key", "setup", "--key", str(web.keys / key), code=1)
    assert words in said.err, said.err
    assert settings(web) == before


def test_a_config_that_cannot_be_written_stays_as_it_was(web: Desk) -> None:
    before = settings(web)
    (web.root / ".git" / "config.lock").touch()
    assert "config failed" in web.tnet("key", "setup", by="dave", code=1).err
    (web.root / ".git" / "config.lock").unlink()
    assert settings(web) == before
    web.tnet("key", "setup", by="dave")


def test_a_key_that_the_ledger_does_not_know_is_set_up_with_a_warning(web: Desk) -> None:
    make_key(web.keys / "stranger")
    said = web.tnet("key", "setup", "--key", str(web.keys / "stranger"))
    assert "warning: nobody in effect has the key SHA256:" in said.err
    assert "tnet tenant prove" in said.err


def test_setup_as_json(web: Desk) -> None:
    said = web.tnet("key", "setup", "-o", "json", by="dave").json
    assert said["roles"] == [{"role": "tenant acme", "principal": "dave"}]
    assert said["settings"]["gpg.format"] == "ssh"


# --- making, listing, showing -------------------------------------------------------------------------


def test_a_person_without_a_key_makes_one(desk: Desk) -> None:
    assert "no SSH key was found; next: tnet key new" in desk.tnet("key", "list").err
    said = desk.tnet("key", "new", "--no-passphrase")
    private = desk.keys.parent / ".ssh" / "id_ed25519"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    assert private.with_suffix(".pub").read_text().endswith(" tnet\n"), "no name of a person or a host"
    assert f"tnet key setup --key {private}" in said.out
    assert "not known to this ledger" in desk.tnet("key", "list").out


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_of_every_kind_are_made(desk: Desk, tmp_path: Path, kind: str) -> None:
    made = desk.tnet("key", "new", str(tmp_path / "k"), "--type", kind, "--no-passphrase", "-o", "json").json
    assert made["public_key"] == " ".join((tmp_path / "k.pub").read_text().split()[:2])
    assert desk.tnet("key", "show", "--key", made["file"]).out.startswith(made["public_key"])


def test_a_key_is_never_overwritten(desk: Desk, tmp_path: Path) -> None:
    make_key(tmp_path / "k")
    before = (tmp_path / "k").read_bytes()
    said = desk.tnet("key", "new", str(tmp_path / "k"), "--no-passphrase", code=1)
    assert "is there already" in said.err
    assert (tmp_path / "k").read_bytes() == before


def test_without_a_terminal_nobody_is_asked_for_a_passphrase(desk: Desk, tmp_path: Path) -> None:
    said = desk.tnet("key", "new", str(tmp_path / "k"), code=1)
    assert "no terminal" in said.err
    assert not (tmp_path / "k").exists()


@pytest.mark.usefixtures("agent")
def test_keys_are_found_in_files_the_agent_and_git(web: Desk) -> None:
    directory = web.keys.parent / ".ssh"
    directory.mkdir(mode=0o700)
    for person in ("dave", "erin"):
        for file in (web.keys / person, web.keys / f"{person}.pub"):
            shutil.copy(file, directory)
    hand_to_agent(directory / "erin")
    web.git("config", "user.signingkey", str(directory / "dave"))
    (directory / "notes.pub").write_text("nothing of ours\n")
    found = {each["fingerprint"]: each for each in web.tnet("key", "list", "-o", "json").json}
    roles = {each["roles"][0]["principal"]: each for each in found.values()}
    assert set(roles) == {"dave", "erin"}
    assert roles["dave"]["signs_now"] and not roles["erin"]["signs_now"]
    assert roles["dave"]["use_as"] == str(directory / "dave")
    assert roles["erin"]["use_as"] == str(directory / "erin.pub")
    assert roles["erin"]["found_in"] == [str(directory / "erin.pub"), "ssh-agent"]
    assert roles["dave"]["found_in"] == ["git config user.signingkey", str(directory / "dave.pub")]
    text = web.tnet("key", "list").out
    assert f"* {roles['dave']['fingerprint']}  ssh-ed25519  dave" in text
    assert "    erin (tenant globex)" in text


def test_a_key_that_no_node_accepts_is_listed_as_such(desk: Desk) -> None:
    file = home_key(desk, "short", kind="ed25519")
    file.unlink()
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(file)]
    file.with_suffix(".pub").unlink()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    (each,) = desk.tnet("key", "list", "-o", "json").json
    assert not each["accepted"]
    assert "2048 to 16384 bits" in each["problem"]
    assert "refused" in desk.tnet("key", "list").out


def test_keys_are_listed_without_a_ledger_too(desk: Desk, tmp_path: Path) -> None:
    home_key(desk, "id_ed25519")
    desk.go(tmp_path)
    said = desk.tnet("key", "list", "-o", "json")
    assert said.json[0]["roles"] is None
    assert "without a ledger's word on them" in said.err


def test_show_hands_out_the_public_half(web: Desk) -> None:
    public = " ".join((web.keys / "dave.pub").read_text().split()[:2])
    said = web.tnet("key", "show", by="dave")
    assert said.out.splitlines()[0] == public
    assert "dave (tenant acme)" in said.out
    shown = web.tnet("key", "show", "-o", "json", by="dave").json
    assert (shown["public_key"], shown["chosen_by"]) == (public, "--key")
    assert shown["use_as"] == str(web.keys / "dave")


def test_show_without_a_key_says_what_to_do(desk: Desk) -> None:
    said = desk.tnet("key", "show", code=1)
    assert "there is no key to sign with" in said.err
    assert "tnet key new" in said.err


def test_no_private_key_is_ever_shown(web: Desk) -> None:
    secret = "".join((web.keys / "dave").read_text().split("\n")[1:-2])
    for words in (("key", "show"), ("key", "setup"), ("key", "setup", "-o", "json")):
        said = web.tnet(*words, by="dave")
        assert secret[:40] not in said.out + said.err
    said = web.tnet("key", "list")
    assert secret[:40] not in said.out + said.err


def test_on_a_terminal_ssh_keygen_asks_for_the_passphrase_itself(desk: Desk, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler.cli.main", "key", "new", str(tmp_path / "k")]
    code = on_a_terminal(command, answers=[b"correct horse\n", b"correct horse\n"])
    assert code == 0
    assert can_read(tmp_path / "k", "correct horse")
    assert not can_read(tmp_path / "k", "")


def on_a_terminal(command: list[str], answers: list[bytes], deadline_s: float = 30) -> int:
    """Runs a program with a terminal of its own, and types an answer after each prompt for a passphrase."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(Path(__file__).parents[3])
        os.execvp(command[0], command)
    try:
        said, until = b"", time.monotonic() + deadline_s
        while time.monotonic() < until and (more := _heard(terminal, until)):
            said += more
            if said.rstrip().endswith(b":") and answers:
                os.write(terminal, answers.pop(0))
                said = b""
        if time.monotonic() >= until:
            os.kill(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        os.close(terminal)


def _heard(terminal: int, until: float) -> bytes:
    """What is printed next; nothing at the program's end (Linux says EIO) or after the deadline."""
    if not select.select([terminal], [], [], max(0.0, until - time.monotonic()))[0]:
        return b""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def can_read(private: Path, passphrase: str) -> bool:
    command = ["ssh-keygen", "-y", "-P", passphrase, "-f", str(private)]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def test_an_agent_that_hangs_is_given_up(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "agent"))
        silent.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        monkeypatch.setattr(key_search, "AGENT_TIMEOUT_S", 0.3)
        assert "the ssh-agent has not answered" in desk.tnet("key", "list", code=1).err


def test_an_agent_that_is_gone_holds_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent")
    home_key(desk, "id_ed25519")
    (each,) = desk.tnet("key", "list", "-o", "json").json
    assert each["found_in"] == [str(desk.keys.parent / ".ssh" / "id_ed25519.pub")]


def test_the_shell_completes_the_keys_at_hand(desk: Desk) -> None:
    private = home_key(desk, "id_ed25519")
    home_key(desk, "token").unlink()
    completer = ShellComplete(cli, {}, "tnet", "_TNET_COMPLETE")
    offered = [item.value for item in completer.get_completions(["key", "setup", "--key"], "")]
    assert offered == [str(private), str(private.with_name("token.pub"))]
    assert [item.type for item in completer.get_completions(["commit", "--key"], "./k")] == ["file"]


def test_a_security_key_that_is_not_plugged_in_makes_no_key(desk: Desk, tmp_path: Path) -> None:
    words = ("key", "new", str(tmp_path / "k"), "--type", "ed25519-sk", "--no-passphrase")
    assert "is the security key plugged in?" in desk.tnet(*words, code=1).err
    assert not (tmp_path / "k").exists()


def test_what_git_names_and_is_no_ssh_key_is_said(desk: Desk) -> None:
    home_key(desk, "id_ed25519")
    desk.git("config", "user.signingkey", "3AA5C34371567BD2")
    said = desk.tnet("key", "list")
    assert "no key signs now: git config user.signingkey names 3AA5C34371567BD2, which is neither" in said.err
    assert said.out.startswith("  SHA256:"), "and no star"


def test_a_key_may_be_named_from_the_home_directory(desk: Desk) -> None:
    private = home_key(desk, "id_ed25519")
    desk.git("config", "user.signingkey", "~/.ssh/id_ed25519")
    (each,) = desk.tnet("key", "list", "-o", "json").json
    assert each["signs_now"] and each["use_as"] == str(private)


def test_a_damaged_record_of_the_setup_is_not_believed(web: Desk) -> None:
    web.tnet("key", "setup", by="dave")
    (web.root / ".git" / "tnet" / "key-setup.json").write_text("{")
    before = settings(web)
    said = web.tnet("key", "setup", "--undo", code=1)
    assert "key-setup.json: can't be read" in said.err
    assert settings(web) == before


def test_a_key_whose_private_half_is_elsewhere_is_listed_as_such(desk: Desk) -> None:
    home_key(desk, "id_ed25519").unlink()
    assert "its private half is not here" in desk.tnet("key", "list").out


def test_git_knows_somebody_with_two_roles(desk: Desk) -> None:
    desk.tnet("farm", "add", "nice", "--farmer", f"alice={desk.keys}/alice.pub", by="alice")
    desk.tnet("key", "setup", by="alice")
    assert desk.git("log", "-1", "--format=%G? %GS").startswith("G alice@")
    assert "alice@nice.farm,alice@root" in (desk.root / ".git" / "tnet" / "allowed_signers").read_text()
