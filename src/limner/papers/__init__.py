"""Lives here: what travels with a published work: XMP, C2PA signature, identity, verify.

Floor 5 of the design.
"""
