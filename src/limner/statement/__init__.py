"""Lives here: the statement of human contribution of a work: what the artist did, what the algorithm did, and as pages.

Not here: the acts themselves (`limner.works`, `limner.retouching`), and the papers of a work (`limner.papers`).
Floor 6 (docs/architecture.md).
"""
