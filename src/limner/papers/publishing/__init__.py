"""Lives here: how a picture gets its papers, in the design's order, and comes to its place in one step; labels.

Not here: what the papers say (`limner.papers.c2pa`), and what a work is (`limner.works`).
Imports every other room of the papers but evidence.
"""
