"""Lives here: the networks and their file: painter, priors, discriminators, teacher, model files.

Floor 3 (docs/architecture.md).
"""
