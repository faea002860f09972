"""Lives here: what travels with a published work, in rooms; what many callers need is exported here.

`identity` who signs; `c2pa` the manifest, XMP, what a signature covers; `watermark` the mark in the pixels;
`registry` works found again by how they look; `publishing` papers put in, in order; `verify` what a file proves;
`evidence` one folder about a work. Not here: licences (`limner.rights`), the ledger (`limner.ledger`), works.
"""

from limner.papers.c2pa.provenance import Provenance
from limner.papers.identity.identity import Identity
from limner.papers.publishing.publisher import PublishedWork, Publisher, open_publisher
from limner.papers.verify.checking import verify
from limner.papers.verify.findings import SignerSeen
from limner.papers.verify.verdict import Verdict
from limner.papers.verify.wording_registry import Layer

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
