"""Lives here: whose pictures shaped a composition: groups of pictures, small models without one group each, shares.

Not here: what a finish took from whom (`limner.works`), copies of training pictures (`limner.gate`). Floor 5
(docs/architecture.md); the method and its limits: docs/influence.md.
"""
