"""Whether an OpenSSH public key is whole: its two halves agree and nothing is missing or left over.

The wire formats are those of RFC 8709 (ed25519), RFC 5656 (ecdsa), RFC 4253 section 6.6 (rsa) and OpenSSH's
PROTOCOL.u2f (security keys).
"""

from __future__ import annotations

from reconciler.model.base64_text import decode

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16384
MAX_APPLICATION_BYTES = 253
"""A security key's application is `ssh:` or a web site's domain, and a domain has no more (RFC 1035)."""
_PLAIN = {
    "sk-ssh-ed25519@openssh.com": "ssh-ed25519",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ecdsa-sha2-nistp256",
}
_ECDSA_POINT_BYTES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}


def ssh_key_fault(text: str) -> str:
    """What is wrong with `<algorithm> <base64>`, as the end of a sentence; "" if nothing is."""
    algorithm, _, encoded = text.partition(" ")
    fields = _fields(decode(encoded) or b"")
    if fields is None or len(fields) < 2:
        return "is damaged: it does not decode to a key"
    if fields[0] != algorithm.encode():
        return "says one algorithm outside and another inside"
    return _fault_of_fields(algorithm, fields[1:])


def _fields(blob: bytes) -> list[bytes] | None:
    """The length-prefixed strings that make up `blob` (RFC 4251, section 5); None if they don't fit it."""
    fields, at = [], 0
    while at < len(blob):
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        if at + 4 > len(blob) or end > len(blob):
            return None
        fields.append(blob[at + 4 : end])
        at = end
    return fields


def _fault_of_fields(algorithm: str, fields: list[bytes]) -> str:
    if algorithm.startswith("sk-"):
        return _security_key_fault(algorithm, fields)
    if algorithm == "ssh-ed25519":
        whole = [len(field) for field in fields] == [32]
    elif algorithm == "ssh-rsa":
        return _rsa_fault(fields)
    else:
        whole = _is_ecdsa(algorithm.removeprefix("ecdsa-sha2-"), fields)
    return "" if whole else "is damaged: its parts do not have the lengths they should"


def _security_key_fault(algorithm: str, fields: list[bytes]) -> str:
    """A plain key's fields, and the application that the token made it for (`ssh:`, or a web site's name)."""
    if not fields or not _is_application(fields[-1]):
        return "is damaged: a security key ends with its application, up to 253 printable characters"
    return _fault_of_fields(_PLAIN[algorithm], fields[:-1])


def _is_application(field: bytes) -> bool:
    return 1 <= len(field) <= MAX_APPLICATION_BYTES and all(0x21 <= byte <= 0x7E for byte in field)


def _is_ecdsa(curve: str, fields: list[bytes]) -> bool:
    if len(fields) != 2 or fields[0] != curve.encode():
        return False
    return len(fields[1]) == _ECDSA_POINT_BYTES[curve] and fields[1][0] == 4


def _rsa_fault(fields: list[bytes]) -> str:
    if len(fields) != 2 or not all(map(_is_canonical_number, fields)):
        return "is damaged: an RSA key has two numbers, each spelled in one way"
    bits = int.from_bytes(fields[1], "big").bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        return f"has {bits} bits; RSA keys have {MIN_RSA_BITS} to {MAX_RSA_BITS}"
    return ""


def _is_canonical_number(field: bytes) -> bool:
    """A positive mpint without a needless zero in front (RFC 4251, section 5): one key, one text."""
    if not field or field[0] & 0x80:
        return False
    return field[0] != 0 or (len(field) > 1 and bool(field[1] & 0x80))
