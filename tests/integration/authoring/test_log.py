"""`tnet log`: which transactions it lists, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.authoring.desk import WEB, Desk

GLOBEX_SHOP = "tenants/gl/globex/networks/shop.yaml"


def subjects(desk: Desk, *words: str) -> list[str]:
    return [each["subject"] for each in desk.tnet("log", *words, "-o", "json").json]


@pytest.fixture
def busy(web: Desk) -> Desk:
    """acme and globex have bought, and somebody committed nonsense for acme."""
    web.tnet("network", "create", "globex/shop", "--node", "lyon/l1", by="erin")
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="erin", code=1)
    web.tnet("network", "add-node", "acme/web", "lyon/l1", "--force", by="erin")
    return web


def test_only_the_rejected(busy: Desk) -> None:
    assert subjects(busy, "--rejected") == ["network acme/web: add lyon/l1"]
    said = busy.tnet("log", "--rejected").out
    assert said.startswith("REJECTED")
    assert "not-authorized" in said


def test_only_what_touches_a_tenant(busy: Desk) -> None:
    assert subjects(busy, "--tenant", "globex")[0] == "network globex/shop: create"
    mentioned = busy.tnet("log", "--tenant", "globex", "-o", "json").json
    assert all(any("globex" in path for path in each["paths"]) for each in mentioned)
    assert any("farms/paris/grants/globex.yaml" in each["paths"] for each in mentioned)


def test_only_what_touches_a_farm_or_a_path(busy: Desk) -> None:
    assert all("lyon" in " ".join(each) for each in _paths(busy, "--farm", "lyon", "1.."))
    assert subjects(busy, "--path", WEB) == ["network acme/web: add lyon/l1", "network acme/web: create"]
    assert subjects(busy, "--path", "./tenants/gl/globex/networks/") == ["network globex/shop: create"]


def _paths(desk: Desk, *words: str) -> list[list[str]]:
    return [each["paths"] for each in desk.tnet("log", *words, "-o", "json").json]


def test_ranges_are_positions_or_commits(busy: Desk) -> None:
    everything = subjects(busy)
    assert subjects(busy, "0..") == everything[:-1]
    assert subjects(busy, "HEAD~2..") == everything[:2]
    assert subjects(busy, "1..3") == everything[-4:-2]
    assert subjects(busy, "3") == everything[-4:]
    assert subjects(busy, "..HEAD~1") == everything[1:]
    assert subjects(busy, "-n", "2", "HEAD~1") == everything[1:3]


def test_what_is_no_transaction_is_refused_with_advice(busy: Desk) -> None:
    said = busy.tnet("log", "9999..", code=1)
    assert "no transaction" in said.err
    assert "tnet log" in said.err


def test_a_name_that_isnt_there_is_told(web: Desk) -> None:
    for words in (("log", "--tenant", "amce"), ("ledger", "--tenant", "amce")):
        said = web.tnet(*words)
        assert "no tenant amce is in effect" in said.err
    assert "no farm pairs is in effect" in web.tnet("ledger", "--farm", "pairs", "-o", "csv").err


def test_a_recovery_is_marked(web: Desk) -> None:
    web.tnet("tenant", "recover", "acme", *_new_key(web, "chloe"), by="alice")
    said = web.tnet("log", "-n", "1").out
    assert said.startswith("RECOVERY")
    assert "without its owner's signature" in said
    assert web.tnet("log", "-n", "1", "-o", "json").json[0]["recovery"] is True


def _new_key(desk: Desk, person: str) -> tuple[str, ...]:
    """A proof by a key that the tenant hasn't used yet, as `tnet tenant prove` prints it."""
    proof = desk.root.parent / "recovered.proof"
    proof.write_text(desk.tnet("tenant", "prove", "acme", "--principal", person, by=person).out)
    return ("--proof", str(proof))


def test_a_node_tells_what_it_has_judged(web: Desk, tmp_path: Path) -> None:
    """The same list, from the clone that the node's agent keeps; nothing there is written."""
    config = node_config(web, tmp_path)
    chronicle = tmp_path / "state" / "ledger.git" / "tnet" / "chronicle.jsonl"
    before = chronicle.read_bytes()
    said = web.tnet("log", "--node", "--config", str(config), "-o", "json")
    assert said.json == web.tnet("log", "-o", "json").json
    assert chronicle.read_bytes() == before


def node_config(desk: Desk, tmp_path: Path) -> Path:
    """The configuration of a node that has fetched this ledger."""
    from reconciler.agent.assemble import ledger_config
    from reconciler.agent.config import load_config
    from reconciler.ledger.ledger import Ledger

    config = tmp_path / "agent.yaml"
    config.write_text(
        f"node: paris/p1\nremote: {desk.root}\nanchor: {desk.git('config', 'tnet.anchor')}\n"
        f"rootKeys: ['{desk.git('config', 'tnet.rootKey')}']\nstateDir: {tmp_path}/state\n"
        f"runDir: {tmp_path}/run\n"
    )
    ledger = Ledger(ledger_config(load_config(config)))
    try:
        assert ledger.sync().alarm is None
    finally:
        ledger.close()
    return config
