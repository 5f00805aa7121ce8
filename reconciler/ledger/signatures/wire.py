"""Reading and writing SSH's wire encoding (RFC 4251, section 5), strictly.

Strict means that each value has exactly one encoding that is accepted, so that two different byte strings
never stand for the same key or the same signature.
"""

from __future__ import annotations


class WireError(ValueError):
    """The bytes are not what the format says."""


class Reader:
    """Takes values off the front of a byte string; `end` insists that nothing is left."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > len(self._data) - self._at:
            raise WireError("ends too early")
        start, self._at = self._at, self._at + count
        return self._data[start : self._at]

    def uint32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """A length (uint32) and that many bytes."""
        return self.take(self.uint32())

    def text(self) -> str:
        """A string that must be printable ASCII without spaces, as all names in SSH are."""
        raw = self.string()
        if not all(0x21 <= byte <= 0x7E for byte in raw):
            raise WireError("a name holds other than printable ASCII")
        return raw.decode("ascii")

    def mpint(self) -> int:
        """A positive integer in the fewest bytes (RFC 4251: no superfluous leading zero)."""
        raw = self.string()
        if not raw or raw[0] & 0x80:
            raise WireError("an integer is not positive")
        if raw[0] == 0 and (len(raw) == 1 or not raw[1] & 0x80):
            raise WireError("an integer is not in its shortest form")
        return int.from_bytes(raw, "big")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        if self._at != len(self._data):
            raise WireError(f"{len(self._data) - self._at} bytes too many at the end")


def string(data: bytes) -> bytes:
    """`data` as an SSH string."""
    return len(data).to_bytes(4, "big") + data


def mpint(value: int) -> bytes:
    """A positive integer as an SSH mpint."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))
