"""Lives here: HTML and plots made from what was measured.

Floor 6 of the design.
"""
