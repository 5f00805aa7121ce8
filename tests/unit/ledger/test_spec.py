"""The specification names every reason and alarm, and says of each reason what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.ledger import bounds, objects, sshsig
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import AlarmKind

PAGE = (Path(__file__).parents[3] / "docs" / "spec" / "ledger.md").read_text("utf-8")


def test_every_reason_is_in_the_table_and_nothing_else() -> None:
    section = PAGE.partition("## 11. Reasons")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (yes|no) \|", section, re.MULTILINE))
    assert rows == {reason.value: "yes" if reason.accepted else "no" for reason in Reason}


def test_every_rejection_has_an_advice() -> None:
    assert all(reason.advice for reason in Reason if not reason.accepted)


def test_every_rejection_is_said_where_it_is_given() -> None:
    rules = PAGE.partition("## 11. Reasons")[0]
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in rules] == ["anchor"]


def test_every_alarm_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## 6.")[2].partition("## 7.")[0], re.MULTILINE)
    assert rows == sorted(rows, key=rows.index)
    assert set(rows) == {kind.value for kind in AlarmKind}


def test_bounds_are_as_written() -> None:
    assert (bounds.MAX_PATHS, bounds.MAX_MERGED_COMMITS, bounds.MAX_MERGE_WORK) == (10_000, 10_000, 1_000_000)
    assert bounds.MAX_NEAREST_AUTHORS == 64
    assert (bounds.MAX_DOCUMENT_BYTES, objects.MAX_COMMIT_BYTES) == (256 << 10, 128 << 10)
    assert (objects.MAX_PARENTS, sshsig.MAX_ARMOR_BYTES) == (64, 16 << 10)
