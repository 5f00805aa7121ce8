"""Options for verbs that judge a repository which may be no clone of a person's: bare, or a forge's own."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.errors import TnetError
from reconciler.ledger.anchor import Anchor, AnchorUnknown, read_anchor
from reconciler.ledger.repository.objects import CommitId

F = TypeVar("F", bound=Callable[..., Any])


class NoRepository(TnetError):
    """There is no Git repository where one was named."""


@dataclass(frozen=True, slots=True)
class PinnedLedger:
    """A repository, and where the ledger in it begins."""

    git_dir: Path
    anchor: Anchor


def anchor_options(function: F) -> F:
    """Adds `--anchor` and `--root-key`; the verb gets them as `anchor` and `root_keys`."""
    keys = click.option(
        "--root-key",
        "root_keys",
        multiple=True,
        envvar="TNET_ROOT_KEYS",
        metavar="SHA256:…",
        help="A root key's fingerprint, once for each root key; or all of them in $TNET_ROOT_KEYS.",
    )
    commit = click.option(
        "--anchor",
        envvar="TNET_ANCHOR",
        metavar="COMMIT",
        help="The ledger's first commit, its whole id; or $TNET_ANCHOR. Default: what `tnet trust` pinned.",
    )
    return commit(keys(function))


def pinned(repository: Path, anchor: str | None, root_keys: tuple[str, ...]) -> PinnedLedger:
    """The repository that `repository` is in, with its anchor. Raises `NoRepository` or `AnchorUnknown`."""
    git_dir = git_directory(repository)
    if anchor is None:
        if root_keys:
            raise click.UsageError("--root-key without --anchor: which commit's root keys are they?")
        return PinnedLedger(git_dir, _pinned_anchor(git_dir))
    return PinnedLedger(git_dir, Anchor(CommitId(anchor), frozenset(root_keys)))


def _pinned_anchor(git_dir: Path) -> Anchor:
    try:
        return read_anchor(git_dir)
    except AnchorUnknown as error:
        advice = (
            "give --anchor COMMIT --root-key SHA256:… (from root, not from the forge), or pin it: tnet trust"
        )
        raise AnchorUnknown(str(error), advice) from error


def git_directory(directory: Path) -> Path:
    """Where the repository's own files are. Raises `NoRepository`."""
    from git import InvalidGitRepositoryError, NoSuchPathError, Repo

    try:
        return Path(Repo(directory, search_parent_directories=True).git_dir)
    except (InvalidGitRepositoryError, NoSuchPathError):
        raise NoRepository(
            f"{directory}: this is not a Git repository",
            "go into your clone of the ledger, or name the repository",
        ) from None


def own_git_directory(directory: Path) -> Path:
    """The same, of a repository that whoever runs this owns: in another's, git reads no configuration.

    Raises `NoRepository`.
    """
    found = git_directory(directory)
    owner = found.stat().st_uid
    if owner == os.geteuid():
        return found
    name = _user(owner)
    raise NoRepository(f"{found} belongs to {name}", f"run this as that user: sudo -u {name} tnet …")


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"
