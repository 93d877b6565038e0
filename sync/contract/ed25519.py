"""Whether 32 bytes can be an Ed25519 public key (RFC 8032, section 5.1.3): libraries find out at the first signature, or
never. Public keys only: nothing here is secret, so nothing needs constant time.
"""

from typing import Final

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
Point = tuple[int, int]


def is_public_key(data: bytes) -> bool:
    """A point of the curve, and not one of the eight small ones, for which anybody can sign (all zeros is such a one)."""
    point = _decode(data)
    if point is None:
        return False
    for _ in range(3):
        point = _double(point)
    return point != (0, 1)


def _decode(data: bytes) -> Point | None:
    if len(data) != 32:
        return None
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P:
        return None
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = _square_root(x_squared)
    if x is None or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else _P - x, y)


def _square_root(square: int) -> int | None:
    root = pow(square, (_P + 3) // 8, _P)
    if root * root % _P != square:
        root = root * pow(2, (_P - 1) // 4, _P) % _P
    return root if root * root % _P == square else None


def _double(point: Point) -> Point:
    x, y = point
    product = _D * x * x * y * y % _P
    doubled_x = 2 * x * y * pow(1 + product, -1, _P)
    doubled_y = (y * y + x * x) * pow(1 - product, -1, _P)
    return doubled_x % _P, doubled_y % _P
