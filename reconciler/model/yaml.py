"""A reader of YAML that strangers wrote: a small, strict part of YAML 1.2, or an error with its place.

One document of mappings, sequences and scalars. Refused before they cost anything: files over MAX_BYTES,
invalid UTF-8, a byte order mark, control characters and those that reverse the direction of text (what a
reviewer sees must be what counts), anchors, aliases, tags, merge keys, directives, duplicate keys,
several documents, nesting over MAX_DEPTH, more than MAX_NODES values.

Scalars: a quoted or block scalar is text. A plain one is null (`null`, `~`, nothing), a boolean (`true`,
`false`), an integer (decimal, no leading zero or plus), and text otherwise: `no`, `11:22:33:44:55:16`,
`0x10`, `010` and `1.5` are text. A key is always text.

The same bytes must read the same on every node, so one parser decides (`yaml_parser`), and its events are all
that is used of it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, NoReturn, Protocol

from yaml import MarkedYAMLError, YAMLError
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.errors import TnetError
from reconciler.model.yaml_parser import Events, events, require_parser

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 16384
MAX_INTEGER_DIGITS = 18

Value = None | bool | int | str | list["Value"] | dict[str, "Value"]
Pointer = tuple[str | int, ...]
"""Where a value lies in its document: the keys and positions on the way to it."""

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
# C0 and C1 controls but tab and line feed; a carriage return that isn't part of CR LF; NEL, LS and PS, which
# YAML 1.1 takes for line breaks and 1.2 doesn't; the byte order mark; bidirectional overrides and isolates.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\u202a-\u202e\u2066-\u2069"
_FORBIDDEN_IN_FILE = re.compile(rf"[{_CONTROLS}]|\r(?!\n)")
_FORBIDDEN_IN_TEXT = re.compile(rf"[{_CONTROLS}\r]")
_PLAIN_ASCII = bytes([9, 10, *range(32, 127)])


class Mark(NamedTuple):
    """A place in a file, counted from 1; the column in characters."""

    line: int
    column: int


class YamlError(TnetError):
    """The bytes are not YAML that is read here. `mark` is where, `code` a short name of the reason."""

    def __init__(self, mark: Mark, code: str, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.mark = mark
        self.code = code


class _Event(Protocol):
    """What every event of libyaml's has that is asked for here; the stubs know less."""

    @property
    def start_mark(self) -> Any: ...


class Positions:
    """Where each value and each key of a document is written."""

    def __init__(self) -> None:
        self.values: dict[Pointer, Mark] = {}
        self.keys: dict[Pointer, Mark] = {}

    def of(self, pointer: Pointer) -> Mark:
        """The place of the value at `pointer`; if it isn't there, of what it is missing from."""
        if pointer in self.values:
            return self.values[pointer]
        around = pointer[:-1]
        while around not in self.values and around:
            around = around[:-1]
        return self.keys.get(around) or self.values.get(around, Mark(1, 1))

    def of_key(self, pointer: Pointer) -> Mark:
        """The place of the key under which `pointer` lies; of the value itself where there is none."""
        return self.keys.get(pointer) or self.of(pointer)


def read(data: bytes) -> Value:
    """The value that `data` says. Raises YamlError, and ParserUnfit where nothing can be read."""
    return _Reader(data).document()


def locate(data: bytes) -> Positions:
    """Where everything is in `data`, which `read` has accepted. Only for error messages: it is slower."""
    return _Locator(data).positions


class _Reader:
    """Turns one parser's events into a value; the base of `_Locator`."""

    def __init__(self, data: bytes) -> None:
        require_parser()
        _check_bytes(data)
        self._event: Events = events(data)
        self._nodes = 0

    def document(self) -> Value:
        try:
            return self._only_document()
        except YAMLError as error:
            _refuse_syntax(error)

    def _only_document(self) -> Value:
        self._event()  # the stream's start
        start = self._event()
        if type(start) is StreamEndEvent:
            _refuse(start, "empty", "the file holds no document")
        if not isinstance(start, DocumentStartEvent) or start.version or start.tags:
            _refuse(start, "directive", "directives (lines that start with %) are not accepted")
        value = self._value(self._event(), 1, ())
        self._event()  # the document's end
        after = self._event()
        if type(after) is not StreamEndEvent:
            _refuse(after, "several-documents", "a file holds one document", "Remove the second `---`.")
        return value

    def _value(self, event: _Event, depth: int, pointer: Pointer) -> Value:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            _refuse(event, "too-many-values", f"more than {MAX_NODES} values")
        if type(event) is ScalarEvent:
            return _scalar(event)
        if depth > MAX_DEPTH:
            _refuse(event, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        if type(event) is MappingStartEvent:
            return self._mapping(event, depth, pointer)
        if type(event) is not SequenceStartEvent:
            _refuse(event, "alias", "aliases (`*name`) are not accepted", "Write the value out.")
        return self._sequence(event, depth, pointer)

    def _mapping(self, start: _Event, depth: int, pointer: Pointer) -> dict[str, Value]:
        _check_properties(start)
        result: dict[str, Value] = {}
        event = self._event
        while type(key_event := event()) is not MappingEndEvent:
            self._nodes += 1
            key = _key(key_event)
            if key in result:
                _refuse(key_event, "duplicate-key", f"the key `{_shown(key)}` stands here a second time")
            result[key] = self._value(event(), depth + 1, pointer)
        return result

    def _sequence(self, start: _Event, depth: int, pointer: Pointer) -> list[Value]:
        _check_properties(start)
        result: list[Value] = []
        event = self._event
        while type(item := event()) is not SequenceEndEvent:
            result.append(self._value(item, depth + 1, pointer))
        return result


class _Locator(_Reader):
    """Walks as the reader does and notes where it is."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.positions = Positions()
        self.document()

    def _value(self, event: _Event, depth: int, pointer: Pointer) -> Value:
        self.positions.values[pointer] = _mark(event.start_mark)
        return super()._value(event, depth, pointer)

    def _mapping(self, start: _Event, depth: int, pointer: Pointer) -> dict[str, Value]:
        result: dict[str, Value] = {}
        while type(key_event := self._event()) is not MappingEndEvent:
            key = _key(key_event)
            inner = (*pointer, key)
            self.positions.keys[inner] = _mark(key_event.start_mark)
            result[key] = self._value(self._event(), depth + 1, inner)
        return result

    def _sequence(self, start: _Event, depth: int, pointer: Pointer) -> list[Value]:
        result: list[Value] = []
        while type(item := self._event()) is not SequenceEndEvent:
            result.append(self._value(item, depth + 1, (*pointer, len(result))))
        return result


def _check_bytes(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise YamlError(Mark(1, 1), "too-big", f"{len(data)} bytes; a file has at most {MAX_BYTES}")
    if data.translate(None, _PLAIN_ASCII):
        _check_characters(data)


def _check_characters(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        mark = _mark_at(data[: error.start].decode())
        raise YamlError(mark, "not-utf8", "this is not UTF-8", "Save the file as UTF-8.") from None
    found = _FORBIDDEN_IN_FILE.search(text)
    if found is not None:
        name = f"U+{ord(found[0]):04X}"
        raise YamlError(_mark_at(text[: found.start()]), "character", f"the character {name} is not accepted")


def _mark_at(before: str) -> Mark:
    """The place right behind `before`."""
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _scalar(event: ScalarEvent) -> Value:
    if event.anchor is not None or event.tag is not None:
        _check_properties(event)
    value: str = event.value
    if event.style:
        return _text(event, value)
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    if value[0] in "-0123456789" and _INTEGER.fullmatch(value):
        return _integer(event, value)
    return value


def _text(event: _Event, value: str) -> str:
    """What a quoted scalar says: an escape must not bring in what may not stand in the file."""
    found = _FORBIDDEN_IN_TEXT.search(value)
    if found is not None:
        _refuse(event, "character", f"the character U+{ord(found[0]):04X} is not accepted, escaped or not")
    return value


def _integer(event: _Event, value: str) -> int:
    if len(value.lstrip("-")) > MAX_INTEGER_DIGITS:
        _refuse(event, "big-integer", "this number is too long", "If it is text, put it in quotes.")
    return int(value)


def _key(event: _Event) -> str:
    if not isinstance(event, ScalarEvent):
        _refuse(event, "key", "a key must be a single word or quoted text")
    _check_properties(event)
    value: str = event.value
    if not event.style and value in ("<<", ""):
        reason = "merge keys (`<<`) are not accepted" if value else "a key is missing before the `:`"
        _refuse(event, "merge-key" if value else "key", reason, "Write the values out." if value else "")
    return _text(event, value) if event.style else value


def _check_properties(event: Any) -> None:
    if event.anchor is not None:
        _refuse(event, "anchor", "anchors (`&name`) are not accepted", "Write the value out.")
    if event.tag is not None:
        _refuse(event, "tag", "tags (`!name`) are not accepted", "Remove it; put text in quotes.")


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def _refuse(event: _Event, code: str, message: str, advice: str = "") -> NoReturn:
    raise YamlError(_mark(event.start_mark), code, message, advice)


def _refuse_syntax(error: YAMLError) -> NoReturn:
    mark, message = Mark(1, 1), "this can't be read as YAML"
    if isinstance(error, MarkedYAMLError):
        place = error.problem_mark or error.context_mark
        mark = _mark(place) if place else mark
        message = " ".join(part for part in (error.context, error.problem) if part)
    raise YamlError(mark, "syntax", message, "Check indentation, colons and quotes.") from None
