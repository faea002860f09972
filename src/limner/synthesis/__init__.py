"""Finishing: a composition rebuilt at full size from patches of exemplars, and where each patch came from.

Lives here: exemplars, nearest-neighbour fields, voting, the bounds on what is copied, source maps. Not here: networks,
latents, files of works, papers; what a work owes to its exemplars is the matter of `rights` and `papers`.
"""

from limner.synthesis.exemplars import Exemplar, Exemplars
from limner.synthesis.finishing import Finisher
from limner.synthesis.options import FinishOptions
from limner.synthesis.sources import SourceMap, SourceShare
from limner.synthesis.state import Finished

__all__ = ["Exemplar", "Exemplars", "FinishOptions", "Finished", "Finisher", "SourceMap", "SourceShare"]
