"""docs/spec/checkpoints.md says what the code does: names, their order, sizes, namespaces."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.ledger.chain import clone
from reconciler.ledger.checkpoints import checkpoint, checkpoint_branch, reanchor, state_file
from reconciler.ledger.checkpoints.checkpoint import Kind
from reconciler.ledger.signatures import signed_text
from reconciler.ledger.view import AlarmKind

PAGE = (Path(__file__).parents[3] / "docs" / "spec" / "checkpoints.md").read_text("utf-8")


def section(number: int) -> str:
    return PAGE.partition(f"## {number}. ")[2].partition("\n## ")[0]


def rows(number: int) -> dict[str, str]:
    """The first two columns of a section's table."""
    return dict(re.findall(r"^\| `([a-z]+)` \| ([^|]+?) \|", section(number), re.MULTILINE))


def test_a_checkpoints_fields_stand_in_this_order() -> None:
    listed = list(rows(2))
    assert list(checkpoint._FORMS[Kind.WITNESS]) == listed[:9]
    assert list(checkpoint._FORMS[Kind.SNAPSHOT]) == [*listed[:8], *listed[9:]]


def test_a_re_anchor_records_fields_stand_in_this_order() -> None:
    assert list(reanchor._FORMS) == list(rows(7))


@pytest.mark.parametrize(
    ("number", "title", "namespace"),
    [
        (2, checkpoint.TITLE, checkpoint.NAMESPACE),
        (7, reanchor.TITLE, reanchor.NAMESPACE),
    ],
)
def test_titles_and_namespaces(number: int, title: str, namespace: str) -> None:
    assert f"Title `{title}`, SSHSIG namespace `{namespace}`." in section(number)


def test_sizes() -> None:
    assert f"at most {signed_text.MAX_TEXT_BYTES}\nbytes long" in section(1)
    assert f"at most {signed_text.MAX_SIGNATURES} armored" in section(1)
    assert rows(4)["witness"] == rows(4)["snapshot"] == f"{signed_text.MAX_BYTES:,} bytes"
    assert rows(4)["state"] == f"{state_file.MAX_BYTES >> 20} MiB"
    assert f"for the next {clone.POLLS_WITHOUT} times" in section(4)
    assert state_file.MAGIC == b"tnet/v1 state\0" and len(state_file.MAGIC) == 14


def test_files_and_names() -> None:
    names = {checkpoint_branch.WITNESS, checkpoint_branch.SNAPSHOT, checkpoint_branch.STATE}
    assert {name.encode() for name in rows(4)} == names
    assert f"`{checkpoint_branch.NAME}`" in section(4)


@pytest.mark.parametrize("kind", [AlarmKind.OFF_CHAIN, AlarmKind.SPLIT_VIEW, AlarmKind.REANCHOR_REFUSED])
def test_alarms_are_said_where_they_are_raised(kind: AlarmKind) -> None:
    assert f"`{kind.value}`" in section(5) + section(7)
