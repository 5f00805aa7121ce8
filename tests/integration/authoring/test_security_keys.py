"""A person whose key is in a token: proven, written into the ledger, and signing plain git commits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.authoring.desk import Desk
from tests.integration.authoring.token_agent import token_agent
from tests.unit.ledger.authenticator import Token

TENANT = "tenants/in/initech/tenant.yaml"
MAKERS = {"ed25519-sk": Token.ed25519, "ecdsa-sk": Token.ecdsa}


@pytest.fixture(params=MAKERS)
def token(request: pytest.FixtureRequest) -> Token:
    maker: Callable[[], Token] = MAKERS[request.param]
    return maker()


def become_tenant(desk: Desk, token: Token, tmp_path: Path) -> None:
    """Frank proves that he holds the token, and root makes him the tenant initech."""
    (desk.keys / "frank.pub").write_text(token.public_text)
    proof = desk.tnet(
        "tenant", "prove", "initech", "--principal", "frank", "--key", str(desk.keys / "frank.pub")
    )
    (tmp_path / "proof").write_text(proof.out)
    desk.tnet("tenant", "add", "initech", "--proof", str(tmp_path / "proof"), by="alice")
    desk.tnet("farm", "grant", "paris", "initech", "--max-resources", "3", by="bob")


def test_a_tenant_with_a_security_key_buys_by_plain_git(
    desk: Desk, token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with token_agent(tmp_path / "agent", [token]):
        become_tenant(desk, token, tmp_path)
        said = desk.tnet("key", "setup", "--key", str(desk.keys / "frank.pub"))
        assert "frank (tenant initech)" in said.out
        assert "touch it" in desk.tnet("key", "show").out
        assert "signed by frank" in desk.tnet("network", "create", "initech/web", "--node", "paris/p1").out
        desk.write(TENANT, desk.read(TENANT) + "# by hand\n")
        desk.git("commit", "-qam", "By a token")
    verdicts = desk.tnet("check", "HEAD~2..HEAD", "-o", "json").json["transactions"]
    assert [verdict["accepted"] for verdict in verdicts] == [True, True]
    assert desk.git("log", "--format=%G? %GS", "-1") == "G frank@initech.tenant"


def test_a_token_that_nobody_touched_buys_nothing(
    desk: Desk, token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with token_agent(tmp_path / "agent", [token]):
        become_tenant(desk, token, tmp_path)
    (tmp_path / "agent").unlink()
    with token_agent(tmp_path / "agent", [token], touched=False):
        before = desk.snapshot()
        words = ("network", "create", "initech/web", "--node", "paris/p1")
        said = desk.tnet(*words, "--key", str(desk.keys / "frank.pub"), code=1)
    assert "the security key was not touched when it signed" in said.err
    assert "no-touch-required" in said.err
    assert desk.snapshot() == before


def test_tokens_in_an_agent_are_listed(
    desk: Desk, token: Token, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    with token_agent(tmp_path / "agent", [token]):
        (each,) = desk.tnet("key", "list", "-o", "json").json
    assert each["public_key"] == " ".join(token.public_text.split()[:2])
    assert (each["found_in"], each["comment"], each["accepted"]) == (["ssh-agent"], "a token", True)
