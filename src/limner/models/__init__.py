"""Lives here: the networks and their file: painter, vae, prior, teacher, bundle.

Floor 3 of the design.
"""
