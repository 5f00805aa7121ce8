"""The pinned beginning of the ledger, as an ordinary clone remembers it (docs/spec/ledger.md, section 6).

A node has its anchor from its own configuration. In a person's clone it stands in the repository's git
config:

    tnet.anchor          the commit's id
    tnet.rootKey         a root key's fingerprint, once for each root key
    tnet.reanchor        the last re-anchor record that was believed: its sequence, old and new transaction

`tnet init` writes the first two. A clone of somebody else's ledger gets them by hand, from a source one
trusts other than the forge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import git
from git.exc import GitCommandError

from reconciler.errors import TnetError
from reconciler.ledger.repository.objects import CommitId

COMMIT_KEY = "tnet.anchor"
ROOT_KEY = "tnet.rootKey"
REANCHOR_KEY = "tnet.reanchor"

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REANCHORED = re.compile(r"([0-9]{1,15}) ([0-9a-f]{40}) ([0-9a-f]{40})")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


class AnchorUnknown(TnetError):
    """This clone doesn't know where its ledger begins."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A commit, and the fingerprints of all root keys in its policy."""

    commit: CommitId
    root_fingerprints: frozenset[str]

    def __post_init__(self) -> None:
        if not _COMMIT.fullmatch(self.commit):
            raise AnchorUnknown(
                f"the anchor {self.commit!r} is not a commit's full id (40 lower-case hexadecimal digits)",
                "root finds it in its own clone: `git config tnet.anchor`",
            )
        if not self.root_fingerprints:
            raise AnchorUnknown("no root key's fingerprint is pinned beside the anchor")
        for fingerprint in sorted(self.root_fingerprints):
            if not _FINGERPRINT.fullmatch(fingerprint):
                raise AnchorUnknown(
                    f"{fingerprint!r} is not a key's fingerprint",
                    "write it as `ssh-keygen -l` shows it: SHA256:...",
                )


@dataclass(frozen=True, slots=True)
class Reanchored:
    """What this clone was told of a fork: root has left the history of `old` for that of `new`."""

    sequence: int
    old: CommitId
    new: CommitId


def read_reanchored(repository: Path) -> Reanchored | None:
    """The last record that was believed in this clone. Raises `AnchorUnknown` if it can't be read."""
    for said in reversed(_config(repository, REANCHOR_KEY)):
        found = _REANCHORED.fullmatch(said)
        if found is None:
            raise AnchorUnknown(
                f"{repository}: {REANCHOR_KEY} says {said!r}, which is no record",
                "give the record again: tnet trust --reanchor FILE",
            )
        return Reanchored(int(found[1]), CommitId(found[2]), CommitId(found[3]))
    return None


def write_reanchored(repository: Path, told: Reanchored) -> None:
    """Remembers it in this clone's own config, in place of the one before."""
    said = f"{told.sequence} {told.old} {told.new}"
    git.Git(repository).config("--local", "--replace-all", REANCHOR_KEY, said)


def read_anchor(repository: Path) -> Anchor:
    """The anchor that this clone's config pins. Raises `AnchorUnknown`."""
    commits = _config(repository, COMMIT_KEY)
    if not commits:
        raise AnchorUnknown(
            f"{repository} has no anchor: it isn't known where the ledger begins",
            "pin it: tnet trust --anchor COMMIT --root-key SHA256:… (from root, not from the forge)",
        )
    return Anchor(CommitId(commits[-1]), frozenset(_config(repository, ROOT_KEY)))


def write_anchor(repository: Path, anchor: Anchor) -> None:
    """Pins the anchor in this clone's own config, in place of what was there. Raises `AnchorUnknown`."""
    try:
        _write(git.Git(repository), repository, anchor)
    except GitCommandError as refused:
        why = str(refused.stderr).strip().removeprefix("stderr: ").strip("'")
        raise AnchorUnknown(f"{repository}: the anchor can't be pinned: {why}") from refused


def _write(config: git.Git, repository: Path, anchor: Anchor) -> None:
    config.config("--local", "--replace-all", COMMIT_KEY, anchor.commit)
    if _config(repository, ROOT_KEY):
        config.config("--local", "--unset-all", ROOT_KEY)
    for fingerprint in sorted(anchor.root_fingerprints):
        config.config("--local", "--add", ROOT_KEY, fingerprint)


def _config(repository: Path, key: str) -> list[str]:
    try:
        return str(git.Git(repository).config("--local", "--get-all", key)).splitlines()
    except GitCommandError as missing:
        if missing.status == 1:
            return []
        raise AnchorUnknown(f"{repository} is not a git repository") from missing
