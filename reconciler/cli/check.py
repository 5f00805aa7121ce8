"""`tnet check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checking import GOVERNED_DIRECTORIES, problems
from reconciler.authoring.worktree import WorkTree
from reconciler.cli import exits, request_text
from reconciler.cli.log import as_plain, lines
from reconciler.cli.names import TRANSACTIONS
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, print_json, say
from reconciler.cli.pinned_ledger import PinnedLedger, anchor_options, pinned
from reconciler.forge import markdown
from reconciler.forge.landing import Strategy
from reconciler.forge.request import judge_request
from reconciler.ledger.anchor import AnchorUnknown
from reconciler.ledger.verdict import Verdict
from reconciler.model.model import EMPTY
from reconciler.model.problems import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of files came to: their problems, the verdict if they are right by themselves, and what to
    say if all is well."""

    problems: tuple[Problem, ...]
    verdicts: tuple[Verdict, ...]
    summary: str

    @property
    def ok(self) -> bool:
        return not self.problems and all(verdict.accepted for verdict in self.verdicts)


@click.command(
    epilog=example(
        "tnet check",
        "tnet check origin/main..HEAD",
        "tnet check origin/main..topic --merge -v",
        "tnet check main..refs/pull/7/head --merge -o markdown --anchor 3f1c… --root-key SHA256:Qm9v…",
    )
)
@click.argument("commits", type=TRANSACTIONS, required=False, metavar="[BASE..HEAD]")
@click.option("--merge", "strategy", flag_value="merge", help="The forge makes a merge commit.")
@click.option("--rebase", "strategy", flag_value="rebase", help="The forge makes a copy of each commit.")
@click.option("--squash", "strategy", flag_value="squash", help="The forge makes one copy of all commits.")
@click.option("--fast-forward", "strategy", flag_value="fast-forward", help="The commits as they are.")
@click.option("-v", "--verbose", is_flag=True, help="Every object of every plan.")
@anchor_options
@repo_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For a person, for a program, or as a comment for a forge (BASE..HEAD only).",
)
@click.pass_context
def command(
    ctx: click.Context,
    commits: str | None,
    strategy: str | None,
    verbose: bool,
    anchor: str | None,
    root_keys: tuple[str, ...],
    repo: Path,
    output: str,
) -> None:
    """Would it be accepted, why not, and what would each node do?

    Without an argument: the documents in your work tree that aren't committed yet. With BASE..HEAD: the
    transactions that would follow BASE (the ledger's branch) if HEAD were landed, as nodes would judge
    them, and the plan of every node that they touch. Unless you say how it is landed: as it is where it can
    be pushed to BASE, otherwise by the forge's merge. Nothing in the repository is changed.

    Exit code 1 if anything would be rejected.
    """
    if commits is not None:
        ctx.exit(_check_request(commits, strategy, pinned(repo, anchor, root_keys), output, verbose))
    if strategy is not None or output == "markdown":
        raise click.UsageError(
            "--merge, --rebase, --squash, --fast-forward and -o markdown are for BASE..HEAD"
        )
    found = _check_files(WorkTree.open(repo))
    _tell(found, output)
    ctx.exit(exits.OK if found.ok else exits.FAILED)


def _check_request(
    commits: str, strategy: str | None, ledger: PinnedLedger, output: str, verbose: bool
) -> int:
    base, head = _ends(commits)
    landed = None if strategy is None else Strategy(strategy)
    outcome = judge_request(ledger.git_dir, ledger.anchor, base, head, landed)
    if output == "json":
        print_json(request_text.plain(outcome))
    elif output == "markdown":
        click.echo(markdown.comment(outcome), nl=False)
    else:
        click.echo("\n".join(request_text.text(outcome, verbose)))
    return exits.OK if outcome.ok else exits.FAILED


def _ends(commits: str) -> tuple[str, str]:
    base, dots, head = commits.partition("..")
    if not dots or not base or head.startswith("."):
        raise click.UsageError(f"{commits!r} is not BASE..HEAD, as in origin/main..HEAD")
    return base, head or "HEAD"


def _check_files(tree: WorkTree) -> Finding:
    try:
        author = Author.open(tree.root)
    except AnchorUnknown as unknown:
        say(f"{unknown}: every document is looked at, and no signature\n  {unknown.advice}")
        return _check_all(tree)
    with author:
        return _check_changed(author)


def _check_changed(author: Author) -> Finding:
    tree = author.tree
    changed = {path: tree.read(path) for path in tree.dirty(GOVERNED_DIRECTORIES)}
    if not changed:
        return Finding((), (), "no document differs from HEAD; of commits: tnet check BASE..HEAD")
    found = problems(author.model, changed)
    verdict = author.replay.check_worktree(tree.root)
    verdicts = () if found or verdict.accepted else (verdict,)
    summary = f"{_count(changed, 'changed document')}, nothing wrong; next: tnet commit"
    return Finding(found, verdicts, summary)


def _check_all(tree: WorkTree) -> Finding:
    contents = {path: tree.read(path) for path in _documents(tree.root)}
    return Finding(problems(EMPTY, contents), (), f"{_count(contents, 'document')}, nothing wrong")


def _documents(root: Path) -> list[str]:
    files = (file for name in GOVERNED_DIRECTORIES for file in (root / name).rglob("*"))
    return sorted(str(file.relative_to(root)) for file in files if file.is_file())


def _count(items: Sequence[object] | Mapping[str, object], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _tell(found: Finding, output: str) -> None:
    if output == "json":
        return print_json(
            {
                "ok": found.ok,
                "problems": [_plain_problem(problem) for problem in found.problems],
                "transactions": [as_plain(verdict) for verdict in found.verdicts],
            }
        )
    for problem in found.problems:
        click.echo(str(problem))
        if problem.advice:
            click.echo(f"  {problem.advice}")
    for verdict in found.verdicts:
        click.echo("\n".join(lines(verdict)))
    click.echo(found.summary if found.ok else "nodes would reject this")
    return None


def _plain_problem(problem: Problem) -> dict[str, object]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "pointer": problem.pointer,
        "code": problem.code,
        "message": problem.message,
        "advice": problem.advice,
    }
