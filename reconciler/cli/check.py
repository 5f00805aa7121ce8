"""`tnet check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.authoring.author import Author
from reconciler.authoring.checking import GOVERNED_DIRECTORIES, problems
from reconciler.authoring.worktree import WorkTree
from reconciler.cli import exits
from reconciler.cli.log import as_plain, lines
from reconciler.cli.options import repo_option
from reconciler.cli.output import example, output_option, print_json, say
from reconciler.ledger.anchor import AnchorUnknown
from reconciler.ledger.verdict import Verdict
from reconciler.model.model import EMPTY
from reconciler.model.problems import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to: problems of files, verdicts on commits, and what to say if all is well."""

    problems: tuple[Problem, ...]
    verdicts: tuple[Verdict, ...]
    summary: str

    @property
    def ok(self) -> bool:
        return not self.problems and all(verdict.accepted for verdict in self.verdicts)


@click.command(
    epilog=example("tnet check", "tnet check origin/main..HEAD", "tnet check origin/main..topic -o json")
)
@click.argument("commits", required=False, metavar="[BASE..HEAD]")
@repo_option
@output_option
@click.pass_context
def command(ctx: click.Context, commits: str | None, repo: Path, output: str) -> None:
    """Would it be accepted, and why not?

    Without an argument: the documents in your work tree that aren't committed yet. With BASE..HEAD: every
    commit from BASE (what is pushed) to HEAD, as nodes would judge it. Exit code 1 if anything would be
    rejected.
    """
    tree = WorkTree.open(repo)
    found = _check_range(tree, commits) if commits else _check_files(tree)
    _tell(found, output)
    ctx.exit(exits.OK if found.ok else exits.FAILED)


def _check_range(tree: WorkTree, commits: str) -> Finding:
    base, dots, head = commits.partition("..")
    if not dots or not base or head.startswith("."):
        raise click.UsageError(f"{commits!r} is not BASE..HEAD, as in origin/main..HEAD")
    with Author.open(tree.root) as author:
        verdicts = author.judged(tree.resolve(head or "HEAD")).since(tree.resolve(base))
    return Finding((), verdicts, f"{_count(verdicts, 'transaction')}, all accepted")


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
