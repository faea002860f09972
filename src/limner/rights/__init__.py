"""Lives here: licences, consent and opt-outs of pictures, and what they oblige.

Floor 1 of the design.
"""
