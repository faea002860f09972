"""Lives here: how a picture gets its papers and comes to its place in one step (docs/architecture.md); labels.

Not here: what the papers say (`limner.papers.c2pa`), and what a work is (`limner.works`).
`signing` makes the signed file, `publisher` puts it into place, `pending` and `recovery` see that none is lost.
"""
