"""The code of a watermark: 48 bits and a check of 16, spread over 256 numbers so that many may be lost.

A tail-biting convolutional code of rate 1/4 and constraint length 11 (Larsen 1973, table IV), decoded from soft values
(Viterbi 1967); the check is CRC-16/CCITT. Tail-biting: the register begins as it ends, so no bit is spent on a tail.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODED", "MESSAGE_BITS", "decode", "encode"]

MESSAGE_BITS = 48
_CHECK_BITS = 16
_BITS = MESSAGE_BITS + _CHECK_BITS
_LENGTH = 11
_POLYNOMIALS = (0o2327, 0o2353, 0o2671, 0o3175)
_RATE = len(_POLYNOMIALS)
_STATES = 1 << (_LENGTH - 1)
CODED = _BITS * _RATE
"""Numbers that a message becomes."""


class _Trellis(NamedTuple):
    """Where each state comes from. # before: [states, 2]; told: [states, 2, rate] of -1 and 1"""

    before: NDArray[np.int64]
    told: NDArray[np.float32]


@cache
def _trellis() -> _Trellis:
    after = np.arange(_STATES)[:, None]
    before = ((after << 1) & (_STATES - 1)) | np.arange(2)
    register = ((after >> (_LENGTH - 2)) << (_LENGTH - 1)) | before
    return _Trellis(before, np.stack([_sign(register & taps) for taps in _POLYNOMIALS], axis=-1))


def _sign(values: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 where an even number of bits is set, else -1."""
    values = values.copy()
    for shift in (8, 4, 2, 1):
        values ^= values >> shift
    return (1 - 2 * (values & 1)).astype(np.float32)


def encode(message: int) -> NDArray[np.float32]:
    """A message of 48 bits as 256 numbers, each -1 or 1."""
    bits = _to_bits(message << _CHECK_BITS | _check(message), _BITS)
    state = 0
    for bit in bits[-(_LENGTH - 1) :]:
        state = (bit << (_LENGTH - 1) | state) >> 1
    told = np.empty((_BITS, _RATE), np.float32)
    for i, bit in enumerate(bits):
        register = bit << (_LENGTH - 1) | state
        told[i] = [1 - 2 * ((register & taps).bit_count() & 1) for taps in _POLYNOMIALS]
        state = register >> 1
    return told.ravel()


def decode(soft: NDArray[np.floating]) -> int | None:
    """The most likely message behind 256 soft values; None where its check does not hold.

    Of values that carry nothing, one in 65,536 passes the check.
    """
    before, told = _trellis()
    gains = (told.reshape(-1, _RATE) @ soft.reshape(_BITS, _RATE).T.astype(np.float32)).reshape(_STATES, 2, _BITS)
    gains = np.ascontiguousarray(gains.transpose(2, 0, 1))
    best, chosen = np.zeros(_STATES, np.float32), []
    # Once around to settle where it begins, once to decide, and on until the end has settled as well.
    rounds = [*range(_BITS), *range(_BITS), *range(3 * _LENGTH)]
    for step in rounds:
        both = best[before] + gains[step]
        chosen.append(both[:, 1] > both[:, 0])
        best = both.max(axis=1)
    state, bits = int(best.argmax()), []
    for choice in reversed(chosen):
        bits.append(state >> (_LENGTH - 2))
        state = int(before[state, int(choice[state])])
    found = bits[::-1][_BITS : 2 * _BITS]
    number = int("".join(map(str, found)), 2)
    message, check = number >> _CHECK_BITS, number & 0xFFFF
    return message if check == _check(message) else None


def _check(message: int) -> int:
    """CRC-16/CCITT of a message, so that a read message is known to be one."""
    register = 0xFFFF
    for bit in _to_bits(message, MESSAGE_BITS):
        register ^= bit << 15
        register = (register << 1 ^ 0x1021 if register & 0x8000 else register << 1) & 0xFFFF
    return register


def _to_bits(number: int, count: int) -> list[int]:
    return [number >> (count - 1 - i) & 1 for i in range(count)]
