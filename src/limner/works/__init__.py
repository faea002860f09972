"""Lives here: what a work is: act, model, latent, parents, exemplars, credits, files; making it, and making it again.

Not here: painting (`limner.latent`), finishing (`limner.synthesis`), signing (`limner.papers`, which this floor uses).
Floor 5 of the design.
"""
