"""Make a YAML text say something else and leave every other byte of it alone.

A round trip through a parser moves comments and reformats lines that nobody touched, and in a signed ledger
each such line is noise in somebody's review. So: compare what the text says with what it shall say, and
splice in only the differences.

- A changed scalar is replaced where it stands, in its own quoting.
- A new entry of a mapping goes behind the last one; a new item of a list behind the last one.
- A removed entry or item goes with its lines and with the comments right above it.
- What stands in flow style (`[a, b]`) stays in flow style; an empty `[]` becomes a block when it fills.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.authoring import yaml_layout as layout
from reconciler.authoring import yaml_write as write

_IDENTIFYING = ("node", "name", "id", "key")
"""Which field tells the items of a list apart: resources, principals, sealing keys, proofs."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the characters `start` to `end` by `text`."""

    start: int
    end: int
    text: str


def update(text: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    """`text`, which says `old`, changed so that it says `new`.

    Both may hold defaults that the text leaves out; those that are equal in both stay left out.
    """
    splices = sorted(_changes(text, layout.compose(text), old, new), key=lambda splice: splice.start)
    for splice in reversed(splices):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _changes(text: str, node: Node, old: Any, new: Any) -> Iterator[Splice]:
    if old == new:
        return
    if isinstance(node, MappingNode) and _splits(node, old, new) and not _loses_dash(text, node, new):
        yield from _mapping_changes(text, node, old, new)
    elif isinstance(node, SequenceNode) and _splits(node, old, new) and _same_order(old, new):
        yield from _sequence_changes(text, node, old, new)
    else:
        yield _replacement(text, node, new)


def _splits(node: Node, old: Any, new: Any) -> bool:
    """Can the node be changed part by part? Not in flow style, and not when nothing of it is left."""
    return type(old) is type(new) and bool(new) and bool(node.value) and not layout.is_flow(node)


def _loses_dash(text: str, node: MappingNode, new: dict[str, Any]) -> bool:
    """Would the line that goes with the first entry be the one that begins the list's item?"""
    first = node.value[0][0]
    start = int(first.start_mark.index)
    return first.value not in new and bool(text[layout.line_start(text, start) : start].strip())


def _mapping_changes(
    text: str, node: MappingNode, old: dict[str, Any], new: dict[str, Any]
) -> Iterator[Splice]:
    written = {key.value: (key, value) for key, value in node.value}
    for name, (key, value) in written.items():
        if name not in new:
            yield _removal(text, int(key.start_mark.index), value)
        else:
            yield from _changes(text, value, old[name], new[name])
    added = {k: v for k, v in new.items() if k not in written and (k not in old or old[k] != v)}
    if added:
        column = node.value[0][0].start_mark.column
        yield _insertion(text, node, write.block(added), " " * column, blank_line=False)


def _sequence_changes(
    text: str, node: SequenceNode, old: Sequence[Any], new: Sequence[Any]
) -> Iterator[Splice]:
    wanted = {_identity(item): item for item in new}
    for item, before in zip(node.value, old, strict=True):
        if _identity(before) in wanted:
            yield from _changes(text, item, before, wanted[_identity(before)])
        else:
            yield _removal(text, layout.dash(text, item), item)
    known = {_identity(item) for item in old}
    added = [item for item in new if _identity(item) not in known]
    if added:
        yield _insertion(text, node, _items(added), _dash_indent(text, node), blank_line=_spaced(text, node))


def _same_order(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Is `new` what is left of `old`, in its order, and then the new items? (And no item twice.)"""
    before, after = [_identity(item) for item in old], [_identity(item) for item in new]
    kept = [item for item in before if item in after]
    return after[: len(kept)] == kept and len(set(before)) == len(before) and len(set(after)) == len(after)


def _identity(item: Any) -> str:
    if isinstance(item, dict):
        for name in _IDENTIFYING:
            if name in item:
                return str(item[name])
    return json.dumps(item, sort_keys=True)


def _removal(text: str, start: int, value: Node) -> Splice:
    begin = layout.with_comments_above(text, start)
    return Splice(begin, min(layout.last_line_end(text, value) + 1, len(text)), "")


def _insertion(text: str, behind: Node, block: str, indent: str, *, blank_line: bool) -> Splice:
    at = layout.last_line_end(text, behind)
    lines = [indent + line for line in block.splitlines()]
    return Splice(at, at, "\n" * (1 + blank_line) + "\n".join(lines))


def _items(values: Sequence[Any]) -> str:
    """List items with their dashes in the first column."""
    lines = write.block({"items": list(values)}).splitlines()[1:]
    return "\n".join(line.removeprefix("  ") for line in lines)


def _dash_indent(text: str, node: SequenceNode) -> str:
    at = layout.dash(text, node.value[0])
    return text[layout.line_start(text, at) : at]


def _spaced(text: str, node: SequenceNode) -> bool:
    """Do blank lines stand between the items?"""
    if len(node.value) < 2:
        return False
    start = layout.with_comments_above(text, layout.dash(text, node.value[-1]))
    return text[:start].endswith("\n\n")


def _replacement(text: str, node: Node, new: Any) -> Splice:
    start, end = int(node.start_mark.index), layout.content_end(text, node)
    if isinstance(node, ScalarNode):
        return Splice(start, end, _scalar(node, new))
    if not new or (layout.is_flow(node) and node.value):
        return _inline(text, node, new)
    return _as_block(text, node, new)


def _scalar(node: ScalarNode, new: Any) -> str:
    if node.style == '"' and isinstance(new, str):
        return json.dumps(new, ensure_ascii=False)
    if node.style == "'" and isinstance(new, str) and new.isprintable():
        return "'" + new.replace("'", "''") + "'"
    return write.flow(new)


def _inline(text: str, node: Node, new: Any) -> Splice:
    """One line in place of the node: behind its key, whether it stood there or on the lines below."""
    start = int(node.start_mark.index)
    if layout.is_flow(node):
        return Splice(start, int(node.end_mark.index), write.flow(new))
    colon = text.rfind(":", 0, layout.dash(text, node.value[0]) if isinstance(node, SequenceNode) else start)
    return Splice(colon + 1, layout.content_end(text, node), " " + write.flow(new))


def _as_block(text: str, node: Node, new: Any) -> Splice:
    """A block in place of an empty `[]` or `{}`, or of a block too different to be changed by parts."""
    if layout.is_flow(node):
        start = int(node.start_mark.index)
        while text[start - 1] == " ":
            start -= 1
        key_line = text[layout.line_start(text, start) : start]
        indent = " " * (len(key_line) - len(key_line.lstrip(" -")) + 2)
        return Splice(start, layout.content_end(text, node), "\n" + _indented(new, indent))
    first = layout.dash(text, node.value[0]) if isinstance(node, SequenceNode) else int(node.start_mark.index)
    indent = " " * (first - layout.line_start(text, first))
    return Splice(first, layout.content_end(text, node), _indented(new, indent).lstrip(" "))


def _indented(value: Any, indent: str) -> str:
    block = _items(value) if isinstance(value, list) else write.block(value)
    return "\n".join(indent + line for line in block.splitlines())
