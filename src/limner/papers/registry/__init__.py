"""Lives here: published works with fingerprints and papers, so that a copy that lost its papers finds them.

Not here: marks in pixels (`limner.papers.watermark`), and what a find means (`limner.papers.verify`).
Vectors are searched by faiss, rows kept by SQLAlchemy.
"""
