"""What all verbs that edit the ledger share: their options, and how the edit is made and told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reconciler.authoring import adopt
from reconciler.authoring.adopt import Takeover
from reconciler.authoring.author import Author, Draft, require_accepted
from reconciler.authoring.change import Change
from reconciler.authoring.commit import Changes, difference, difference_of_trees
from reconciler.authoring.signing_key import SigningKey, choose_signing_key, key_is_named
from reconciler.cli.difference_text import readable
from reconciler.cli.options import key_option, repo_option
from reconciler.cli.output import output_option, print_json, say
from reconciler.model.model import Model

_PUSHED = "push it, and every node picks it up: git push"
_NOT_YET = "push it as a branch for others to merge: git push origin HEAD:refs/heads/BRANCH"


@dataclass(frozen=True, slots=True)
class Options:
    """What every editing verb may be told."""

    repo: Path
    key: str | None
    message: str | None
    dry_run: bool
    force: bool
    output: str


class Editor:
    """One edit of the ledger, as the options say. What it opens is closed with `stack`."""

    def __init__(self, options: Options, stack: ExitStack) -> None:
        self._options = options
        self._stack = stack

    @functools.cached_property
    def author(self) -> Author:
        """The clone that the options name."""
        return self._stack.enter_context(Author.open(self._options.repo))

    @property
    def model(self) -> Model:
        """What is in effect."""
        return self.author.model

    def make(self, change: Change, next_step: str = _PUSHED) -> None:
        """Commit the change, signed, and print what was done; with --dry-run print the difference instead."""
        self.author.require_editable(change.documents.keys())
        self.write(change.subject, self.author.texts(change), change.notes, next_step)

    def write(self, subject: str, changes: Changes, notes: tuple[str, ...], next_step: str = _PUSHED) -> None:
        """The same for contents that are ready."""
        if self._options.dry_run:
            return self._show(changes, notes)
        draft = self.author.draft(changes, self._words(subject), self._signing_key())
        if not self._options.force:
            require_accepted(draft.verdict)
        self.author.publish(draft)
        return self._tell(subject, draft, notes, next_step)

    def adopt(self, subject: str, takeover: Takeover) -> None:
        """Take over what others made, after the difference to what is in effect has been shown."""
        author = self.author
        words = f"{self._words(subject)}\n\n{takeover.trailers}"
        if self._options.output == "text" or self._options.dry_run:
            click.echo(readable(adopt.difference(author, takeover)))
        if self._options.dry_run:
            return require_accepted(author.judge_unsigned(takeover.documents, words))
        draft = author.draft_adoption(takeover.documents, words, self._signing_key())
        if not self._options.force:
            require_accepted(draft.verdict)
        author.publish(draft)
        return self._tell(subject, draft, tuple(map(str, takeover.adoptions)), _PUSHED)

    def repair(self, subject: str, tree_id: str) -> None:
        """Commit a tree that brings back what is in effect, signed if there is a key to sign with."""
        author = self.author
        if self._options.dry_run:
            return click.echo(readable(difference_of_trees(author.tree, "HEAD", tree_id)))
        draft = author.draft_tree(tree_id, self._words(subject), self._signing_key_if_any())
        require_accepted(draft.verdict)
        author.publish_by_git(draft)
        return self._tell(subject, draft, (), _PUSHED)

    def _signing_key_if_any(self) -> SigningKey | None:
        """None where none is named; one that is named must be there."""
        if self._options.key is None and not key_is_named(self.author.tree.config("user.signingkey")):
            return None
        return self._signing_key()

    def _show(self, changes: Changes, notes: tuple[str, ...]) -> None:
        click.echo(readable(difference(self.author.tree, changes)))
        for note in notes:
            say(note)
        require_accepted(self.author.judge_unsigned(changes))

    def _words(self, subject: str) -> str:
        more = self._options.message
        return f"{subject}\n\n{more}" if more else subject

    def _signing_key(self) -> SigningKey:
        return choose_signing_key(self._options.key, self.author.tree.config("user.signingkey"))

    def _tell(self, subject: str, draft: Draft, notes: tuple[str, ...], next_step: str) -> None:
        verdict = draft.verdict
        if self._options.output == "json":
            return print_json(
                {
                    "commit": draft.commit,
                    "subject": subject,
                    "accepted": verdict.accepted,
                    "code": verdict.code,
                    "detail": verdict.detail,
                    "signers": [str(signer) for signer in verdict.signers],
                    "paths": _paths(draft),
                    "notes": list(notes),
                }
            )
        by = ", ".join(str(signer) for signer in verdict.signers)
        click.echo(f"{draft.commit[:12]}  {subject}")
        for line in (*([f"signed by {by}"] if by else []), *_paths(draft), *notes):
            click.echo(f"  {line}")
        if not verdict.accepted:
            click.echo(f"  NOT ACCEPTED as it stands ({verdict.code}): {verdict.detail}")
            next_step = _NOT_YET
        return click.echo(f"next: {next_step}")


def _paths(draft: Draft) -> list[str]:
    """What the commit changes, or brings into or back to effect without a change."""
    return list(dict.fromkeys((*draft.changes, *draft.verdict.paths)))


def editing_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds --repo, --key, --message, --dry-run, --force and -o; the verb gets an `Editor` as `editor`."""

    @functools.wraps(function)
    def with_editor(
        *args: Any,
        repo: Path,
        key: str | None,
        message: str | None,
        dry_run: bool,
        force: bool,
        output: str,
        **options: Any,
    ) -> None:
        with ExitStack() as stack:
            editor = Editor(Options(repo, key, message, dry_run, force, output), stack)
            function(*args, editor=editor, **options)

    for option in (
        output_option,
        click.option("--force", is_flag=True, help="Commit even if nodes would reject it as it stands."),
        click.option("--dry-run", is_flag=True, help="Print the difference and change nothing."),
        click.option("-m", "--message", metavar="TEXT", help="More words for the commit message."),
        key_option,
        repo_option,
    ):
        with_editor = option(with_editor)
    return with_editor
