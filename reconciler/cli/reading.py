"""What all verbs that look at the past share: whose clone is read, and which stretch of the ledger."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click

from reconciler.authoring.worktree import WorkTree
from reconciler.cli.node_config_file import config_option
from reconciler.cli.options import repo_option
from reconciler.cli.output import say
from reconciler.ledger.anchor import Anchor, read_anchor
from reconciler.ledger.chain.effective import LEDGER_REF
from reconciler.ledger.replay import NotOnChain, Replay, replay
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Verdict
from reconciler.model.model import Model
from reconciler.records.approvers import Before


@dataclass(frozen=True, slots=True)
class Source:
    """A clone of the ledger that can be asked; `head` is read unless something else is named.

    `node` (`<farm>/<node>`) says whose clone it is; empty for a person's.
    """

    git_dir: Path
    anchor: Anchor
    head: str
    node: str = ""

    @contextmanager
    def replay(self, revision: str = "") -> Iterator[Replay]:
        """The ledger up to a revision. Raises `LocalTrouble`s."""
        judged = replay(self.git_dir, self.anchor, revision or self.head, remember=not self.node)
        with closing(judged):
            yield judged


def source_of(repo: Path, config: Path, on_node: bool) -> Source:
    """The clone that the options name. Raises `TnetError`s."""
    if not on_node:
        tree = WorkTree.open(repo)
        return Source(tree.git_dir, read_anchor(tree.root), "HEAD")
    from reconciler.agent.assemble import ledger_config
    from reconciler.agent.config import load_config
    from reconciler.ledger.chain.clone import Clone

    settings = load_config(config)
    anchor = Anchor(CommitId(settings.anchor), frozenset(settings.root_keys))
    return Source(Clone(ledger_config(settings)).path, anchor, LEDGER_REF, settings.node)


def source_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds --repo, --node and --config; the verb gets a `Source` as `source`."""

    @functools.wraps(function)
    def with_source(*args: Any, repo: Path, on_node: bool, config: Path, **options: Any) -> None:
        function(*args, source=source_of(repo, config, on_node), **options)

    on_node = click.option(
        "--node", "on_node", is_flag=True, help="Ask this host's own clone, as its agent has judged it."
    )
    return repo_option(on_node(config_option(with_source)))


@contextmanager
def ledgers_before(source: Source) -> Iterator[Before]:
    """Opens the ledger as it stood before each transaction that is asked for, once, and closes all."""
    with ExitStack() as stack:

        @cache
        def before(commit: CommitId) -> Replay:
            return stack.enter_context(source.replay(f"{commit}^1"))

        yield before


def verdict_at(judged: Replay, text: str) -> Verdict:
    """The transaction that a position or a revision names. Raises `NotOnChain`."""
    if is_position(text) and int(text) < len(judged.verdicts):
        return judged.verdicts[int(text)]
    commit = judged.store.resolve(text)
    for verdict in judged.verdicts:
        if verdict.commit == commit:
            return verdict
    raise NotOnChain(
        f"{text} is no transaction here: neither a position from 0 to {len(judged.verdicts) - 1} "
        "nor a commit on the first-parent chain",
        "`tnet log` lists them",
    )


def say_if_unknown(model: Model, tenant: str | None, farm: str | None) -> None:
    """For an empty answer: a misspelt name looks like one about which there is nothing to tell."""
    if tenant is not None and model.tenant(tenant) is None:
        say(f"no tenant {tenant} is in effect")
    if farm is not None and model.farm(farm) is None:
        say(f"no farm {farm} is in effect")


def is_position(text: str) -> bool:
    """Whether it is meant as a number; a commit's abbreviation is longer, or has letters."""
    return text.isascii() and text.isdecimal() and len(text) < 7


@contextmanager
def stretch(source: Source, text: str) -> Iterator[tuple[Replay, Sequence[Verdict]]]:
    """The ledger, and of it what `text` names: `B` all transactions up to B, `A..B` those after A up to B."""
    after, _, upto = text.rpartition("..")
    with source.replay("" if is_position(upto) else upto) as judged:
        end = verdict_at(judged, upto).position if is_position(upto) else len(judged.verdicts) - 1
        start = verdict_at(judged, after).position + 1 if after else 0
        yield judged, judged.verdicts[start : end + 1]
