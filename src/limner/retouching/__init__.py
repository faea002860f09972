"""Lives here: works that were worked on elsewhere: where they lie in what came back, what changed, published anew.

Not here: how papers say it (`limner.papers.c2pa`), and what else was done to a work (`limner.works`, which this uses).
Floor 5, above works (docs/architecture.md).
"""
