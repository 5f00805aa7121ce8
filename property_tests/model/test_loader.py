"""Laws of loading: any bytes are a document or a list of problems, and a document survives being written."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from property_tests import farms
from reconciler.model import shape, yaml
from reconciler.model.documents import Document, to_builtins
from reconciler.model.loader import kind_for_path, load
from reconciler.model.problems import DocumentError

EXAMPLE = Path(__file__).parents[2] / "example-repo"


@cache
def example_texts() -> dict[str, bytes]:
    files = (path for path in sorted(EXAMPLE.rglob("*.yaml")))
    return {str(path.relative_to(EXAMPLE)): path.read_bytes() for path in files}


PATHS = tuple(example_texts())


def judged(path: str, data: bytes) -> Document | None:
    """The document, or None after looking at the problems."""
    try:
        return load(path, data)
    except DocumentError as error:
        lines = data.count(b"\n") + 2
        assert error.problems
        assert all(problem.path == path and 1 <= problem.line <= lines for problem in error.problems)
        assert all(problem.column >= 1 and problem.code and problem.message for problem in error.problems)
        return None


@given(st.sampled_from(PATHS), st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_document_or_problems(path: str, data: bytes) -> None:
    judged(path, data)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of the example with some bytes cut out, put in or doubled."""
    path = draw(st.sampled_from(PATHS))
    data = example_texts()[path]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        filling = draw(
            st.binary(max_size=8) | st.sampled_from((b"\n", b"  ", b": ", b"0", data[start:end] * 2))
        )
        data = data[:start] + filling + data[end:]
    return path, data


@given(damaged())
def test_a_damaged_file_is_a_document_or_problems(file: tuple[str, bytes]) -> None:
    judged(*file)


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-5, 70000)
    | st.sampled_from(("", "x", "web\n"))
    | st.just([])
    | st.just({})
)


@st.composite
def altered_values(draw: st.DrawFn) -> tuple[str, yaml.Value]:
    """A value of the example with one member replaced, removed or added."""
    path = draw(st.sampled_from(PATHS))
    value = yaml.read(example_texts()[path])
    inside = value
    while isinstance(inside, (dict, list)) and inside:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        key = draw(st.sampled_from(keys))
        member = inside[key]  # type: ignore[index, call-overload]
        if not isinstance(member, (dict, list)) or not member or draw(st.booleans()):
            draw(st.sampled_from((_replace, _remove, _add)))(inside, key, draw(ODD))
            break
        inside = member
    return path, value


def _replace(inside: yaml.Value, key: str | int, odd: yaml.Value) -> None:
    inside[key] = odd  # type: ignore[index, call-overload]


def _remove(inside: yaml.Value, key: str | int, odd: yaml.Value) -> None:
    del inside[key]  # type: ignore[union-attr, arg-type]


def _add(inside: yaml.Value, key: str | int, odd: yaml.Value) -> None:
    if isinstance(inside, dict):
        inside[f"{key}X"] = odd
    elif isinstance(inside, list):
        inside.append(odd)


@given(altered_values())
def test_what_explains_a_refusal_agrees_with_what_refuses(altered: tuple[str, yaml.Value]) -> None:
    path, value = altered
    kind = kind_for_path(path)
    assert kind is not None
    try:
        msgspec.convert(value, kind, strict=True)
        fits = isinstance(value, dict) and "kind" in value
    except msgspec.ValidationError:
        fits = False
    assert fits == (shape.explain(value, kind) == [])


@given(altered_values())
def test_an_altered_document_is_a_document_or_problems(altered: tuple[str, yaml.Value]) -> None:
    path, value = altered
    judged(path, json.dumps(value, indent=1).encode())


# --- Documents that are right --------------------------------------------------------------------------


@given(farms.fleets(farms=2, nodes=2, networks=2))
def test_a_document_survives_being_written(fleet: farms.Fleet) -> None:
    for path, document in fleet.documents.items():
        assert load(path, json.dumps(to_builtins(document)).encode()) == document


@given(farms.fleets(farms=1, nodes=2, networks=1), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(fleet: farms.Fleet, random: object) -> None:
    shuffle: Callable[[list[object]], None] = random.shuffle  # type: ignore[attr-defined]
    for path, document in fleet.documents.items():
        assert load(path, json.dumps(shuffled(to_builtins(document), shuffle)).encode()) == document


def shuffled(value: object, shuffle: Callable[[list[object]], None]) -> object:
    if isinstance(value, list | tuple):
        return [shuffled(item, shuffle) for item in value]
    if not isinstance(value, dict):
        return value
    keys: list[object] = list(value)
    shuffle(keys)
    return {key: shuffled(value[key], shuffle) for key in keys}
