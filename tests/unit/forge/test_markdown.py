"""A comment holds what others wrote, and none of it does anything: read back by a Markdown parser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from reconciler.engine.plan import plan
from reconciler.engine.result import NotStarted
from reconciler.forge.effects import NodeEffect, NodePlan, Remark
from reconciler.forge.landing import Strategy
from reconciler.forge.markdown import MARKER, MAX_BYTES, comment
from reconciler.forge.request import Judged, Obstacle, Outcome
from reconciler.kernel.graph import Graph, Observed
from reconciler.kernel.objects import Bridge, Namespace
from reconciler.ledger.repository.objects import CommitId
from reconciler.ledger.verdict import Reason, Signer, Verdict

BASE, HEAD = CommitId("b" * 40), CommitId("a" * 40)
HOSTILE = (
    "@everyone see #1 and !2, [click](https://evil.example) ![x](https://evil.example/x.png)",
    "`` ` ``` | | </details><script>alert(1)</script><img src=x onerror=y>",
    "x\n\n# heading\n/merge\n/close\n| a | b |\n|---|---|",
    "``` \n</details>\n@root\n```",
    "&#64;everyone &lt;b&gt; https://evil.example www.evil.example a@evil.example",
    "\u202egnp.exe \u200b \x1b[31m \x00 \x07",
    "<!-- tnet check -->",
    "~~~\n@x\n~~~",
    "`",
    "\\`@x\\`",
    "|",
    "\\",
    " ",
    "",
)
OUR_HTML = re.compile(r"<!-- tnet check -->|</?details>|<summary>[a-z0-9/-]*</summary>")

text = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=60), st.text(alphabet="`|@<>[]()!#\n\\/~ a", max_size=40)
)


def verdict(subject: str, reason: Reason, detail: str = "", hint: str = "", signer: str = "dave") -> Verdict:
    signers = (Signer("tenant acme", signer, "SHA256:x"),)
    return Verdict(HEAD, 7, reason, detail, signers, (), subject, "", 0, "0" * 64, hint)


def effect(words: str, objects: int = 1) -> NodeEffect:
    links = [Bridge(f"tnet-{number}", "b", 1500, "02:00:00:00:00:01") for number in range(objects)]
    graph = Graph.of("owner", [*(Namespace(f"tnet-{number}") for number in range(objects)), *links])
    found = plan(graph, Observed())
    shown = NodePlan((found,), (NotStarted("owner", words),), {"owner": words})
    return NodeEffect("paris/p1", shown, (Remark(words, "Suspended", words),))


def outcome(words: str, objects: int = 1, transactions: int = 2, nodes: int = 1) -> Outcome:
    judged = [Judged(verdict(words, Reason.VIOLATION, words, words, words))] * (transactions - 1)
    return Outcome(
        BASE,
        HEAD,
        Strategy.MERGE,
        (*judged, Judged(verdict(words, Reason.ACCEPTED), HEAD)),
        (effect(words, objects),) * nodes,
        Obstacle("conflict", words, words),
    )


def tokens(markdown: str) -> Iterator[Token]:
    """All of them, those within a line too."""
    parser = MarkdownIt("commonmark").enable("table")
    for token in parser.parse(markdown):
        yield token
        yield from token.children or ()


def require_harmless(markdown: str) -> None:
    seen = list(tokens(markdown))
    kinds = {token.type for token in seen}
    assert not kinds & {"link_open", "image", "blockquote_open", "hr", "code_block", "ordered_list_open"}
    for token in seen:
        if token.type in ("html_block", "html_inline"):
            assert OUR_HTML.sub("", token.content).strip() == "", token.content
        if token.type == "text":
            assert not re.search(r"[@#!<>\[\]|]|https?:|www\.", token.content), token.content
        if token.type == "heading_open":
            assert token.tag == "h3"
    assert sum(token.type == "heading_open" for token in seen) == 1
    assert not re.search(r"^/", markdown, re.MULTILINE)
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\x00-\x09\x0b-\x1f\x7f]", markdown)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_do_nothing(words: str) -> None:
    require_harmless(comment(outcome(words)))


@given(text)
def test_no_words_do_anything(words: str) -> None:
    require_harmless(comment(outcome(words)))


@given(text)
def test_words_change_nothing_about_the_form(words: str) -> None:
    """The same tables with the same cells, whatever is in them."""

    def form(markdown: str) -> list[str]:
        shaped = (
            "table",
            "tr_open",
            "td_open",
            "th_open",
            "fence",
            "html_block",
            "heading_open",
            "list_item_open",
        )
        return [token.type for token in tokens(markdown) if token.type in shaped]

    def one_line(told: str) -> bool:
        return bool(told.strip()) and len(told.splitlines()) == 1

    if one_line(words):
        assert form(comment(outcome(words))) == form(comment(outcome("x")))


def test_our_comment_is_known_by_its_first_line() -> None:
    assert comment(outcome("x")).startswith(MARKER + "\n")


@pytest.mark.parametrize(
    ("objects", "transactions", "nodes"), [(3000, 2, 1), (40, 500, 30), (5, 2, 2000), (1, 9000, 1)]
)
def test_a_comment_fits_whatever_there_is_to_say(objects: int, transactions: int, nodes: int) -> None:
    said = comment(outcome("w\u00fcrde \U0001f600" * 60, objects, transactions, nodes))
    assert len(said.encode("utf-8")) <= MAX_BYTES < 65_536
    require_harmless(said)


def test_what_does_not_fit_is_said_to_be_missing() -> None:
    said = comment(outcome("x", objects=40, nodes=900))
    assert "and the plans of" in said
    assert "tnet check -v" in said


def test_a_long_plan_is_summed_up_where_the_whole_does_not_fit() -> None:
    said = comment(outcome("x", objects=3000))
    assert "Plan: 6000 to add" in said
    assert "link b in tnet-2999" not in said


def test_rejected_transactions_come_first_and_each_advice_once() -> None:
    said = comment(outcome("words", transactions=90))
    rows = [line for line in said.splitlines() if line.startswith(("| \u274c", "| \u2705"))]
    assert rows[0].startswith("| \u274c")
    assert "and 50 more transactions" in said
    assert said.count("- `words`") == 1
