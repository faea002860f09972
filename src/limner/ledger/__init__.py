"""Lives here: the append-only, hash-chained record of acts.

Floor 1 of the design.
"""
