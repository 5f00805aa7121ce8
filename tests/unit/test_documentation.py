"""The documentation is whole: every link leads somewhere, every page is listed, every verb is told of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.cli.lazy import Branch
from reconciler.cli.verbs import VERBS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
GUIDES = ("user-guide.md", "operations.md", "lab.md")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")

VERB_WORDS = [
    words
    for name, entry in VERBS.items()
    for words in ([f"{name} {verb}" for verb in entry.verbs] if isinstance(entry, Branch) else [name])
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_its_heading(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name} links to {target}"
        if heading:
            assert heading in headings(file), f"{page.name} links to {target}#{heading}"


def headings(page: Path) -> set[str]:
    """As forges make anchors of them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_in_the_index() -> None:
    index = DOCS / "README.md"
    listed = {(DOCS / target).resolve() for target, _ in LINK.findall(index.read_text(encoding="utf-8"))}
    assert set(DOCS.rglob("*.md")) - {index} == listed


@pytest.mark.parametrize("words", VERB_WORDS)
def test_every_verb_is_in_a_guide(words: str) -> None:
    text = "".join((DOCS / guide).read_text(encoding="utf-8") for guide in GUIDES)
    assert re.search(rf"tnet {re.escape(words)}\b", text), f"no guide shows tnet {words}"
