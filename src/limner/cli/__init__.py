"""The command line, one file a command group, thin: parse, call the floor below, show.

Nothing heavy (torch, numpy, pyarrow) is imported before a command needs it; `limner --help` stays under 0.5 s.
"""

from limner.cli.main import main

__all__ = ["main"]
