"""`tnet ledger`: purchases as people see them, in a clone and in files."""

from __future__ import annotations

import csv
import io

import pytest

from tests.integration.authoring.desk import WEB, Desk


@pytest.fixture
def bought(web: Desk) -> Desk:
    """acme has web on paris/p1, then also on lyon/l1, then no longer on paris/p1."""
    web.tnet("network", "add-node", "acme/web", "lyon/l1", by="dave")
    web.tnet("network", "remove-node", "acme/web", "paris/p1", by="dave")
    return web


def position(desk: Desk) -> int:
    return int(desk.tnet("log", "-n", "1", "-o", "json").json[0]["position"])


def happened(desk: Desk, *words: str) -> list[tuple[str, str, list[str]]]:
    listed = desk.tnet("ledger", *words, "-o", "json").json["events"]
    return [(each["event"], each["network"], each["nodes"]) for each in listed]


def test_purchases_extensions_and_cancellations_are_listed(bought: Desk) -> None:
    listed = happened(bought, "--tenant", "acme", "--from", "HEAD~3")
    assert [each for each in listed if each[0] != "change"] == [
        ("purchase", "web", ["paris/p1"]),
        ("purchase", "web", ["lyon/l1"]),
        ("cancellation", "web", ["paris/p1"]),
    ]
    said = bought.tnet("ledger", "--tenant", "acme", "--from", "HEAD~1").out
    assert "cancellation" in said and "signed by dave (tenant acme)" in said


def test_the_sellers_half_is_listed(bought: Desk) -> None:
    listed = bought.tnet("ledger", "--farm", "lyon", "-o", "json").json["events"]
    grants = [each for each in listed if each["event"] == "grant"]
    assert [(each["tenant"], each["detail"]) for each in grants] == [
        ("acme", "at most 10 NRs"),
        ("globex", "at most 10 NRs"),
    ]
    assert all(each["signers"][0]["role"] == "farm lyon" for each in grants)


def test_every_resource_has_a_beginning_and_an_end(bought: Desk) -> None:
    last = position(bought)
    listed = bought.tnet("ledger", "--held", "-o", "json").json["resources"]
    spans = {each["node"]: (each["from_position"], each["to_position"]) for each in listed}
    assert spans == {"paris/p1": (last - 2, last), "lyon/l1": (last - 1, None)}
    assert {each["to_commit"] for each in listed} == {bought.git("rev-parse", "HEAD"), None}
    assert [each["node"] for each in _held(bought, "--from", "HEAD")] == ["lyon/l1"]
    assert [each["node"] for each in _held(bought, "--to", "HEAD~2")] == ["paris/p1"]


def _held(desk: Desk, *words: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = desk.tnet("ledger", "--held", *words, "-o", "json").json["resources"]
    return found


def test_sums_count_resources_by_transactions(bought: Desk) -> None:
    for subject in range(3):
        bought.git(
            "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", f"{subject}"
        )
    sums = bought.tnet("ledger", "--sum", "--from", "HEAD~6", "-o", "json").json["sums"]
    assert [
        (each["farm"], each["nrs_at_start"], each["nrs_at_end"], each["nrs_at_most"], each["nr_transactions"])
        for each in sums
    ] == [("lyon", 0, 1, 1, 4), ("paris", 0, 0, 1, 2)]


def test_a_farmer_who_takes_the_node_away_suspends(bought: Desk) -> None:
    bought.tnet("farm", "revoke-grant", "lyon", "acme", by="chloe")
    bought.git(
        "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "time goes by"
    )
    events = bought.tnet("ledger", "--from", "HEAD~2", "-o", "json").json["events"]
    assert [each["event"] for each in events] == ["grant-removal", "suspension"]
    assert events[1]["detail"].startswith("NotGranted")
    assert events[1]["signers"][0]["principal"] == "chloe"
    row = bought.tnet("ledger", "--sum", "--from", "HEAD~2", "--farm", "lyon", "-o", "json").json["sums"][0]
    assert (row["nr_transactions"], row["nr_transactions_suspended"]) == (2, 1)


def test_csv_has_a_row_a_resource_and_no_formulas(bought: Desk) -> None:
    bought.write(WEB, bought.read(WEB).replace("  name: web\n", "  name: web\n  description: x\n"))
    bought.tnet("commit", by="dave")
    for words, columns in ((), 11), (("--held",), 12), (("--sum",), 9):
        text = bought.tnet("ledger", *words, "-o", "csv").out
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert {len(row) for row in rows} == {columns}
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    rows = list(csv.DictReader(io.StringIO(bought.tnet("ledger", "--tenant", "acme", "-o", "csv").out)))
    assert rows[-1]["event"] == "change" and rows[-1]["detail"] == "description"
    assert {row["node"] for row in rows if row["event"] == "purchase"} == {"paris/p1", "lyon/l1"}


def test_nothing_to_tell_is_a_heading_and_no_rows(desk: Desk) -> None:
    assert desk.tnet("ledger", "--held", "-o", "csv").out.count("\n") == 1
    assert desk.tnet("ledger", "--held", "-o", "json").json["resources"] == []


def test_a_rejected_commit_changes_nothing(bought: Desk) -> None:
    before = [bought.tnet("ledger", *words, "-o", "csv").out for words in ((), ("--held",))]
    bought.tnet("network", "delete", "acme/web", "--force", by="erin")
    assert [bought.tnet("ledger", *words, "-o", "csv").out for words in ((), ("--held",))] == before


def test_a_period_that_ends_before_it_begins_is_wrong_usage(bought: Desk) -> None:
    assert "--from is position" in bought.tnet("ledger", "--from", "5", "--to", "2", code=64).err
    bought.tnet("ledger", "--held", "--sum", code=64)
