"""A ledger with two farms and two tenants, founded once by the commands and copied for each test."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.authoring.document_text import new_text
from reconciler.authoring.signing_key import SigningKey
from reconciler.authoring.tenant_proof import proof_text, prove
from reconciler.cli.main import main
from reconciler.host.identity import Identity
from reconciler.model.documents import FastPort, Metadata, Node, NodeSpec
from reconciler.model.paths import node_ref_path
from tests.integration.authoring.desk import PEOPLE, Desk, clean_environment, make_key


def public(address: str, fast: str | None = None) -> dict[str, Any]:
    port = FastPort(nic="eth1", address=fast) if fast else None
    return {"reachability": "public", "endpoints": (address,), "fast": port}


NODES: dict[str, dict[str, Any]] = {
    "paris/p1": public("203.0.113.1", fast="10.99.0.1"),
    "paris/p2": public("203.0.113.2", fast="10.99.0.2"),
    "lyon/l1": public("203.0.113.3"),
    "lyon/l2": {"reachability": "hidden"},
    "lyon/l3": {"reachability": "hidden"},
}


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `ledger/`, `keys/` (a pair for each person), and what hosts and tenants handed on."""
    home = tmp_path_factory.mktemp("founded")
    with pytest.MonkeyPatch.context() as monkeypatch:
        clean_environment(monkeypatch, home)
        _found(home, monkeypatch)
    return home


def _found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, ledger = home / "keys", home / "ledger"
    keys.mkdir()
    for person in PEOPLE:
        make_key(keys / person)

    def run(*words: str, by: str) -> None:
        assert main([*words, "--key", str(keys / by)]) == 0

    run("init", str(ledger), "--name", "alice", by="alice")
    monkeypatch.chdir(ledger)
    run("farm", "add", "paris", "--farmer", f"bob={keys}/bob.pub", "--fast", "10.99.0.0/24", by="alice")
    run(
        "farm",
        "add",
        "lyon",
        "--farmer",
        f"chloe={keys}/chloe.pub",
        "--reserved",
        "192.168.77.0/24",
        by="alice",
    )
    for node, facts in NODES.items():
        described = home / f"{node.replace('/', '-')}.yaml"
        _describe(node, facts, home / "state" / node, described)
        run("node", "add", node, "--from", str(described), by="bob" if node.startswith("paris") else "chloe")
    for tenant, person in (("acme", "dave"), ("globex", "erin")):
        proof = home / f"{tenant}.proof"
        proof.write_text(proof_text(tenant, prove(tenant, person, SigningKey(str(keys / person)))))
        run("tenant", "add", tenant, "--proof", str(proof), by="alice")
        run("farm", "grant", "paris", tenant, "--max-resources", "10", by="bob")
        run("farm", "grant", "lyon", tenant, "--max-resources", "10", by="chloe")


def _describe(node: str, facts: dict[str, Any], state: Path, file: Path) -> None:
    """What `tnet node init` prints on a host (which needs a host to be tested on: see test_node_init)."""
    identity = Identity.create(state)
    spec = NodeSpec(id=identity.node_id, uplink="eth0", sealing_keys=identity.public_keys(), **facts)
    name = node.split("/")[1]
    document = Node(api_version="tnet/v1", metadata=Metadata(name=name), spec=spec)
    file.write_bytes(new_text(node_ref_path(node), document))


@pytest.fixture
def desk(
    founded: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """A fresh clone of the founded ledger, with everybody's keys at hand."""
    home = tmp_path / "home"
    shutil.copytree(founded, home)
    clean_environment(monkeypatch, home)
    made = Desk(home / "ledger", home / "keys", capsys, monkeypatch)
    made.go(made.root)
    yield made


@pytest.fixture
def web(desk: Desk) -> Desk:
    """The desk after acme has bought its network `web` on paris/p1."""
    desk.tnet("network", "create", "acme/web", "--node", "paris/p1", by="dave")
    return desk


@pytest.fixture
def agent(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real ssh-agent, ended with the test."""
    socket = tmp_path / "agent.sock"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    try:
        # `ssh-add -l` waits for nothing: it fails until the agent listens (2), then lists nothing (1).
        while subprocess.run(["ssh-add", "-l"], capture_output=True).returncode == 2:
            assert process.poll() is None, "the agent ended"
        yield
    finally:
        process.terminate()
        process.wait()
