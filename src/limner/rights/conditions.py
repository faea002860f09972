"""What licences ask of whoever passes on something made from pictures, in words."""

from __future__ import annotations

from collections.abc import Iterable

from limner.rights.joint import conflicts, obligations
from limner.rights.rules import Obligation

_WORDS = {
    Obligation.SHARE_ALIKE: "Pass it on under the same terms",
    Obligation.NON_COMMERCIAL: "Not for commercial use",
    Obligation.NO_DERIVATIVES: "Nothing made from its pictures may be passed on without leave",
    Obligation.NOTICE: "Keep the notices of their licences",
    Obligation.SOURCE: "Pass on the form in which it is best changed, too",
    Obligation.READ_IT: "Terms that only a person can read",
}


def conditions(licences: Iterable[str]) -> list[str]:
    """What whoever passes on something made from pictures of these licences must keep to, beside naming their creators.

    One line each, in words; empty where nothing is asked for. Unknown licences (empty) say nothing here.

    Raises:
        RightsError: one is no SPDX expression.
    """
    known = sorted({one for one in licences if one})
    found = []
    for obligation, words in _WORDS.items():
        if asking := [one for one in known if obligation in obligations(one)]:
            found.append(f"{words}: {', '.join(asking)}")
    # One that forbids it alone was named above.
    if any(len(one.licences) > 1 for one in conflicts(known)):
        found.append("No one licence keeps to all of these terms: pass it on only with leave")
    return found
