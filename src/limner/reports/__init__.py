"""Lives here: pages, their records and their plots, made from what was measured.

Not here: whatever trains, paints or signs; the demo that such a page shows runs in `limner.demo`.
Floor 6 (docs/architecture.md).
"""
