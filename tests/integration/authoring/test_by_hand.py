"""README's tutorial, typed as it stands: from `tnet init` to a ping between two hosts, and back."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.integration.authoring.desk import Desk, clean_environment, git, make_key
from tests.integration.authoring.hosts import Host, two_hosts

TNET = (sys.executable, "-m", "reconciler.cli.main")


class Town:
    """Three people with their clones, two hosts, and the remote between them."""

    def __init__(self, desk: Desk, home: Path, hosts: tuple[Host, Host]) -> None:
        self.desk, self.home, self.hosts = desk, home, hosts
        self.remote = home / "ledger.git"
        self.anchor = self.root_key = ""

    def found(self) -> None:
        self.desk.tnet("init", str(self.home / "alice"), "--name", "alice", by="alice")
        self.anchor = git(self.home / "alice", "config", "tnet.anchor")
        self.root_key = git(self.home / "alice", "config", "tnet.rootKey")
        git(self.home, "init", "-q", "--bare", "-b", "main", str(self.remote))
        git(self.home / "alice", "remote", "add", "origin", str(self.remote))
        git(self.home / "alice", "push", "-q", "-u", "origin", "main")

    def clone(self, person: str) -> None:
        git(self.home, "clone", "-q", str(self.remote), person)
        self.desk.go(self.home / person)
        self.desk.tnet("trust", "--anchor", self.anchor, "--root-key", self.root_key)

    def sign(self, person: str, *words: str) -> str:
        """The person pulls, edits and pushes."""
        self.desk.go(self.home / person)
        self.desk.git("pull", "-q")
        said = self.desk.tnet(*words, by=person)
        self.desk.git("push", "-q")
        return said.out


@pytest.fixture
def town(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Town:
    clean_environment(monkeypatch, tmp_path)
    (tmp_path / "keys").mkdir()
    for person in ("alice", "bob", "dave"):
        make_key(tmp_path / "keys" / person)
    desk = Desk(tmp_path, tmp_path / "keys", capsys, monkeypatch)
    return Town(desk, tmp_path, ())  # type: ignore[arg-type]  # the test brings the hosts


def test_from_an_empty_directory_to_a_ping_and_back(town: Town) -> None:
    with two_hosts(town.home) as hosts:
        town.hosts = hosts
        write_the_ledger(town)
        addresses = [converge_and_attach(town, host) for host in hosts]
        hosts[0].run("ip", "netns", "exec", "web", "ping", "-c", "3", "-i", "0.2", "-W", "5", addresses[1])
        town.sign("dave", "rollback", "HEAD")
        for host in hosts:
            everything_is_gone(host)


def write_the_ledger(town: Town) -> None:
    town.found()
    town.sign("alice", "farm", "add", "paris", "--farmer", f"bob={town.home}/keys/bob.pub")
    town.clone("bob")
    for number, host in enumerate(town.hosts, start=1):
        described = host.run(
            *TNET,
            *("node", "init", f"paris/{host.name}", "--endpoint", f"203.0.113.{number}"),
            *("--state-dir", str(host.state)),
        )
        assert "uplink: eth0" in described
        (town.home / f"{host.name}.yaml").write_text(described)
        town.sign("bob", "node", "add", f"paris/{host.name}", "--from", str(town.home / f"{host.name}.yaml"))
    proof = town.desk.tnet("tenant", "prove", "acme", "--principal", "dave", by="dave").out
    (town.home / "dave.proof").write_text(proof)
    town.sign("alice", "tenant", "add", "acme", "--proof", str(town.home / "dave.proof"))
    town.sign("bob", "farm", "grant", "paris", "acme", "--max-resources", "10")
    town.clone("dave")
    town.sign("dave", "network", "create", "acme/web", "--node", "paris/h1", "--node", "paris/h2")


def converge_and_attach(town: Town, host: Host) -> str:
    """Bring the host up to the ledger, plug a namespace in, and return its IPv4 address."""
    host.run(
        *TNET,
        *("node", "config", f"paris/{host.name}", "--remote", str(town.remote)),
        *("--anchor", town.anchor, "--root-key", town.root_key),
        *("--file", str(host.config), "--state-dir", str(host.state)),
    )
    assert "wireguard-peer" in host.run(*TNET, "plan", code=2)
    host.run(*TNET, "apply")
    assert "Nothing to do" in host.run(*TNET, "plan")
    host.run("ip", "netns", "add", "web")
    attached = host.run(*TNET, "attach", "acme/web", "web")
    found = re.match(r"\d+\.\d+\.\d+\.\d+", attached)
    assert found
    return found[0]


def everything_is_gone(host: Host) -> None:
    host.run(*TNET, "detach", "acme/web", "web")
    host.run(*TNET, "plan", code=2)
    host.run(*TNET, "apply")
    names = {entry["name"] for entry in json.loads(host.run("ip", "-j", "netns") or "[]")}
    assert names == {"web", "tnet-nat"}
