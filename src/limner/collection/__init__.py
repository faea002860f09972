"""Lives here: pictures with their rights: import, check, split, cache, load.

Floor 2 of the design.
"""
