"""The parser that decides what a file says: libyaml 0.2.5, by way of PyYAML. With another, nothing is read.

Two nodes that read the same bytes in two ways would come to two ledgers. So the parser is looked at once,
when it is first wanted: that PyYAML was built with libyaml, that it has the version which was tested, and
that it reads a few texts as that version does. What fails is local trouble and no verdict
(docs/spec/ledger.md, section 12).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from yaml import YAMLError

from reconciler.errors import TnetError

LIBYAML_VERSION = (0, 2, 5)
_ADVICE = "Install PyYAML from its wheel: it brings libyaml 0.2.5 with it."

Events = Callable[[], Any]
"""Gives one event of the parser after the other."""


class ParserUnfit(TnetError):
    """This machine reads YAML with another parser than all nodes do, so it judges nothing."""


def events(data: bytes) -> Events:
    """The parser's events for these bytes. Raises ParserUnfit."""
    parse: Events = _parser()(data).get_event
    return parse


def require_parser() -> None:
    """Raises ParserUnfit if nothing can be read here."""
    _parser()


@lru_cache(maxsize=1)
def _parser() -> Any:
    """libyaml's parser as PyYAML binds it, after it was looked at."""
    try:
        binding = import_module("yaml._yaml")
    except ImportError:
        raise ParserUnfit("PyYAML is installed without libyaml, which decides here", _ADVICE) from None
    if binding.get_version() != LIBYAML_VERSION:
        found, wanted = _dotted(binding.get_version()), _dotted(LIBYAML_VERSION)
        raise ParserUnfit(f"the YAML parser is libyaml {found}, and nodes read with {wanted}", _ADVICE)
    for text, expected in _PROBES:
        if _spelled_out(binding.CParser, text) != expected:
            raise ParserUnfit(f"the YAML parser reads {text!r} otherwise than libyaml 0.2.5", _ADVICE)
    return binding.CParser


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _spelled_out(parser: Any, text: str) -> str:
    """What the parser makes of a text: brackets, the scalars' values, `!` for an error."""
    parse, found = parser(text.encode()).get_event, ""
    try:
        while (event := parse()) is not None:
            name = type(event).__name__
            found += _SIGNS.get(name, "") if name != "ScalarEvent" else f"{event.style or ''}{event.value};"
    except YAMLError:
        found += "!"
    return found


_SIGNS = {
    "MappingStartEvent": "{",
    "MappingEndEvent": "}",
    "SequenceStartEvent": "[",
    "SequenceEndEvent": "]",
    "AliasEvent": "*",
}
# Texts on which YAML 1.1, YAML 1.2 and the parsers there are don't agree, and what is read here.
_PROBES = (
    ("[2001:db8::1]", "[2001:db8::1;]"),
    ("[?a, b?c]", "[{a;;}b?c;]"),
    ('"\\/"', '"/;'),
    ("%YAML 1.2\n--- a\n", "a;"),
    ("{a:b, 'c':d}", "{a:b;;'c;d;}"),
    ("a: |\n x\n\n y\nb: >-\n x\n y\n", "{a;|x\n\ny\n;b;>x y;}"),
    ("a: b # c\nd: e#f\n", "{a;b;d;e#f;}"),
    ("a:\n\t- b\n", "{a;!"),
    ("&a [*a]", "[*]"),
)
