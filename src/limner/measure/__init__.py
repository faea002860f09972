"""Lives here: every number that limner states about pictures, with its interval.

Floor 5 (docs/architecture.md).
"""
