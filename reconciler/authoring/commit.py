"""One signed commit out of changed files, all or nothing.

The commit object is made and signed beside the work tree (own index file), so a wrong passphrase or a verdict
of "would be rejected" leaves branch, index and files alone. New contents lie ready next to their
places before the branch moves; what is left to do then is renames.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from reconciler.authoring.errors import NothingToDo, SigningError, WorkTreeError
from reconciler.authoring.files import ReadyFiles
from reconciler.authoring.signing_key import SigningKey
from reconciler.authoring.worktree import WorkTree

Changes = Mapping[str, bytes | None]
"""Path -> new content; None deletes the file."""

_ANONYMOUS = "tnet"
_REGULAR_FILE = "100644"


def commit_signed(repo_dir: Path, paths: Collection[str], message: str, key_file: Path | str) -> str:
    """Commit what `paths` hold in the work tree now, signed with the key in `key_file`; return its id.

    Nothing is judged: for tools that know what they do. Raises AuthoringError.
    """
    tree = WorkTree.open(repo_dir)
    changes = {path: tree.read(path) for path in paths}
    commit = write_commit(tree, changes, message, SigningKey(str(key_file)))
    advance(tree, commit, changes)
    return commit


def write_commit(tree: WorkTree, changes: Changes, message: str, key: SigningKey) -> str:
    """Make the signed commit object on top of HEAD and return its id; no reference and no file changes."""
    return commit_tree(tree, write_tree(tree, changes), message, key)


def commit_tree(tree: WorkTree, tree_id: str, message: str, key: SigningKey | None) -> str:
    """The same of a tree that is there, be it HEAD's; without a key the commit is unsigned."""
    signing = [] if key is None else _signing_config(key)
    arguments = ["commit-tree", tree_id, *(["-S"] if key else []), "-m", message]
    if tree.head:
        arguments += ["-p", tree.head]
    try:
        return tree.git(*signing, *arguments, env=_identity(tree))
    except WorkTreeError as error:
        if key is None:
            raise
        raise SigningError(
            f"can't sign with {key}: {_reason(str(error))}",
            "is it in the agent (ssh-add -l), is the passphrase right, is there a terminal to ask for it?",
        ) from None


def advance(tree: WorkTree, commit: str, changes: Changes) -> None:
    """Move the branch to `commit`, and index and files of `changes` with it."""
    with ReadyFiles(tree, changes) as files:
        _move_branch(tree, commit)
        files.put()
    if changes:
        tree.git("reset", "-q", "--", *(f":(top,literal){path}" for path in changes))


def advance_by_git(tree: WorkTree, commit: str) -> None:
    """The same for changes that aren't all plain files: git moves index and files, or refuses.

    Raises WorkTreeError where a file of the user's is in the way.
    """
    old = tree.head
    assert old is not None
    tree.git("read-tree", "-m", "-u", old, commit)
    try:
        _move_branch(tree, commit)
    except WorkTreeError:
        tree.git("read-tree", "-m", "-u", commit, old)
        raise


def _move_branch(tree: WorkTree, commit: str) -> None:
    parent = tree.head or "0" * len(commit)
    subject = tree.git("show", "-s", "--format=%s", commit)
    tree.git("update-ref", "-m", f"tnet: {subject}", tree.branch, commit, parent)


def write_tree(tree: WorkTree, changes: Changes) -> str:
    """HEAD's tree with the changes, as a tree object's id; raises NothingToDo if that is HEAD's tree."""
    new_tree = tree_with_contents(tree, changes)
    if tree.head and new_tree == tree.git("rev-parse", f"{tree.head}^{{tree}}"):
        raise NothingToDo("there is nothing to commit: the files say this already")
    return new_tree


def tree_with_contents(tree: WorkTree, changes: Changes) -> str:
    """The same, also if that is HEAD's tree."""
    return tree_with(tree, _index_info(tree, changes))


def tree_with(tree: WorkTree, index_info: bytes) -> str:
    """HEAD's tree changed by these lines of `git update-index -z --index-info`."""
    with tempfile.TemporaryDirectory(prefix="tnet-index-", dir=tree.git_dir) as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        if tree.head:
            tree.git("read-tree", tree.head, env=env)
        tree.git("update-index", "-z", "--index-info", env=env, stdin=index_info)
        return tree.git("write-tree", env=env)


def difference(tree: WorkTree, changes: Changes) -> str:
    """What the changes make of HEAD, as `git diff` prints it."""
    return difference_of_trees(tree, "HEAD", write_tree(tree, changes))


def difference_of_trees(tree: WorkTree, old: str, new: str, paths: Iterable[str] = ()) -> str:
    """From one tree to another, at these paths or everywhere."""
    flags = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
    return tree.git("diff", *flags, old, new, "--", *(f":(top,literal){path}" for path in paths))


def _index_info(tree: WorkTree, changes: Changes) -> bytes:
    """Lines for `git update-index --index-info`: mode 0 removes."""
    absent = f"0 {'0' * 40}"
    lines = []
    for path, content in changes.items():
        entry = absent if content is None else f"{_REGULAR_FILE} {_store(tree, content)}"
        lines.append(f"{entry}\t{path}\0")
    return "".join(lines).encode()


def _store(tree: WorkTree, content: bytes) -> str:
    return tree.git("hash-object", "-w", "--no-filters", "--stdin", stdin=content)


def _signing_config(key: SigningKey) -> list[str]:
    """Settings for this one commit; an encoding header would be refused by nodes."""
    settings = {
        "gpg.format": "ssh",
        "user.signingkey": key.git_value,
        "i18n.commitEncoding": "UTF-8",
    }
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _identity(tree: WorkTree) -> dict[str, str]:
    """Author and committer where the user has set none; it is the key that says who it was."""
    known = {"user.name": tree.config("user.name"), "user.email": tree.config("user.email")}
    env = {}
    for role in ("AUTHOR", "COMMITTER"):
        for part, setting, fallback in (
            ("NAME", "user.name", _ANONYMOUS),
            ("EMAIL", "user.email", f"{_ANONYMOUS}@localhost"),
        ):
            variable = f"GIT_{role}_{part}"
            if variable not in os.environ and not known[setting]:
                env[variable] = fallback
    return env


def _reason(message: str) -> str:
    """ssh-keygen's own words out of git's."""
    lines = [line.removeprefix("error: ").strip() for line in message.splitlines()]
    useful = [line for line in lines if line and not line.startswith("fatal: failed to write commit")]
    return "; ".join(useful).removeprefix("git -c failed: ")
