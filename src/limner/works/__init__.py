"""Lives here: what a work is (acts, origins, family, credits, finish), making one, printing it, making it again.

Not here: painting (`limner.latent`), patches (`limner.synthesis`), signing and the act of publishing (`limner.papers`,
which this floor uses). Floor 5 (docs/architecture.md).
"""
