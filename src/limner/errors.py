"""Every error that limner raises on purpose.

LimnerError                  base: a message that names the value, the reason and the remedy
├── UsageError               an option or an argument that cannot be used
├── PictureError             a file that is no usable picture; `.kind` is the named reason
├── CollectionError          a collection that is missing, damaged or unfit
├── RightsError              a licence that cannot be read, a picture that may not be used
├── ModelError               a model file that is missing, damaged, of a future version or of another shape
├── TrainingError            a training that cannot start, go on or be resumed
├── PapersError              an identity, signature or time-stamp that cannot be made or read
└── LedgerError              a ledger that cannot be opened, or whose chain does not hold
"""

from __future__ import annotations


class LimnerError(Exception):
    """An error for the reader of the terminal: one line with the value, the reason and the remedy.

    Args:
        value: what was given, as the user would recognise it (a path, an option with its value).
        reason: why it cannot be used.
        remedy: what to do about it; empty where nothing can be done.
    """

    def __init__(self, value: object, reason: str, remedy: str = "") -> None:
        self.value, self.reason, self.remedy = str(value), reason, remedy
        super().__init__(value, reason, remedy)

    def __str__(self) -> str:
        line = f"{self.value}: {self.reason}"
        return f"{line}; {self.remedy}" if self.remedy else line


class UsageError(LimnerError):
    """An option or an argument that cannot be used."""


def check_range(option: str, value: float | None, low: float, high: float, hint: str = "") -> None:
    """Refuse what an option was given if it lies outside of `low` to `high`; None is an option that was left out.

    Raises:
        UsageError: it does; `hint` ends its remedy.
    """
    if value is not None and not low <= value <= high:
        upwards = f"to {high:,.12g}" if high < 2**53 else "or more"
        raise UsageError(f"{option} {value:.12g}", "is out of range", f"give {low:g} {upwards}{hint}")


class PictureError(LimnerError):
    """A file that is no usable picture.

    Args:
        kind: the named reason, a short fixed word such as `truncated` or `too-large`.
    """

    def __init__(self, value: object, kind: str, reason: str, remedy: str = "") -> None:
        super().__init__(value, reason, remedy)
        self.kind = kind
        self.args = (value, kind, reason, remedy)


class CollectionError(LimnerError):
    """A collection that is missing, damaged or unfit for what was asked."""


class RightsError(LimnerError):
    """A licence that cannot be read, or a picture that may not be used as asked."""


class ModelError(LimnerError):
    """A model file that is missing, damaged, of a future version or of another shape."""


class TrainingError(LimnerError):
    """A training that cannot start, go on or be resumed."""


class PapersError(LimnerError):
    """An identity, a signature or a time-stamp that cannot be made or read."""


class LedgerError(LimnerError):
    """A ledger that cannot be opened, or whose chain does not hold."""
