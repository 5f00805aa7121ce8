"""Taking over, by one's own signature, what others put at a path: squashed, unsigned or rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.authoring import standing
from reconciler.authoring.author import Author
from reconciler.authoring.commit import Changes, difference_of_trees, tree_with_contents
from reconciler.authoring.errors import AuthoringError, NothingToDo, WorkTreeError
from reconciler.ledger.governed import place
from reconciler.ledger.judging.adoption import Adoption
from reconciler.ledger.replay import Replay
from reconciler.ledger.repository.objects import Entry, printable


@dataclass(frozen=True, slots=True)
class Takeover:
    """What is taken over: the documents' contents, and the lines for the commit's message that say so."""

    documents: Changes
    adoptions: tuple[Adoption, ...]

    @property
    def trailers(self) -> str:
        return "\n".join(map(str, self.adoptions))


def take_over(author: Author, words: Sequence[str]) -> Takeover:
    """What the words name: paths, as HEAD has them, or commits, as they made what they changed.

    Raises AuthoringError; NothingToDo if all of it is in effect.
    """
    judged = author.replay
    wanted = dict(_wanted(author, words))
    new = {path: entry for path, entry in wanted.items() if entry != judged.books.effective(path)}
    if not new:
        raise NothingToDo("all of this is in effect already")
    for path, entry in new.items():
        _require_document(path, entry)
    return Takeover(
        {path.decode("ascii"): standing.content(judged, entry) for path, entry in new.items()},
        tuple(Adoption(path, entry, judged.books.effective(path)) for path, entry in sorted(new.items())),
    )


def difference(author: Author, takeover: Takeover) -> str:
    """From what is in effect to what would be, as `git diff` prints it."""
    new = tree_with_contents(author.tree, takeover.documents)
    return difference_of_trees(author.tree, author.replay.view.effective_tree, new, takeover.documents)


def _wanted(author: Author, words: Sequence[str]) -> Iterator[tuple[bytes, Entry | None]]:
    judged = author.replay
    refused = standing.not_in_effect(judged)
    for word in words:
        paths = standing.below(author, word, list(refused))
        if paths:
            yield from ((path, refused[path].head) for path in paths)
        else:
            yield from _made(author, judged, word).items()


def _made(author: Author, judged: Replay, word: str) -> Mapping[bytes, Entry | None]:
    try:
        commit = author.tree.resolve(word)
    except WorkTreeError:
        if author.tree.git("ls-files", "--", f":(top,literal){word}", word):
            raise NothingToDo(f"{word}: what HEAD has there is in effect already") from None
        raise AuthoringError(
            f"{word}: neither a file that HEAD has otherwise than what is in effect, nor a commit",
            "`tnet diff` lists such files, `tnet log --rejected` the commits",
        ) from None
    return standing.changed_by(judged, commit)


def _require_document(path: bytes, entry: Entry | None) -> None:
    if place(path) is None:
        raise AuthoringError(
            f"{printable(path)}: no document can lie there, so nobody can put it in effect",
            f"name what you want of it; be rid of this: tnet repair {printable(path)}",
        )
    if entry is not None and not entry.is_plain_file:
        raise AuthoringError(
            f"{printable(path)}: not a plain file (mode {entry.mode}), so it can't be put in effect",
            f"be rid of it: tnet repair {printable(path)}",
        )
