"""Laws of tracing lines: over histories by honest and dishonest people, with merges and adoptions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import event, given, settings

from property_tests.ledger_histories import Move, histories, repository, written
from reconciler.ledger.anchor import Anchor
from reconciler.ledger.replay import Replay, replay
from reconciler.records.blame import Blame, LineOrigin, Version, versions_of
from reconciler.records.spot import lines_of
from tests.integration.ledger.world import ALICE, Forge

few = settings(max_examples=max(15, settings().max_examples // 3))
"""An example writes a repository and takes a tenth of a second."""


@dataclass(frozen=True)
class Told:
    """A history on a forge, and where every line in effect is said to come from."""

    forge: Forge
    judged: Replay
    versions: dict[str, list[Version]]
    origins: dict[str, dict[int, LineOrigin]]

    def contents(self, path: str) -> list[list[str]]:
        """The lines of each version."""
        results = (each.item.result for each in self.versions[path])
        return [[] if each is None else lines_of(self.judged.contents([each.id])[0]) for each in results]


@contextmanager
def told(moves: list[Move]) -> Iterator[Told]:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        forge = Forge(Path(directory) / "forge.git")
        chain = written(repository(moves), forge).chain
        anchor = Anchor(chain[0], frozenset({ALICE.key.fingerprint}))

        def opened(tip: str) -> Replay:
            judged = replay(forge.path, anchor, tip)
            stack.callback(judged.close)
            return judged

        judged = opened("main")
        versions = versions_of(judged, [path.decode() for path in judged.books.entries])
        blame = Blame(judged, lambda commit: opened(f"{commit}^1"))
        made = Told(forge, judged, versions, {})
        for path, each in versions.items():
            made.origins[path] = blame.lines(each, range(len(made.contents(path)[-1])))
        yield made


@few
@given(histories(max_size=10))
def test_every_line_in_effect_stands_in_the_commit_that_is_said_to_have_written_it(moves: list[Move]) -> None:
    with told(moves) as made:
        for path, origins in made.origins.items():
            text = made.contents(path)[-1]
            assert sorted(origins) == list(range(len(text)))
            for line, origin in origins.items():
                event("merged" if origin.author != origin.verdict.commit else "own")
                content = made.forge.trees[origin.author].get(path)
                assert content is not None and text[line] in lines_of(content.data)
                assert origin.verdict.changes_state
                in_anchor = origin.verdict.position == 0
                assert (origin.fingerprint == "", origin.signer is None) == (in_anchor, in_anchor)


@few
@given(histories(max_size=10))
def test_from_its_transaction_on_the_line_was_in_effect_all_the_time(moves: list[Move]) -> None:
    with told(moves) as made:
        for path, origins in made.origins.items():
            contents = made.contents(path)
            positions = [each.verdict.position for each in made.versions[path]]
            for line, origin in origins.items():
                since = positions.index(origin.verdict.position)
                assert all(contents[-1][line] in each for each in contents[since:])
                written = made.versions[path][since].item
                assert written.effective is None or written.effective != written.result
