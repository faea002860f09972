"""Lives here: what a file carries, signed: the manifest and its parts, XMP, and which bytes the signature covers.

Not here: who signs (`limner.papers.identity`), and the verdict on what was read (`limner.papers.verify`).
The C2PA library is called in `library.py` alone.
"""
