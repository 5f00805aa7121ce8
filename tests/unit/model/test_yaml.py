"""The YAML that is read, and the YAML that is refused before it costs anything."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from reconciler.model import yaml
from reconciler.model.yaml import Mark, YamlError


def refusal(data: bytes) -> YamlError:
    with pytest.raises(YamlError) as caught:
        yaml.read(data)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-17", -17),
        ("65535", 65535),
        ("999999999999999999", 999999999999999999),
        # text, whatever other parsers make of it
        ("no", "no"),
        ("on", "on"),
        ("y", "y"),
        ("11:22:33:44:55:16", "11:22:33:44:55:16"),
        ("190:20:30", "190:20:30"),
        ("0x10", "0x10"),
        ("010", "010"),
        ("0o7", "0o7"),
        ("+5", "+5"),
        ("1_000", "1_000"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2001-12-14", "2001-12-14"),
        ("-", "-"),
        ("--1", "--1"),
        ("TrUe", "TrUe"),
        ("٣", "٣"),
        ("=", "="),
        ("2001:db8::1", "2001:db8::1"),
        # quoted is always text
        ("'5'", "5"),
        ('"true"', "true"),
        ("''", ""),
        ('"é"', "é"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    data = "- " + text if text != "-" else '["-"]'
    read = yaml.read(data.encode())
    assert read == [value]
    assert isinstance(read, list)
    assert type(read[0]) is type(value)


def test_collections_of_both_styles() -> None:
    data = b"a:\n  - {b: 1, c: [x, 'y']}\n  - |\n    two\n    lines\nd: [2001:db8::1, fe80::/10]\n"
    expected = {"a": [{"b": 1, "c": ["x", "y"]}, "two\nlines\n"], "d": ["2001:db8::1", "fe80::/10"]}
    assert yaml.read(data) == expected


def test_keys_are_text_always() -> None:
    assert yaml.read(b"1: a\ntrue: b\nnull: c\n'<<': d\n") == {"1": "a", "true": "b", "null": "c", "<<": "d"}


@pytest.mark.parametrize(
    ("data", "code", "mark"),
    [
        (b"a: 1\nb: &anchor 2\n", "anchor", (2, 4)),
        (b"a: &m {b: 1}\n", "anchor", (1, 4)),
        (b"- &s [1]\n", "anchor", (1, 3)),
        (b"a: *alias\n", "alias", (1, 4)),
        (b"*alias : 1\n", "key", (1, 1)),
        (b"a: !!python/object:os.system x\n", "tag", (1, 4)),
        (b"a: !!str 1\n", "tag", (1, 4)),
        (b"a: ! 1\n", "tag", (1, 4)),
        (b"a: !!map {b: 1}\n", "tag", (1, 4)),
        (b"!!str a: 1\n", "tag", (1, 1)),
        (b"base: 1\n<<: {a: 1}\n", "merge-key", (2, 1)),
        (b"a: 1\nb:\n  c: 1\n  c: 2\n", "duplicate-key", (4, 3)),
        (b"1: a\n'1': b\n", "duplicate-key", (2, 1)),
        (b"{a: 1, a: 1}\n", "duplicate-key", (1, 8)),
        (b"a: 1\n---\nb: 1\n", "several-documents", (2, 1)),
        (b"--- 1\n--- 2\n", "several-documents", (2, 1)),
        (b"%YAML 1.1\n---\na: 1\n", "directive", (1, 1)),
        (b"%TAG ! tag:x,2000:\n---\na: 1\n", "directive", (1, 1)),
        (b"? [a]\n: 1\n", "key", (1, 3)),
        (b"? {a: b}\n: 1\n", "key", (1, 3)),
        (b": 1\n", "syntax", (1, 1)),
        (b"?\n: 1\n", "key", (1, 2)),
        (b"", "empty", (1, 1)),
        (b"# nothing\n", "empty", (2, 1)),
        (b"a: " + b"9" * 19, "big-integer", (1, 4)),
        (b"a: -" + b"9" * 5000, "big-integer", (1, 4)),
        (b"a: 1\nb: \xff\n", "not-utf8", (2, 4)),
        (b"\xff\xfea\x00:\x00", "not-utf8", (1, 1)),
        (b"a: \xed\xa0\x80\n", "not-utf8", (1, 4)),  # a lone surrogate
        (b"a: \xc0\xaf\n", "not-utf8", (1, 4)),  # an overlong slash
        (b"\xef\xbb\xbfa: 1\n", "character", (1, 1)),
        (b"a: b\x00c\n", "character", (1, 5)),
        (b"a: b\n# \x1b[2J\n", "character", (2, 3)),
        (b"a: b\rc: d\n", "character", (1, 5)),
        ("a: b\u2028c: d\n".encode(), "character", (1, 5)),
        ("a: b\u0085c: d\n".encode(), "character", (1, 5)),
        ("a: x # \u202e hidden\n".encode(), "character", (1, 8)),
        ("é: \u2066x\n".encode(), "character", (1, 4)),
        (rb'a: "\0"', "character", (1, 4)),
        (rb'a: "\e[2J"', "character", (1, 4)),
        (rb'a: "\u202e"', "character", (1, 4)),
        (rb'a: "\r"', "character", (1, 4)),
        (rb'"a\b": 1', "character", (1, 1)),
        (rb'a: "\ud800"', "syntax", (1, 7)),
        (b"a: b: c\n", "syntax", (1, 5)),
        (b"a:\n\t- b\n", "syntax", (2, 1)),
        (b"a: [1, 2\n", "syntax", (2, 1)),
        (b"a: 'x\n", "syntax", (2, 1)),
        (b"a: 1\n b: 2\n", "syntax", (2, 3)),
        (b"[" * 33, "too-deep", (1, 33)),
        (b"[" * 100_000, "too-deep", (1, 33)),
        (b"{a: " * 50_000, "too-deep", (1, 129)),
        (b"- " * 100_000, "too-deep", (1, 65)),
        (b"? " * 100_000, "key", (1, 3)),
        (b"- a\n" * 20_000, "too-many-values", (16384, 3)),
        (b"[" + b"a," * 20_000 + b"]", "too-many-values", (1, 32768)),
        (b"a" * (256 * 1024 + 1), "too-big", (1, 1)),
    ],
)
def test_what_is_refused_and_where(data: bytes, code: str, mark: tuple[int, int]) -> None:
    error = refusal(data)
    assert (error.code, error.mark) == (code, Mark(*mark)), str(error)


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    assert refusal(bomb).code == "anchor"


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 262_144,
        b"{" * 262_144,
        b"[a," * 87_000,
        b"? - " * 65_000,
        b"&a " * 87_000,
        b"!" * 262_144,
        b"'" * 262_144,
        b"x: |\n" + b" a\n" * 87_000,
        b"#" * 262_144,
        b"\n" * 262_144,
        b"a: " + b"b " * 131_000,
        b"- a\n" * 65_536,
    ],
    ids=lambda data: repr(data[:8]),
)
def test_nothing_that_fits_a_file_takes_long(data: bytes) -> None:
    started = time.process_time()
    with suppress(YamlError):
        yaml.read(data)
    assert time.process_time() - started < 1


def test_line_ends_of_both_kinds_are_the_same_document() -> None:
    text = "a: 1\nb:\n  - c\n"
    assert yaml.read(text.replace("\n", "\r\n").encode()) == yaml.read(text.encode())


def test_positions_of_values_and_keys() -> None:
    positions = yaml.locate(b"a: 1\nb:\n  - c: 2\n  -  x\n")
    assert positions.of(("b", 0, "c")) == (3, 8)
    assert positions.of_key(("b", 0, "c")) == (3, 5)
    assert positions.of(("b", 1)) == (4, 6)
    assert positions.of(()) == (1, 1)


def test_what_is_missing_is_missing_from_where_its_parent_is_named() -> None:
    positions = yaml.locate(b"a: 1\nb:\n  c: {d: 1}\nl:\n  - x: 1\n")
    assert positions.of(("b", "c", "missing")) == (3, 3)
    assert positions.of(("l", 0, "missing")) == (5, 5)
    assert positions.of(("nowhere", 1, "deep")) == (1, 1)


def test_columns_count_characters_not_bytes() -> None:
    assert yaml.locate("é: {ü: ß}\n".encode()).of(("é", "ü")) == (1, 8)
