"""The error-correcting code of a watermark: 48 message bits and a check of 16 become a codeword of 256 numbers.

A tail-biting convolutional code of rate 1/4 and constraint length 11 (Larsen 1973, table IV), decoded from soft values
(Viterbi 1967); the check is CRC-16/CCITT. Tail-biting: the register begins as it ends, so no bit is spent on a tail.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import cache

import numpy as np
from numpy.typing import NDArray

MESSAGE_BITS = 48
_CHECK_BITS = 16
_BITS = MESSAGE_BITS + _CHECK_BITS
_LENGTH = 11
_POLYNOMIALS = np.array([0o2327, 0o2353, 0o2671, 0o3175])
_RATE = len(_POLYNOMIALS)
_STATES = 1 << (_LENGTH - 1)
CODED = _BITS * _RATE
"""Numbers in a codeword."""


def encode(message: int) -> NDArray[np.float32]:
    """The codeword of a message of 48 bits: 256 numbers, each -1 or 1."""
    checked = (message << _CHECK_BITS | _check(message)).to_bytes(_BITS // 8, "big")
    bits = np.unpackbits(np.frombuffer(checked, np.uint8)).astype(np.int64)
    registers = np.sum([np.roll(bits, age) << (_LENGTH - 1 - age) for age in range(_LENGTH)], axis=0)
    return _outputs(registers).ravel()


def decode(soft: NDArray[np.floating]) -> int | None:
    """The most likely message behind 256 soft values; None where its check does not hold.

    Of values that carry nothing, one in 65,536 passes the check.
    """
    before, outputs = _trellis()
    gains = (outputs.reshape(-1, _RATE) @ soft.reshape(_BITS, _RATE).T.astype(np.float32)).reshape(_STATES, 2, _BITS)
    gains = np.ascontiguousarray(gains.transpose(2, 0, 1))
    best, choices = np.zeros(_STATES, np.float32), []
    # Once around to settle where it begins, once to decide, and on until the end has settled as well.
    for step in (*range(_BITS), *range(_BITS), *range(3 * _LENGTH)):
        both = best[before] + gains[step]
        choices.append(both[:, 1] > both[:, 0])
        best = both.max(axis=1)
    state, bits = int(best.argmax()), []
    for choice in reversed(choices):
        bits.append(state >> (_LENGTH - 2))
        state = int(before[state, int(choice[state])])
    number = int("".join(map(str, bits[::-1][_BITS : 2 * _BITS])), 2)
    message, check = divmod(number, 1 << _CHECK_BITS)
    return message if check == _check(message) else None


@cache
def _trellis() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Both states from which each state is reached, and what is put out on the way. # [states, 2], [states, 2, rate]"""
    after = np.arange(_STATES)[:, None]
    before = ((after << 1) & (_STATES - 1)) | np.arange(2)
    return before, _outputs(((after >> (_LENGTH - 2)) << (_LENGTH - 1)) | before)


def _outputs(registers: NDArray[np.int64]) -> NDArray[np.float32]:
    """What the code puts out for each content of its register: 1 for an even parity, else -1. # [...] -> [..., rate]"""
    odd = np.bitwise_count(registers[..., None] & _POLYNOMIALS) & 1
    return np.asarray(1 - 2 * odd.astype(np.float32))


def _check(message: int) -> int:
    """CRC-16/CCITT of a message, so that a read message is known to be one."""
    return crc_hqx(message.to_bytes(MESSAGE_BITS // 8, "big"), 0xFFFF)
