"""Lives here: how a model learns: objectives, augmentation, the loop, checkpoints.

Floor 4 (docs/architecture.md).
"""
