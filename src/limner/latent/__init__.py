"""Lives here: points in a model's space: drawn, painted, moved along directions, mixed, restyled, bred, found, walked.

Not here: works made from them (`limner.works`), patches (`limner.synthesis`), training. Floor 4 (docs/architecture.md).
"""
