"""Lives here: who signs: key and certificates, what was withdrawn, whose roots are trusted, the time-stamp server.

Not here: what is signed (`limner.papers.c2pa`), and what a signature proves (`limner.papers.verify`).
Lowest room of the papers.
"""
