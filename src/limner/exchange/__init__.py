"""Lives here: collections written for other programs (Croissant, imagefolder, WebDataset), and read back from them.

Not here: collections themselves (`collection/`), pages about them (`reports/`).
Floor 3 (docs/architecture.md).
"""
