"""Lives here: what rights holders agreed to: consents, where they are kept, and what they block.

Not here: what a collection's files say of themselves (`rights.stating`), and who asks (`cli.rights`).
"""

from limner.rights.consent.agreement import Consent, Scope, Subject
from limner.rights.consent.blocking import Agreed, Blocked, Reason, blocked
from limner.rights.consent.store import ConsentStore
from limner.rights.consent.use import Use
from limner.rights.consent.wording import left_out, refusal

__all__ = [
    "Agreed",
    "Blocked",
    "Consent",
    "ConsentStore",
    "Reason",
    "Scope",
    "Subject",
    "Use",
    "blocked",
    "left_out",
    "refusal",
]
