from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from reconciler.engine.journal import Journal, JournalError, Pending
from reconciler.engine.record import object_from_record, to_record
from tests.unit.engine.graphs import fast_network, network, node


def reopened(journal: Journal, directory: Path) -> Journal:
    journal.close()
    return Journal(directory)


def test_every_object_survives_the_way_to_disk_and_back() -> None:
    for item in (*node().objects, *network("a").objects, *fast_network("b").objects):
        assert object_from_record(json.loads(json.dumps(to_record(item)))) == item


def test_what_was_begun_is_there_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": network("a").objects, "b": ()})
    journal.commit(["b"])
    again = reopened(journal, tmp_path)
    assert again.pending == {"a": Pending("a", network("a").objects), "b": Pending("b", (), True)}


def test_what_is_finished_is_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": (), "b": ()})
    journal.finish(["a", "unknown"])
    assert set(reopened(journal, tmp_path).pending) == {"b"}


def test_the_file_is_empty_when_nothing_is_pending(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": network("a").objects})
    journal.finish(["a"])
    assert (tmp_path / "pending.journal").read_bytes() == b""


def test_the_oldest_uncommitted_state_stands(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": network("a").objects})
    journal.begin({"a": ()})
    assert journal.pending["a"].previous == network("a").objects
    journal.commit(["a"])
    journal.begin({"a": ()})
    assert journal.pending["a"] == Pending("a", ())


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "journal").begin({"a": ()})
    assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "journal" / "pending.journal").stat().st_mode) == 0o600


def test_a_line_cut_off_by_death_is_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": ()})
    journal.close()
    with (tmp_path / "pending.journal").open("ab") as file:
        file.write(b'0123456789abcdef {"begin":"b","prev')
    again = Journal(tmp_path)
    assert set(again.pending) == {"a"} and not again.problems


@pytest.mark.parametrize(
    "damage",
    [b"\x00\xff\n", b"nonsense\n", b"0123456789abcdef {}\n"],
    ids=["binary", "no record", "wrong checksum"],
)
def test_a_damaged_journal_is_moved_aside_and_reported(tmp_path: Path, damage: bytes) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": ()})
    journal.close()
    file = tmp_path / "pending.journal"
    file.write_bytes(damage + file.read_bytes())
    again = Journal(tmp_path)
    assert not again.pending
    again.begin({"b": ()})
    assert "was damaged" in again.problems[0]
    assert (tmp_path / "pending.damaged").read_bytes().startswith(damage)
    assert set(reopened(again, tmp_path).pending) == {"b"}


def test_a_full_disk_begins_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": ()})
    write = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) > 8:
            return write(file, data[:8])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="No space left"):
        journal.begin({"b": ()})
    monkeypatch.undo()
    assert set(journal.pending) == {"a"}
    journal.begin({"c": ()})
    assert set(reopened(journal, tmp_path).pending) == {"a", "c"}


def test_looking_on_disturbs_nobody(tmp_path: Path) -> None:
    writer = Journal(tmp_path)
    writer.begin({"a": ()})
    assert set(Journal(tmp_path).pending) == {"a"}
    writer.begin({"b": ()})
    assert set(reopened(writer, tmp_path).pending) == {"a", "b"}


def test_what_can_not_be_forgotten_now_is_forgotten_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.begin({"a": (), "b": ()})

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    journal.finish(["a"])
    monkeypatch.undo()
    assert "No space left" in journal.problems[0]
    again = reopened(journal, tmp_path)
    again.finish(["a", "b"])
    assert not reopened(again, tmp_path).pending


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("")
    with pytest.raises(JournalError):
        Journal(tmp_path / "journal")
