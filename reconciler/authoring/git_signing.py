"""Sets up a clone so that plain `git commit` makes what nodes accept, and takes that back again.

Only the clone's own configuration is touched. What stood there before is kept in `tnet/key-setup.json` beside
it; undoing leaves alone what somebody has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reconciler.authoring.errors import AuthoringError, NothingToDo, WorkTreeError
from reconciler.authoring.signing_key import SigningKey
from reconciler.authoring.worktree import WorkTree
from reconciler.whole_file import write_whole

ALLOWED_SIGNERS = "allowed_signers"
_RECORD = "key-setup.json"
_FALLBACK_EMAIL = "tnet@localhost"


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the setup has written, and the clone's own values from before (several, one, or none)."""

    written: dict[str, str]
    before: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Undone:
    """Settings that are as they were, and those that were changed by others since and stay."""

    restored: tuple[str, ...]
    left: tuple[str, ...]


def wanted_settings(tree: WorkTree, key: SigningKey, name: str) -> dict[str, str]:
    """What git must be told. `name` is for commits of somebody who has told git no name or address."""
    wanted = {
        "gpg.format": "ssh",
        "user.signingkey": key.git_value,
        "commit.gpgsign": "true",
        "gpg.ssh.allowedSignersFile": str(directory_of(tree) / ALLOWED_SIGNERS),
        # Otherwise git writes an `encoding` header, and nodes refuse such a commit.
        "i18n.commitEncoding": "UTF-8",
    }
    ours = _read(tree)
    for setting, value in (("user.name", name), ("user.email", _FALLBACK_EMAIL)):
        if tree.config(setting) is None or (ours and setting in ours.written):
            wanted[setting] = value
    return wanted


def set_up(tree: WorkTree, settings: Mapping[str, str], allowed_signers: str) -> None:
    """Write the file and the settings. Raises WorkTreeError; then all is as it was."""
    old = _read(tree)
    directory = directory_of(tree)
    directory.mkdir(exist_ok=True)
    write_whole(directory / ALLOWED_SIGNERS, allowed_signers.encode("utf-8"), mode=0o644)
    record = Record(dict(settings), {name: _before(tree, old, name) for name in settings})
    write_whole(directory / _RECORD, msgspec.json.encode(record))
    try:
        for name, value in settings.items():
            tree.git("config", "--local", "--replace-all", name, value)
    except WorkTreeError:
        undo(tree)
        raise


def undo(tree: WorkTree) -> Undone:
    """Give every setting its value from before. Raises NothingToDo where nothing was set up."""
    record = _read(tree)
    if record is None:
        raise NothingToDo(f"{tree.root}: `tnet key setup` has set nothing up here")
    restored, left = [], []
    for name, value in record.written.items():
        if _local(tree, name) == [value]:
            _restore(tree, name, record.before[name])
            restored.append(name)
        elif _local(tree, name) != record.before[name]:
            left.append(name)
    for file in (ALLOWED_SIGNERS, _RECORD):
        (directory_of(tree) / file).unlink(missing_ok=True)
    return Undone(tuple(restored), tuple(left))


def directory_of(tree: WorkTree) -> Path:
    """Where the clone keeps what is ours: one place for all its work trees."""
    return Path(tree.git("rev-parse", "--path-format=absolute", "--git-common-dir")) / "tnet"


def _before(tree: WorkTree, old: Record | None, name: str) -> list[str]:
    """What stood there before the first setup."""
    now = _local(tree, name)
    if old and name in old.written and now == [old.written[name]]:
        return old.before[name]
    return now


def _restore(tree: WorkTree, name: str, values: list[str]) -> None:
    tree.git("config", "--local", "--unset-all", name)
    for value in values:
        tree.git("config", "--local", "--add", name, value)


def _local(tree: WorkTree, name: str) -> list[str]:
    """The clone's own values, without the user's and the system's."""
    try:
        return tree.git("config", "--local", "-z", "--get-all", name).split("\0")[:-1]
    except WorkTreeError:  # `git config` exits 1 for a setting that isn't there
        return []


def _read(tree: WorkTree) -> Record | None:
    file = directory_of(tree) / _RECORD
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise AuthoringError(f"{file}: can't be read: {error}", f"remove it: rm {file}") from None
