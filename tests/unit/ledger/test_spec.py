"""The specification names every reason and alarm, and says of each reason what the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.ledger import bounds
from reconciler.ledger.chain import effective
from reconciler.ledger.repository import objects
from reconciler.ledger.signatures import sshsig
from reconciler.ledger.verdict import Reason
from reconciler.ledger.view import AlarmKind

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "spec" / "ledger.md").read_text("utf-8")


def test_every_reason_is_in_the_table_and_nothing_else() -> None:
    section = PAGE.partition("## 11. Reasons")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (yes|no) \|", section, re.MULTILINE))
    assert rows == {reason.value: "yes" if reason.accepted else "no" for reason in Reason}


def test_every_rejection_has_an_advice() -> None:
    assert all(reason.advice for reason in Reason if not reason.accepted)


def test_every_rejection_is_said_where_it_is_given() -> None:
    rules = PAGE.partition("## 11. Reasons")[0]
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in rules] == ["anchor"]


def test_every_alarm_is_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## 6.")[2].partition("## 7.")[0], re.MULTILINE)
    assert rows == sorted(rows, key=rows.index)
    assert set(rows) == {kind.value for kind in AlarmKind}


def test_bounds_are_as_written() -> None:
    assert (bounds.MAX_PATHS, bounds.MAX_MERGED_COMMITS, bounds.MAX_MERGE_WORK) == (10_000, 10_000, 1_000_000)
    assert bounds.MAX_NEAREST_AUTHORS == 64
    assert (bounds.MAX_DOCUMENT_BYTES, objects.MAX_COMMIT_BYTES) == (256 << 10, 128 << 10)
    assert (objects.MAX_PARENTS, sshsig.MAX_ARMOR_BYTES) == (64, 16 << 10)
    assert (bounds.MAX_LISTED, bounds.MAX_DEPTH, bounds.MAX_PATH_BYTES) == (100_000, 16, 512)
    assert (bounds.MAX_TRANSACTION_BYTES, effective.MAX_ROOT_BYTES) == (32 << 20, 1 << 20)


def test_the_code_cites_every_section_and_none_that_is_not_there() -> None:
    there = set(re.findall(r"^###? ([\d.]+?)\.? ", PAGE, re.MULTILINE))
    cited = set()
    for path in (ROOT / "reconciler").rglob("*.py"):
        text = " ".join(path.read_text("utf-8").split())
        places = re.findall(r'docs/spec/ledger\.md, ("[^"]*"|sections? [\d., and]*\d)', text)
        cited |= {number for place in places for number in re.findall(r"[\d.]*\d|\"", place)}
    assert cited <= there
    assert {str(number) for number in range(2, 14)} <= cited


# --- the rules in short -------------------------------------------------------------------------------


def rules() -> dict[int, str]:
    """The appendix, by number."""
    appendix = PAGE.partition("## Appendix: the rules in short")[2]
    found = re.findall(r"^(\d+)\. (.+)$", appendix, re.MULTILINE)
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1))
    return {int(number): text for number, text in found}


def marked(source: str) -> Iterator[int]:
    """The numbers in `pytest.mark.rule(...)` on test functions, and on modules that have some."""
    tree = ast.parse(source)
    tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    tests = [node for node in tests if node.name.startswith("test_")]
    for test in tests:
        for decorator in test.decorator_list:
            yield from numbers_of(decorator)
    for statement in tree.body if tests else ():
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            for node in ast.walk(statement.value):
                yield from numbers_of(node)


def numbers_of(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rule":
        yield from (ast.literal_eval(argument) for argument in node.args)


def test_every_rule_has_a_test_that_names_it_and_no_test_names_another() -> None:
    sources = [path for room in ("tests", "property_tests") for path in (ROOT / room).rglob("test_*.py")]
    found = {number for path in sources for number in marked(path.read_text("utf-8"))}
    assert found == set(rules()) == set(range(1, 26))


def test_marks_are_found_where_pytest_takes_them_from() -> None:
    source = """
import pytest
pytestmark = [pytest.mark.rule(1), pytest.mark.slow]
@pytest.mark.rule(2, 3)
@pytest.mark.parametrize("x", [pytest.mark.rule(9)])
def test_it(): ...
@pytest.mark.rule(4)
def helper(): ...
"""
    assert set(marked(source)) == {1, 2, 3}
    assert not set(marked("import pytest\npytestmark = pytest.mark.rule(1)\n"))


@pytest.mark.parametrize("number", range(1, 26))
def test_each_rule_leads_to_where_it_is_specified(number: int) -> None:
    place = rules()[number].rpartition(". (")[2]
    assert place.endswith(")")
    links = re.findall(r"\]\(([\w.-]+)(?:#([\w-]+))?\)", place)
    sections = re.findall(r"\d+(?:\.\d+)?", re.sub(r"\[.*?\]\(.*?\)|steps? \d+( and \d+)?", "", place))
    assert sections or links
    for section in sections:
        assert re.search(rf"^###? {re.escape(section)}\.? ", PAGE, re.MULTILINE), section
    for page, heading in links:
        assert not heading or heading in headings_of(page), (page, heading)


def headings_of(page: str) -> set[str]:
    """As links name them."""
    lines = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "spec" / page).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w-]", "", line.lower().replace(" ", "-")) for line in lines}


# --- privacy ------------------------------------------------------------------------------------------


@pytest.mark.rule(25)
@pytest.mark.parametrize("page", ["docs/spec/ledger.md", "docs/spec/tenant.md", "docs/user-guide.md"])
def test_that_all_of_it_is_read_by_all_for_ever_is_said_where_people_write(page: str) -> None:
    text = " ".join((ROOT / page).read_text("utf-8").split())
    assert re.search(
        r"can read the repository (can )?reads? (it|everything in it|all of it),? for ever", text
    )
    assert "pseudonyms" in text
