"""Plain values as YAML text in the house's layout."""

from __future__ import annotations

import io

from ruamel.yaml import YAML

_NEVER_WRAP = 1 << 20  # a sealed key is one long line; folding it would blur every later diff
_MAPPING_INDENT, _SEQUENCE_INDENT, _DASH_OFFSET = 2, 4, 2


def block(value: object) -> str:
    """The value over several lines, ending in a newline: dashes indented below their key."""
    return _dump(value, flow=False)


def flow(value: object) -> str:
    """The value on one line, without a newline: `[a, b]`, `{a: 1}`, or a scalar quoted where it must be."""
    return _dump(value, flow=True).removesuffix("...\n").strip()


def _dump(value: object, *, flow: bool) -> str:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _NEVER_WRAP
    yaml.default_flow_style = flow
    yaml.indent(mapping=_MAPPING_INDENT, sequence=_SEQUENCE_INDENT, offset=_DASH_OFFSET)
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
