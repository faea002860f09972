"""Lives here: the evidence folder of a work, its page, and what the law asks beside what the work has.

Not here: checking a file (`limner.papers.verify`).
Highest room of the papers.
"""
