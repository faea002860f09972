"""Lives here: the copy gate: which training picture a picture copies, whole or in part, and how sure that is.

Not here: refusing to publish copies (`limner.papers.publishing`), measuring whole models (`limner.measure`).
Between floors 4 and 5 (docs/architecture.md).
"""

from limner.gate.gate import CopyFinding, CopyGate, Neighbour
from limner.gate.opening import gate_for

__all__ = ["CopyFinding", "CopyGate", "Neighbour", "gate_for"]
