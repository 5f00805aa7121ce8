"""Where in a YAML text a node begins and ends, comments that belong to it included.

The parser's own end marks are of no use for block collections: they point behind blank lines and comments
that belong to what follows. Indexes count characters.
"""

from __future__ import annotations

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode


def compose(text: str) -> Node:
    """The text's tree of nodes with their marks. `text` must be YAML; it was loaded before."""
    node: Node = YAML(typ="safe", pure=True).compose(text)
    return node


def is_flow(node: Node) -> bool:
    """Written as `[…]` or `{…}`."""
    return isinstance(node, SequenceNode | MappingNode) and bool(node.flow_style)


def content_end(text: str, node: Node) -> int:
    """The index after the last character of what the node says."""
    if isinstance(node, ScalarNode) or is_flow(node) or not node.value:
        return _without_line_breaks(text, node)
    last = node.value[-1]
    return content_end(text, last[1] if isinstance(node, MappingNode) else last)


def _without_line_breaks(text: str, node: Node) -> int:
    """A `|` scalar's end mark lies behind the line breaks that follow it."""
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    while end > start and text[end - 1] in "\r\n":
        end -= 1
    return end


def line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def line_end(text: str, index: int) -> int:
    """The index of the newline that ends the line (or the text's length)."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found


def last_line_end(text: str, node: Node) -> int:
    """The end of the node's last line, a comment behind the content included."""
    return line_end(text, content_end(text, node))


def dash(text: str, item: Node) -> int:
    """The index of the `-` in front of a block sequence's item."""
    return text.rfind("-", 0, int(item.start_mark.index))


def with_comments_above(text: str, index: int) -> int:
    """The start of the line of `index`, or of the comment lines right above it with the same indentation."""
    start = line_start(text, index)
    indentation = text[start:index]
    while start > 0:
        above = line_start(text, start - 1)
        if not text.startswith(indentation + "#", above):
            break
        start = above
    return start
