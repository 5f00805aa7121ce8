"""An outcome as a comment for a request, in the Markdown that GitHub, GitLab and Forgejo have in common.

Nothing in it that somebody else wrote (subjects, names, messages, paths) stands anywhere but in code: a code
span or a fenced block. There forges make nothing of it: no HTML, link, picture, mention or reference to an
issue. Entities wouldn't do: GitHub looks for mentions after they are resolved. A span's delimiter, and the
bar that ends a table's cell, can't be in it: both are replaced by letters that look like them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from reconciler.forge.effects import NodeEffect
from reconciler.forge.landing import Strategy
from reconciler.forge.plan_lines import headline, lines
from reconciler.forge.request import Judged, Outcome

MARKER = "<!-- tnet check -->"
"""The first line, by which an earlier comment is found to be put in its place."""
MAX_BYTES = 60_000
"""GitHub takes 65,536 characters; others take more."""
MAX_ROWS = 40
"""Of each table; what is rejected comes first."""
TABLE_BYTES = 16_000
"""Of each table and list, also where its rows are fewer."""
MAX_CELL = 300
_ROOM_BYTES = 400
"""What the last lines may take."""

_LANDED = {
    Strategy.FAST_FORWARD: "pushed as it is (fast-forward)",
    Strategy.MERGE: "merged by the forge with a merge commit",
    Strategy.REBASE: "rebased by the forge",
    Strategy.SQUASH: "squashed by the forge",
}
_LOOKALIKES = str.maketrans({"`": "\u02cb", "|": "\u00a6"})


def comment(outcome: Outcome) -> str:
    """The whole comment, at most `MAX_BYTES` long in UTF-8."""
    parts = [f"{MARKER}\n{_verdict(outcome)}", _transactions(outcome), _advice(outcome), _nodes(outcome)]
    text = "\n\n".join(part for part in parts if part)
    return _with_details(text, outcome.nodes) + "\n"


# --- the parts -----------------------------------------------------------------------------------------


def _verdict(outcome: Outcome) -> str:
    count = len(outcome.transactions)
    told = f"`{outcome.head[:12]}` on `{outcome.base[:12]}`, {_LANDED[outcome.strategy]}"
    if outcome.obstacle is not None:
        return f"### tnet: nodes would not get this\n\n{told}: {code(outcome.obstacle.message)}"
    if not count:
        return f"### tnet: nothing new\n\n{told}: the ledger has it already."
    if outcome.ok:
        return f"### tnet: nodes would accept this\n\n{told}: {_number(count, 'transaction')}."
    refused = sum(not each.verdict.accepted for each in outcome.transactions)
    return (
        f"### tnet: nodes would reject this\n\n{told}: {refused} of {_number(count, 'transaction')} rejected."
    )


def _transactions(outcome: Outcome) -> str:
    if not outcome.transactions:
        return ""
    ordered = sorted(outcome.transactions, key=lambda each: each.verdict.accepted)
    head = "| | commit | what | signed by | verdict |\n|---|---|---|---|---|\n"
    return head + _rows(map(_transaction_row, ordered), len(ordered), "transactions")


def _transaction_row(each: Judged) -> str:
    verdict = each.verdict
    signers = ", ".join(str(signer) for signer in verdict.signers)
    why = verdict.code if verdict.accepted else f"{verdict.code}: {verdict.detail}"
    sign = "✅" if verdict.accepted else "❌"
    commit = each.stands_for or verdict.commit
    return f"| {sign} | `{commit[:12]}` | {code(verdict.subject)} | {code(signers)} | {code(why)} |"


def _advice(outcome: Outcome) -> str:
    """What to do, each advice once."""
    told = [each.verdict.advice for each in outcome.transactions if not each.verdict.accepted]
    if outcome.obstacle is not None:
        told.append(outcome.obstacle.advice)
    lines = (code(line) for advice in dict.fromkeys(told) for line in advice.splitlines())
    found = [f"- {line}" for line in lines if line]
    return f"What to do:\n\n{_rows(found, len(found), 'lines')}" if found else ""


def _nodes(outcome: Outcome) -> str:
    if not outcome.nodes:
        return "" if outcome.obstacle or not outcome.transactions else "No node would do anything."
    head = "| node | what it would do |\n|---|---|\n"
    rows = (f"| {code(each.node)} | {code(headline(each))} |" for each in outcome.nodes)
    return head + _rows(rows, len(outcome.nodes), "nodes")


def _rows(rows: Iterable[str], count: int, what: str) -> str:
    """As many of them as there is room for."""
    told, room = list[str](), TABLE_BYTES
    for row in itertools.islice(rows, MAX_ROWS):
        room -= _size(row) + 1
        if room < 0:
            break
        told.append(row)
    left = f"\n\n… and {count - len(told)} more {what}" if len(told) < count else ""
    return "\n".join(told) + left


# --- the plans, as far as there is room ------------------------------------------------------------------


def _with_details(text: str, nodes: Sequence[NodeEffect]) -> str:
    """Each node's plans, folded up: whole, or else in short, or else not at all."""
    room, left_out = MAX_BYTES - _ROOM_BYTES - _size(text), 0
    for effect in nodes:
        block = next((each for each in _details(effect) if _size(each) <= room), None)
        if block is None:
            left_out += 1
            continue
        text, room = text + block, room - _size(block)
    if not left_out:
        return text
    return f"{text}\n\n… and the plans of {_number(left_out, 'more node')}: run `tnet check -v`"


def _details(effect: NodeEffect) -> Iterator[str]:
    for whole in (True, False):
        told = list(lines(effect, whole))
        if told:
            summary = f"<details><summary>{_letters(effect.node)}</summary>"
            yield f"\n\n{summary}\n\n{fenced(told)}\n\n</details>"


def _size(text: str) -> int:
    return len(text.encode("utf-8"))


# --- what others wrote ------------------------------------------------------------------------------------


def code(text: str) -> str:
    """A code span for a table's cell or a list; empty for nothing."""
    shown = _shown(text).translate(_LOOKALIKES).strip()
    if len(shown) > MAX_CELL:
        shown = shown[: MAX_CELL - 1] + "…"
    return f"`{shown}`" if shown else ""


def fenced(told: Iterable[str]) -> str:
    """A block of code, its fence longer than any row of backticks in it. No line begins with a slash: should
    a forge ever look for its commands (GitLab's `/merge`) in code, it finds none."""
    lines = (_shown(line) for entry in told for line in entry.split("\n"))
    text = "\n".join(f" {line}" if line.startswith("/") else line for line in lines)
    longest = max((len(row) for row in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _shown(text: str) -> str:
    """What isn't printable is escaped: line feeds, terminal codes, marks that turn the writing around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _letters(name: str) -> str:
    """A node's name, which by our own rules has nothing but these."""
    return re.sub(r"[^a-z0-9/-]", "", name)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
