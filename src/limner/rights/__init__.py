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
from limner.rights.conditions import conditions
from limner.rights.embedded import read_embedded
from limner.rights.folder import FolderOptOuts, read_folder
from limner.rights.joint import Conflict, Joint, Outcome, conflicts, joint, may_be_adapted, obligations, sources
from limner.rights.licences import parse_licence
from limner.rights.rules import Obligation
from limner.rights.statements import Embedded
from limner.rights.stating import CONTRADICTION, HELD_NO_CREATOR, HELD_NO_LICENCE, Clearance, Stated, judge

__all__ = [
    "CONTRADICTION",
    "HELD_NO_CREATOR",
    "HELD_NO_LICENCE",
    "Accepted",
    "Clearance",
    "Conflict",
    "Embedded",
    "FolderOptOuts",
    "Joint",
    "Obligation",
    "Outcome",
    "RightsRow",
    "RightsSummary",
    "Stated",
    "check_merge",
    "clear",
    "conditions",
    "conflicts",
    "credit_line",
    "joined",
    "joint",
    "judge",
    "kept_from_travelling",
    "may_be_adapted",
    "obligations",
    "parse_licence",
    "read_embedded",
    "read_folder",
    "sources",
    "summary",
]
