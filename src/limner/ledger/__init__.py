"""Lives here: the append-only, hash-chained record of acts: what an act is, where acts are kept, the ledger itself.

Not here: what is worth recording (whoever acts decides), and how it is shown (`limner.cli.ledger`).
Floor 1 (docs/architecture.md).
"""

from limner.ledger.acts import GENESIS, Act, Entry, Who, canonical_json
from limner.ledger.ledger import Ledger, LedgerReport

__all__ = ["GENESIS", "Act", "Entry", "Ledger", "LedgerReport", "Who", "canonical_json"]
