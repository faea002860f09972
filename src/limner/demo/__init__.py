"""Lives here: the demo: a folder of pictures, a training, signed works, forgeries, and the record of its page.

Not here: the page itself (`limner.reports`) and the command (`limner.cli.demo`). Floor 7 (docs/architecture.md).
"""
