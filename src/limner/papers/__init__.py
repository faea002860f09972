"""Lives here: what travels with a published work: who signs (identity), XMP, C2PA manifest, publishing, verifying.

Not here: what a licence obliges (`limner.rights`), what the ledger holds (`limner.ledger`), how verdicts are shown
(`limner.cli.verify`).
"""

from limner.papers.identity import Identity
from limner.papers.provenance import Provenance
from limner.papers.publisher import PublishedWork, Publisher, open_publisher
from limner.papers.verdict import Layer, SignerSeen, Verdict
from limner.papers.verify import verify

__all__ = [
    "Identity",
    "Layer",
    "Provenance",
    "PublishedWork",
    "Publisher",
    "SignerSeen",
    "Verdict",
    "open_publisher",
    "verify",
]
