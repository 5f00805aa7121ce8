"""Laws of editing YAML text, over documents and layouts nobody thought of."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reconciler.authoring import yaml_write
from reconciler.authoring.yaml_update import update

names = st.text("abcdefg", min_size=1, max_size=3)
scalars = st.one_of(
    st.integers(-5, 100000),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=12),
    st.sampled_from(["no", "1.5", "0x1", "a: b", "# c", "- d", "", "~", "'", '"', "10.0.0.0/8"]),
)
items = st.fixed_dictionaries({"name": names}, optional={"v": scalars, "list": st.lists(scalars, max_size=3)})
documents = st.fixed_dictionaries(
    {},
    optional={
        "kind": scalars,
        "items": st.lists(items, max_size=4, unique_by=lambda item: item["name"]),
        "words": st.lists(names, max_size=3, unique=True),
        "spec": st.dictionaries(names, st.one_of(scalars, items), max_size=3),
    },
)
layouts = st.tuples(st.sampled_from([(4, 2), (2, 0), (6, 3)]), st.sampled_from([None, False, True]))


def written(document: Any, layout: tuple[tuple[int, int], bool | None]) -> str:
    """The document as some person's tool would write it: dashes here or there, flow style or not."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 1 << 20
    (sequence, offset), yaml.default_flow_style = layout
    yaml.indent(sequence=sequence, offset=offset)
    stream = io.StringIO()
    yaml.dump(document, stream)
    assume(_reads_back(stream.getvalue(), document))
    return stream.getvalue()


def _reads_back(text: str, document: Any) -> bool:
    """The dumper writes some strings wrongly in flow style (`{v: : 0}`)."""
    try:
        return bool(read(text) == document)
    except YAMLError:
        return False


def commented(text: str) -> str:
    """A comment above every top-level entry and at both ends, so that there is something to lose."""
    lines = [f"# about {line}\n{line}" if line[:1].isalpha() else line for line in text.splitlines()]
    return "# top\n" + "\n".join(lines) + "\n# bottom\n"


def read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


@given(documents, documents, layouts)
def test_the_text_says_what_was_asked_for(
    old: dict[str, Any], new: dict[str, Any], layout: tuple[tuple[int, int], bool | None]
) -> None:
    text = commented(written(old, layout))
    if new:
        assert read(update(text, old, new)) == new


@given(documents, layouts)
def test_what_is_not_asked_for_stays(
    document: dict[str, Any], layout: tuple[tuple[int, int], bool | None]
) -> None:
    text = commented(written(document, layout))
    assert update(text, document, document) == text


@given(documents, scalars, layouts.filter(lambda layout: not layout[1]))
def test_comments_survive_a_new_entry(
    document: dict[str, Any], value: Any, layout: tuple[tuple[int, int], bool | None]
) -> None:
    text = commented(written(document, layout))
    after = update(text, document, {**document, "fresh": value}).splitlines()
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in after if line.startswith("#")
    ]


@given(documents.filter(bool))
def test_what_is_written_anew_reads_back(document: dict[str, Any]) -> None:
    assert read(yaml_write.block(document)) == document
    assert read(yaml_write.flow(document)) == document
