"""Lives here: points in a model's space: sample, encode.

Floor 4 of the design.
"""
