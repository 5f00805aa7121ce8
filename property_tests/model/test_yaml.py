"""Laws of the YAML reader: whatever comes in, a value or a YamlError comes out; what is written is read."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reconciler.model import yaml
from reconciler.model.yaml import MAX_DEPTH, MAX_NODES, YamlError

# Pieces that YAML gives a meaning, so that random text gets beyond the first error.
PIECES = (
    *("a", "b: ", "- ", "? ", ": ", "\n", "\n  ", "\n    ", "[", "]", "{", "}", ",", "\t", "\r\n", "\\", "#"),
    *(
        "&x ",
        "*x",
        "!t ",
        "!!str ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<: ",
        "'",
        '"',
        "|\n",
        ">-\n",
        "@",
        "`",
    ),
    *("~", "null", "010", "-1", "1.5", "no", "2001:db8::1", "11:22:33", '"\\u0041"', "é"),
    *("\u202e", "\x00", "\ufeff"),
)
SCALARS = (
    "",
    "x",
    "no",
    "010",
    "1.5",
    "11:22",
    "'it''s'",
    '"a\\tb"',
    "[a, b: c]",
    "{a: [], b}",
    "|",
    ">-",
    "# c",
    "x # c",
)
lines = st.tuples(
    st.sampled_from(("", "", "  ", "    ")),
    st.sampled_from(("", "", "- ", "- - ")),
    st.sampled_from(("a: ", "b: ", "'c': ", "", "2001:db8::1: ")),
    st.sampled_from(SCALARS),
).map("".join)
block_like = st.lists(lines, max_size=6).map("\n".join)
yaml_like = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)

# Text that may stand in a file: no controls, no surrogates, none of the refused format characters.
plain_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Cn", "Co")), max_size=12
)
scalars = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | plain_text
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200) | yaml_like.map(str.encode) | st.text(max_size=80).map(str.encode))
@example(b"\xef\xbb\xbf")
@example(b"- - - ? - a")
def test_any_bytes_give_a_value_or_a_yaml_error(data: bytes) -> None:
    try:
        value = yaml.read(data)
    except YamlError as error:
        assert error.mark.line >= 1
        assert error.mark.column >= 1
        assert error.mark.line <= data.count(b"\n") + 2
    else:
        assert depth_of(value) <= MAX_DEPTH
        assert nodes_of(value) <= MAX_NODES
        assert yaml.locate(data).values.keys() == set(pointers_of(value))


@given(values)
def test_what_json_writes_is_read(value: object) -> None:
    assert yaml.read(json.dumps(value, ensure_ascii=False).encode()) == value


@given(values)
def test_what_json_writes_in_ascii_is_read(value: object) -> None:
    bmp = json.dumps(value).encode()
    if b"\\ud" not in bmp:  # YAML has no surrogate pairs: \U0001f600 is written in another way
        assert yaml.read(bmp) == value


@given(yaml_like | block_like)
def test_what_is_read_is_what_another_parser_of_yaml_1_2_reads(text: str) -> None:
    """Where both read a mapping or list, structure and texts agree.

    Seen to differ: of `|` at the top and `#` unindented on the next line, one makes a comment, one text.
    """
    try:
        ours, theirs = yaml.read(text.encode()), untyped(text)
    except (YamlError, YAMLError):
        return
    if isinstance(ours, dict | list):
        assert texts_of(ours) == texts_of(theirs)


def untyped(text: str) -> object:
    """ruamel.yaml's own reading, every scalar as it is written."""
    parser = YAML(typ="base", pure=True)
    return parser.load(text)


def texts_of(value: object) -> object:
    """The structure with every scalar as `base` shows it, all that mean null, true and false as one."""
    if isinstance(value, dict):
        return {str(key): texts_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [texts_of(item) for item in value]
    text = "" if value is None else str(value)
    return {"null": "", "~": "", "Null": "", "NULL": ""}.get(
        text, text.lower() if text in ("True", "False") else text
    )


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def nodes_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + nodes_of(item) for item in value.values())
    return 1 + sum(map(nodes_of, value)) if isinstance(value, list) else 1


def pointers_of(value: object, at: yaml.Pointer = ()) -> list[yaml.Pointer]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [at, *(pointer for key, item in members for pointer in pointers_of(item, (*at, key)))]
