"""Lives here: licences, consent and opt-outs of pictures, and what they oblige.

Not here: the pictures themselves (`collection/`), and the papers of works (`papers/`).
Floor 1 (docs/architecture.md).
"""

from limner.rights.clearing import (
    Accepted,
    RightsRow,
    RightsSummary,
    check_merge,
    clear,
    credit_line,
    joined,
    kept_from_travelling,
    summary,
)
from limner.rights.embedded import read_embedded
from limner.rights.folder import FolderOptOuts, read_folder
from limner.rights.licences import TERMS, conditions, obligations, parse_licence, terms
from limner.rights.statements import Embedded
from limner.rights.stating import CONTRADICTION, HELD_NO_CREATOR, HELD_NO_LICENCE, Clearance, Stated, judge

__all__ = [
    "CONTRADICTION",
    "HELD_NO_CREATOR",
    "HELD_NO_LICENCE",
    "TERMS",
    "Accepted",
    "Clearance",
    "Embedded",
    "FolderOptOuts",
    "RightsRow",
    "RightsSummary",
    "Stated",
    "check_merge",
    "clear",
    "conditions",
    "credit_line",
    "joined",
    "judge",
    "kept_from_travelling",
    "obligations",
    "parse_licence",
    "read_embedded",
    "read_folder",
    "summary",
    "terms",
]
