"""Lives here: checking any file: each layer looked at (C2PA, XMP, watermark, registry), the verdict, and its words.

Not here: reading a manifest (`limner.papers.c2pa`) or a mark (`limner.papers.watermark`).
`findings` are facts, on which everything decides; `wording` and `wording_registry` alone make sentences of them.
"""
