"""Lives here: one small file for each program that limner is measured beside, and what starts them all alike.

These files run in the program's own environment: they import nothing of limner, and `bench/` only where it imports
nothing itself.
"""
