"""Keeping a decoder's warnings to itself: odd metadata is no news to whoever reads the pixels."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["decoder_warnings_ignored"]

_lock = threading.Lock()
_inside = 0
_scope: warnings.catch_warnings[None] | None = None


@contextmanager
def decoder_warnings_ignored() -> Iterator[None]:
    """Ignore warnings that Pillow gives, in all threads, until the last thread has left this context.

    `warnings.catch_warnings` alone would leave wrong filters behind when threads overlap.
    """
    global _inside, _scope
    with _lock:
        _inside += 1
        if _inside == 1:
            _scope = warnings.catch_warnings()
            _scope.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _scope is not None:
                _scope.__exit__(None, None, None)
                _scope = None
