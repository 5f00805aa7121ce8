"""Points of elliptic curves that no key generator makes, and that would make a key ambiguous or open to all.

ed25519: there are eight points of small order. With such a key, signatures can be made that hold for most
messages without knowing anything, and for some of the points of every message. And a y-coordinate not
below p is a second spelling of another key. Neither OpenSSL nor OpenSSH refuses them.

NIST curves: OpenSSH refuses points with a short coordinate or one not below the order less one
(`sshkey_ec_validate_public`); so do we, lest a key count here and not there.

See docs/spec/ledger.md, section 3.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.ledger.signatures.wire import WireError

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SIGN_BIT = 1 << 255

# The orders of the groups (NIST SP 800-186, sections 3.2.1.3 to 3.2.1.5).
ORDERS: dict[str, int] = {
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        16,
    ),
    "secp521r1": int(
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
        "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        16,
    ),
}


def _small_order_heights() -> frozenset[int]:
    """The y of the eight points whose order divides 8: 1, -1, 0, and that of order 8 with both signs.

    For order 8, doubling gives (±sqrt(-1), 0), so x² + y² = 0 on -x² + y² = 1 + d x² y²: d y⁴ + 2 y² = 1
    (from x² = -y²: 2 y² = 1 - d y⁴), and y² = (-1 ± sqrt(1 + d)) / d; only one of the signs has a root.
    """
    root = _square_root(1 + _D)
    squares = ((sign * root - 1) * pow(_D, -1, _P) % _P for sign in (1, -1))
    eighths = {y for square in squares for y in _roots(square)}
    return frozenset({1, _P - 1, 0} | eighths)


def _square_root(value: int) -> int:
    """A root modulo p = 5 (mod 8) (RFC 8032, section 5.1.3), or of -value where value has none."""
    candidate = pow(value, (_P + 3) // 8, _P)
    return candidate if (candidate * candidate - value) % _P == 0 else candidate * pow(2, _P // 4, _P) % _P


def _roots(value: int) -> tuple[int, ...]:
    root = _square_root(value)
    return (root, _P - root) if (root * root - value) % _P == 0 else ()


SMALL_ORDER_HEIGHTS = _small_order_heights()


def require_sound_ed25519_point(encoded: bytes) -> None:
    """Raises `WireError` for 32 bytes that are another spelling of a point, or one of small order."""
    if len(encoded) != 32:
        raise WireError(f"an ed25519 key has 32 bytes, this one {len(encoded)}")
    height = int.from_bytes(encoded, "little") & ~_SIGN_BIT
    if height >= _P:
        raise WireError("the ed25519 point is not in its shortest form")
    if height in SMALL_ORDER_HEIGHTS:
        raise WireError("the ed25519 point is of small order: anybody could sign for it")


def require_sound_ec_point(point: ec.EllipticCurvePublicNumbers) -> None:
    """Raises `WireError` for a point on its curve that OpenSSH refuses."""
    order = ORDERS[point.curve.name]
    for coordinate in (point.x, point.y):
        if coordinate.bit_length() <= order.bit_length() // 2 or coordinate >= order - 1:
            raise WireError("a coordinate of the ecdsa point is out of OpenSSH's bounds")
