"""A tenant buys, extends, shrinks and gives up a network, and reads what was done."""

from __future__ import annotations

import re

import pytest

from tests.integration.authoring.desk import WEB, Desk


def test_create_says_what_it_chose_and_what_to_do_next(desk: Desk) -> None:
    said = desk.tnet("network", "create", "acme/web", "--node", "paris/p1", "--node", "lyon/l1", by="dave")
    lines = said.out.splitlines()
    assert re.fullmatch(r"[0-9a-f]{12}  network acme/web: create", lines[0])
    assert lines[1:3] == ["  signed by dave (tenant acme)", f"  {WEB}"]
    assert re.fullmatch(r"  ranges: 10\.\d+\.0\.0/16, fd[0-9a-f:]+::/48", lines[3])
    assert lines[4:] == [
        "  paris/p1: index 1, slot 1",
        "  lyon/l1: index 2, slot 1",
        "next: push it, and every node picks it up: git push",
    ]
    assert desk.git("status", "--porcelain") == ""
    assert desk.tnet("check", "HEAD~1..").out.endswith("1 transaction, all accepted\n")


def test_two_tenants_on_one_node_get_different_slots_and_vnis(web: Desk) -> None:
    web.tnet("network", "create", "globex/shop", "--node", "paris/p1", by="erin")
    shop = web.read("tenants/gl/globex/networks/shop.yaml")
    assert "slot: 2" in shop
    assert "paris: 4098" in shop
    assert "slot: 1" in web.read(WEB)
    assert "paris: 4097" in web.read(WEB)


def test_two_tenants_may_use_the_same_range(web: Desk) -> None:
    chosen = re.search(r"ipv4: (\S+)", web.read(WEB))
    assert chosen
    web.tnet("network", "create", "globex/shop", "--node", "paris/p1", "--ipv4", chosen[1], by="erin")


def test_comments_and_order_of_the_author_are_kept(web: Desk) -> None:
    text = web.read(WEB)
    text = text.replace("spec:\n", "spec:\n  # chosen by fair dice\n").replace(
        "    - node: paris/p1\n", "    # our first\n    - node: paris/p1   # main\n"
    )
    web.write(WEB, text + "# the end\n")
    web.tnet("commit", by="dave")
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    difference = web.git("diff", "--unified=0", "HEAD~1", "--", WEB).splitlines()
    assert not [line for line in difference if line.startswith("-") and not line.startswith("---")]
    web.tnet("network", "remove-node", "acme/web", "lyon/l1", by="dave")
    assert web.read(WEB) == text + "# the end\n"


def test_an_index_is_not_used_again_at_once(web: Desk) -> None:
    web.tnet("network", "add-node", "acme/web", "paris/p2", by="dave")
    web.tnet("network", "remove-node", "acme/web", "paris/p1", by="dave")
    said = web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    assert "lyon/l1: index 3, slot 1" in said.out


def test_the_second_hidden_node_brings_a_relay(web: Desk) -> None:
    first = web.tnet("network", "add-node", "acme/web", "lyon/l2", by="dave")
    assert "relays" not in first.out
    second = web.tnet("network", "add-node", "acme/web", "lyon/l3", by="dave")
    assert "  relays: paris/p1" in second.out.splitlines()
    gone = web.tnet("network", "remove-node", "acme/web", "paris/p1", by="dave")
    assert "it was a relay" in gone.out


def test_a_hidden_node_can_not_be_a_relay(web: Desk) -> None:
    said = web.tnet("network", "add-node", "acme/web", "lyon/l2", "--relay", by="dave", code=1)
    assert "lyon/l2 can't be a relay: it is hidden" in said.err


@pytest.mark.rule(24)
def test_reseal_changes_every_key_and_nothing_else(web: Desk) -> None:
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    web.tnet("network", "reseal", "acme/web", by="dave")
    changed = {
        line[1:].strip().partition(":")[0]
        for line in web.git("diff", "--unified=0", "HEAD~1", "--", WEB).splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    }
    assert changed == {"publicKey", "ciphertext"}


def test_private_keys_are_nowhere_in_the_repository(web: Desk) -> None:
    assert "PRIVATE" not in web.git("log", "-p", "--all")


def test_delete_and_bring_back_with_the_same_keys(web: Desk) -> None:
    before = web.read(WEB)
    web.tnet("network", "delete", "acme/web", by="dave")
    assert not (web.root / WEB).exists()
    assert not (web.root / "tenants/ac/acme/networks").exists()
    web.tnet("rollback", "HEAD", by="dave")
    assert web.read(WEB) == before


def test_dry_run_shows_the_difference_and_changes_nothing(web: Desk) -> None:
    before = web.snapshot()
    said = web.tnet("network", "add-node", "acme/web", "lyon/l1", "--dry-run")
    assert "+    - node: lyon/l1" in said.out
    assert web.snapshot() == before


def test_dry_run_says_what_nodes_would_reject(web: Desk) -> None:
    (web.root / "farms/lyon/grants/acme.yaml").unlink()
    web.tnet("commit", by="chloe")
    before = web.snapshot()
    said = web.tnet("network", "add-node", "acme/web", "lyon/l1", "--dry-run", code=1)
    assert "+    - node: lyon/l1" in said.out
    assert "the farm `lyon` grants `acme` nothing" in said.err
    assert web.snapshot() == before


def test_json_for_programs(web: Desk) -> None:
    said = web.tnet("network", "add-node", "acme/web", "lyon/l1", "-o", "json", by="dave").json
    assert said["commit"] == web.git("rev-parse", "HEAD")
    assert (said["accepted"], said["signers"], said["paths"]) == (True, ["dave (tenant acme)"], [WEB])


def test_what_can_not_be_leaves_everything_as_it_was(web: Desk) -> None:
    before = web.snapshot()
    for words, message, advice in (
        (("create", "acme/web"), "there is a network acme/web already", "choose another name"),
        (("create", "nobody/web"), "there is no tenant nobody", "root adds it"),
        (("create", "acme/x", "--node", "paris/p9"), "there is no node paris/p9", "name it FARM/NODE"),
        (("create", "acme/x", "--ipv4", "10.0.0.1/16"), "10.0.0.1/16", ""),
        (("create", "acme/x", "--ipv4", "8.8.0.0/16"), "8.8.0.0/16", ""),
        (
            ("create", "acme/x", "--node", "paris/p1", "--ipv4", "10.300.0.0/16"),
            "is no IP prefix",
            "Write it",
        ),
        (
            ("create", "acme/x", "--node", "paris/p1", "--ipv4", "10.3.0.1/16"),
            "bits set behind",
            "Write 10.3.0.0",
        ),
        (("create", "acme/x", "--node", "paris/p1", "--ipv4", "10.3.0.0/25"), "10.3.0.0/25", ""),
        (("create", "acme/x", "--node", "paris/p1", "--ipv4", "fd00::/48"), "fd00::/48", ""),
        (("create", "acme/x", "--node", "paris/p1", "--relay", "lyon/l1"), "can't be a relay", ""),
        (("add-node", "acme/web", "paris/p1"), "has a resource on paris/p1 already", ""),
        (("add-node", "acme/db", "paris/p1"), "there is no network acme/db", "acme has: acme/web"),
        (("remove-node", "acme/web", "lyon/l1"), "has no resource on lyon/l1", "it has: paris/p1"),
        (("delete", "acme/db"), "there is no network acme/db", "acme has: acme/web"),
    ):
        said = web.tnet("network", *words, by="dave", code=1)
        assert message in said.err, said.err
        assert advice in said.err, said.err
        assert said.out == ""
    assert web.snapshot() == before


def test_a_farm_that_grants_nothing_is_said_so(web: Desk) -> None:
    (web.root / "farms/lyon/grants/acme.yaml").unlink()
    removed = web.tnet("commit", by="chloe").out
    assert "  Remove farms/lyon/grants/acme.yaml" in removed
    said = web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave", code=1)
    assert "the farm `lyon` grants `acme` nothing" in said.err
