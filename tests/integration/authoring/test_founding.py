"""Starting a ledger, and writing farms, nodes and tenants into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.authoring.desk import Desk, git, make_key

TENANT = "tenants/in/initech/tenant.yaml"


def test_init_prints_what_nodes_and_people_have_to_be_told(desk: Desk, tmp_path: Path) -> None:
    said = desk.tnet("init", str(tmp_path / "new"), by="alice")
    anchor = git(tmp_path / "new", "rev-parse", "HEAD")
    assert f"  anchor    {anchor}" in said.out.splitlines()
    assert re.search(r"  root key  SHA256:[A-Za-z0-9+/]{43}\n", said.out)
    assert f"--anchor {anchor} --root-key SHA256:" in said.out
    assert git(tmp_path / "new", "config", "tnet.anchor") == anchor
    assert git(tmp_path / "new", "status", "--porcelain") == ""
    assert git(tmp_path / "new", "branch", "--show-current") == "main"
    assert (tmp_path / "new/schema/network.schema.json").is_file()


def test_init_with_several_roots(desk: Desk, tmp_path: Path) -> None:
    roots = [word for who in ("alice", "bob") for word in ("--root", f"{who}={desk.keys}/{who}.pub")]
    said = desk.tnet("init", str(tmp_path / "new"), *roots, "--threshold", "2", "-o", "json", by="bob").json
    assert len(said["root_keys"]) == 2
    assert "threshold: 2" in (tmp_path / "new/trust/policy.yaml").read_text()


def test_init_leaves_nothing_behind_when_it_fails(desk: Desk, tmp_path: Path) -> None:
    new = tmp_path / "new"
    make_key(desk.keys / "locked", passphrase="correct horse")
    desk.tnet("init", str(new), by="locked", code=1)
    assert not new.exists()
    new.mkdir()
    root = f"alice={desk.keys}/alice.pub"
    assert "none of the roots you named" in desk.tnet("init", str(new), "--root", root, by="bob", code=1).err
    desk.tnet("init", str(new), by="locked", code=1)
    assert list(new.iterdir()) == []
    (new / "precious").write_text("mine")
    assert "is not empty" in desk.tnet("init", str(new), by="alice", code=1).err
    assert (new / "precious").read_text() == "mine"


def test_trust_pins_what_the_history_leads_to_and_nothing_else(desk: Desk, tmp_path: Path) -> None:
    anchor, root = desk.git("config", "tnet.anchor"), desk.git("config", "tnet.rootKey")
    git(tmp_path, "clone", "-q", str(desk.root), "clone")
    desk.go(tmp_path / "clone")
    refused = desk.tnet("log", code=1)
    assert "has no anchor" in refused.err
    assert "tnet trust --anchor" in refused.err
    for wrong in (
        ("--anchor", "0" * 40, "--root-key", root),
        ("--anchor", anchor, "--root-key", "SHA256:" + "A" * 43),
        ("--anchor", "main", "--root-key", root),
    ):
        desk.tnet("trust", *wrong, code=1)
        desk.tnet("log", code=1)
    assert "trusts anchor" in desk.tnet("trust", "--anchor", anchor, "--root-key", root).out
    assert "REJECTED" not in desk.tnet("log").out


def test_trust_in_a_repository_without_commits(desk: Desk, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    desk.go(tmp_path / "empty")
    pins = ("--anchor", "0" * 40, "--root-key", "SHA256:" + "A" * 43)
    assert "there is no commit yet" in desk.tnet("trust", *pins, code=1).err


def test_a_clone_that_can_not_be_written_says_so(desk: Desk) -> None:
    pins = ("--anchor", desk.git("config", "tnet.anchor"), "--root-key", desk.git("config", "tnet.rootKey"))
    (desk.root / ".git/config.lock").touch()  # as another git leaves it that died, or works
    assert "the anchor can't be pinned: error: could not lock" in desk.tnet("trust", *pins, code=1).err


def test_only_root_adds_farms(desk: Desk) -> None:
    before = desk.snapshot()
    words = ("farm", "add", "nice", "--farmer", f"bob={desk.keys}/bob.pub")
    assert "not-authorized" in desk.tnet(*words, by="bob", code=1).err
    assert desk.snapshot() == before
    assert "signed by alice (root)" in desk.tnet(*words, by="alice").out
    assert "there is a farm nice already" in desk.tnet(*words, by="alice", code=1).err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--farmer", "bob"), 64, "is not NAME=FILE.pub"),
        (("--farmer", "bob=/nowhere.pub"), 64, "/nowhere.pub: No such file"),
        (("--farmer", "bob=notes"), 1, "notes: this is not an OpenSSH public key"),
        (("--farmer", "bob=ssh-dss AAAAB3NzaC1kc3MAAACB"), 1, "the key"),
        (("--udp-ports", "51820"), 64, "is not FIRST:COUNT"),
        (("--udp-ports", "65000:1000"), 1, "the last port is 65535"),
        (("--fast", "10.0.0.1/24"), 1, "10.0.0.1/24"),
        (("--threshold", "2"), 1, "2 principals must sign"),
    ],
)
def test_a_farm_that_can_not_be(desk: Desk, words: tuple[str, ...], code: int, told: str) -> None:
    desk.write("notes", "no key\n")
    before = desk.snapshot()
    farmer = () if words[0] == "--farmer" else ("--farmer", f"bob={desk.keys}/bob.pub")
    said = desk.tnet("farm", "add", "nice", *farmer, *words, by="alice", code=code)
    assert told in said.err, said.err
    assert desk.snapshot() == before


def test_a_grant_is_changed_where_it_stands(desk: Desk) -> None:
    path = "farms/paris/grants/acme.yaml"
    desk.write(path, desk.read(path).replace("spec:\n", "spec:\n  # as agreed\n"))
    desk.tnet("commit", by="bob")
    desk.tnet("farm", "grant", "paris", "acme", "--max-resources", "3", "--node", "p1", by="bob")
    assert desk.read(path).endswith("spec:\n  # as agreed\n  maxResources: 3\n  nodes:\n    - p1\n")
    again = ("farm", "grant", "paris", "acme", "--max-resources", "3", "--node", "p1")
    assert "has this grant on paris already" in desk.tnet(*again, by="bob", code=1).err
    assert (
        "there is no farm nice"
        in desk.tnet("farm", "grant", "nice", "acme", "--max-resources", "3", by="bob", code=1).err
    )


def test_a_known_node_is_another_host_only_when_told(desk: Desk) -> None:
    home = desk.root.parent
    assert (
        "says this already"
        in desk.tnet("node", "add", "paris/p1", "--from", str(home / "paris-p1.yaml"), by="bob", code=1).err
    )
    other = home / "other.yaml"
    other.write_text((home / "paris-p2.yaml").read_text().replace("name: p2", "name: p1"))
    said = desk.tnet("node", "add", "paris/p1", "--from", str(other), by="bob", code=1)
    assert "paris/p1 is another host" in said.err
    assert "--replace" in said.err
    said = desk.tnet("node", "add", "paris/p1", "--from", str(other), "--replace", by="bob", code=1)
    assert "is already that of" in said.err  # the unique id is p2's


def test_a_node_under_another_name_than_its_own(desk: Desk) -> None:
    home = desk.root.parent
    said = desk.tnet("node", "add", "paris/p7", "--from", str(home / "paris-p1.yaml"), by="bob", code=1)
    assert f"{home}/paris-p1.yaml:4:9: the name is `p1`" in said.err
    assert "tnet node init paris/p7" in said.err


def test_a_file_that_describes_no_node_is_named_as_it_was_given(desk: Desk) -> None:
    file = desk.root.parent / "empty.yaml"
    for content in (b"", b"ssh-ed25519 AAAA\n", b"\xff\xfe"):
        file.write_bytes(content)
        said = desk.tnet("node", "add", "paris/p7", "--from", str(file), by="bob", code=1)
        assert f"{file}:1:1: " in said.err
        assert "tnet node init paris/p7" in said.err


def test_a_grant_for_nobody_says_so(desk: Desk) -> None:
    words = ("farm", "grant", "paris", "acmee", "--max-resources", "1")
    assert "there is no tenant acmee yet" in desk.tnet(*words, by="bob").out


def prove(desk: Desk, person: str, tenant: str = "initech") -> Path:
    file = desk.root.parent / f"{tenant}-{person}.proof"
    said = desk.tnet("tenant", "prove", tenant, "--principal", person, by=person)
    assert f"tnet tenant add {tenant}" in said.err
    file.write_text(said.out)
    return file


def test_two_people_and_two_keys_of_one_make_a_tenant(desk: Desk) -> None:
    make_key(desk.keys / "frank")
    make_key(desk.keys / "grace")
    make_key(desk.keys / "laptop")
    second = prove(desk, "laptop")
    second.write_text(second.read_text().replace("principal: laptop", "principal: frank"))
    proofs = [prove(desk, "frank"), prove(desk, "grace"), second]
    words = [word for proof in proofs for word in ("--proof", str(proof))]
    desk.tnet("tenant", "add", "initech", *words, "--threshold", "2", by="alice")
    text = desk.read(TENANT)
    assert re.findall(r"- name: (\w+)", text) == ["frank", "grace"]
    assert "threshold: 2" in text
    desk.tnet("farm", "grant", "paris", "initech", "--max-resources", "1", by="bob")
    said = desk.tnet("network", "create", "initech/net", by="frank", code=1)
    assert "threshold" in said.err


def test_a_proof_has_to_be_for_this_tenant_and_by_this_key(desk: Desk) -> None:
    make_key(desk.keys / "frank")
    good = prove(desk, "frank").read_text()
    before = desk.snapshot()
    for text, told in (
        (prove(desk, "frank", "umbrella").read_text(), "this proof is for tenant umbrella"),
        (prove(desk, "frank", "umbrella").read_text().replace("umbrella", "initech"), "doesn't hold"),
        (good.replace(good.split()[5], "A" * 68), "another key"),
        (good.replace("signature: U", "signature: V"), "doesn't hold"),
        (good + "more: 1\n", "this is not a proof"),
        ("nonsense\n", "this is not a proof"),
        ("", "this is not a proof"),
    ):
        file = desk.root.parent / "bad.proof"
        file.write_text(text)
        said = desk.tnet("tenant", "add", "initech", "--proof", str(file), by="alice", code=1)
        assert told in said.err, said.err
        assert "tnet tenant prove" in said.err or told.startswith("this proof is for")
    assert desk.snapshot() == before


def test_a_node_s_configuration_is_written_once_and_right(desk: Desk, tmp_path: Path) -> None:
    anchor, root = desk.git("config", "tnet.anchor"), desk.git("config", "tnet.rootKey")
    file = tmp_path / "etc/agent.yaml"
    words = ("node", "config", "paris/p1", "--anchor", anchor, "--root-key", root, "--file", str(file))
    assert "this host is paris/p1" in desk.tnet(*words, "--remote", "/srv/ledger.git").out
    desk.tnet(*words, "--remote", "/srv/ledger.git")
    assert "says something else already" in desk.tnet(*words, "--remote", "/elsewhere", code=1).err
    desk.tnet(*words, "--remote", "/elsewhere", "--force")
    assert "remote: /elsewhere\n" in file.read_text()
    bad = ("node", "config", "paris/p1", "--remote", "x", "--anchor", "HEAD", "--root-key", root)
    assert "is not a commit's full id" in desk.tnet(*bad, "--file", str(file), "--force", code=1).err
    assert "remote: /elsewhere\n" in file.read_text()
    assert [entry.name for entry in file.parent.iterdir()] == ["agent.yaml"]
