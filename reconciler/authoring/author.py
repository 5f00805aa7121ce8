"""A person's clone of the ledger, judged up to its HEAD: what edits start from and how they are proven."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reconciler.authoring.change import Change
from reconciler.authoring.commit import (
    Changes,
    advance,
    advance_by_git,
    commit_tree,
    tree_with_contents,
    write_commit,
)
from reconciler.authoring.document_text import changed_text, new_text, schema_path
from reconciler.authoring.errors import NothingToDo, RejectedError, WorkTreeError
from reconciler.authoring.signing_key import SigningKey
from reconciler.authoring.worktree import WorkTree
from reconciler.ledger.anchor import Anchor, Reanchored, read_anchor, read_reanchored
from reconciler.ledger.judging.proposal import SUBJECT, File
from reconciler.ledger.replay import Replay, replay
from reconciler.ledger.verdict import Verdict
from reconciler.model.documents import Document, Network
from reconciler.model.model import Model


@dataclass(frozen=True, slots=True)
class Draft:
    """A signed commit that no branch holds yet, and what nodes would say of it as the next transaction."""

    commit: str
    changes: Changes
    verdict: Verdict


class Author:
    """Edits start from the effective state at HEAD, not from what the files happen to say.

    For one edit. To be used in a `with` statement: judging keeps git processes running.
    """

    def __init__(self, tree: WorkTree, anchor: Anchor) -> None:
        self.tree = tree
        self.anchor = anchor
        self._open = ExitStack()

    @classmethod
    def open(cls, directory: Path) -> Author:
        """The clone that `directory` is in; raises WorkTreeError or AnchorUnknown."""
        tree = WorkTree.open(directory)
        _require_head(tree)
        return cls(tree, read_anchor(tree.root))

    @cached_property
    def replay(self) -> Replay:
        """The ledger from its anchor to HEAD. Raises WorkTreeError on a history that root has left."""
        judged = self.judged(self._head)
        told = self.reanchored
        if told is not None and all(verdict.commit != told.new for verdict in judged.verdicts):
            raise WorkTreeError(
                f"{self.tree.root}: HEAD doesn't lead over {told.new[:12]}, where the ledger goes on since "
                f"the re-anchor record {told.sequence}",
                "fetch, look at what you have on top of it (git log), then: git reset --keep origin/main",
            )
        return judged

    @cached_property
    def reanchored(self) -> Reanchored | None:
        """What this clone was told of a fork."""
        return read_reanchored(self.tree.root)

    @property
    def model(self) -> Model:
        """The effective state at HEAD."""
        return self.replay.view.model

    def judged(self, tip: str) -> Replay:
        """The ledger from its anchor to `tip`."""
        judged = replay(self.tree.git_dir, self.anchor, tip)
        self._open.callback(judged.close)
        return judged

    def __enter__(self) -> Author:
        return self

    def __exit__(self, *failure: object) -> None:
        """End the git processes that were reading the clone."""
        self._open.close()

    def texts(self, change: Change) -> Changes:
        """The change as file contents: each effective document edited in place, new ones written."""
        return {path: self._text(path, document) for path, document in change.documents.items()}

    def require_editable(self, paths: Collection[str]) -> None:
        """Raise unless HEAD, index and files of `paths` are what is in effect."""
        self.tree.require_ready(paths)
        self.require_based_on_effective(paths)

    def require_based_on_effective(self, paths: Collection[str]) -> None:
        """Raise RejectedError if HEAD has at one of `paths` what was rejected: nobody may build on that."""
        for path in paths:
            if self.at_head(path) != self.replay.blob(path):
                raise RejectedError(
                    f"{path}: what HEAD says here isn't in effect: a commit that changed it was rejected",
                    f"`tnet diff` says which and why; be rid of it: tnet repair {path}\n"
                    f"or take it over as it stands, signed by you: tnet adopt {path}",
                )

    def at_head(self, path: str) -> bytes | None:
        """What HEAD says there, in effect or not."""
        return self.tree.show(self._head, path)

    def draft(self, changes: Changes, message: str, key: SigningKey) -> Draft:
        """Sign the changes as a commit on top of HEAD and have it judged; branch and files stay put."""
        return self._judged_draft(write_commit(self.tree, changes, message, key), changes)

    def draft_adoption(self, documents: Changes, message: str, key: SigningKey) -> Draft:
        """The same where the message adopts the documents, which HEAD may have already."""
        tree = tree_with_contents(self.tree, documents)
        changes = {path: data for path, data in documents.items() if data != self.at_head(path)}
        return self._judged_draft(commit_tree(self.tree, tree, message, key), changes)

    def draft_tree(self, tree_id: str, message: str, key: SigningKey | None) -> Draft:
        """The same of a tree that is there already, with changes that needn't be documents."""
        return self._judged_draft(commit_tree(self.tree, tree_id, message, key), {})

    def _judged_draft(self, commit: str, changes: Changes) -> Draft:
        return Draft(commit, changes, self.judged(commit).view.verdicts[-1])

    def judge_unsigned(self, changes: Changes, message: str = SUBJECT) -> Verdict:
        """What nodes would say of these changes if the right people had signed them."""
        files = {path: None if content is None else File(content) for path, content in changes.items()}
        return self.replay.check_files(files, message=message)

    def publish(self, draft: Draft) -> None:
        """Move the branch and the files on to the draft."""
        advance(self.tree, draft.commit, draft.changes)

    def publish_by_git(self, draft: Draft) -> None:
        """The same for a draft of a tree."""
        advance_by_git(self.tree, draft.commit)

    @cached_property
    def _head(self) -> str:
        return _require_head(self.tree)

    @cached_property
    def _has_schemas(self) -> bool:
        return self.at_head(schema_path(Network)) is not None

    def _text(self, path: str, document: Document | None) -> bytes | None:
        content = self.replay.blob(path)
        if document is None:
            if content is None:
                raise NothingToDo(f"{path}: there is no such document in effect")
            return None
        if content is None:
            return new_text(path, document, with_schema=self._has_schemas)
        return changed_text(path, content, document)


def _require_head(tree: WorkTree) -> str:
    if tree.head is None:
        raise WorkTreeError(
            f"{tree.root}: nothing is checked out here, or there is no commit yet",
            "in a clone: git switch main; `tnet init DIR` starts a new ledger",
        )
    return tree.head


def require_accepted(verdict: Verdict) -> None:
    """Raise RejectedError, with the verdict's words, if nodes would reject what it is about."""
    if not verdict.accepted:
        raise RejectedError(
            f"every node would reject this ({verdict.code}): {verdict.detail}",
            verdict.advice
            + "\nnothing was changed; --force commits it nevertheless (for a branch others merge)",
        )
