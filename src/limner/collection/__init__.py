"""Lives here: pictures with their rights: import, check, split, cache, load.

Not here: decoding (`pictures/`), what licences oblige (`rights/`), networks (`models/`).
Floor 2 (docs/architecture.md).
"""

from typing import TYPE_CHECKING

from limner.collection.rows import Row
from limner.collection.store import Collection

if TYPE_CHECKING:
    from limner.collection.importing import PAINTINGS, import_collection
    from limner.collection.report import ImportReport

__all__ = ["PAINTINGS", "Collection", "ImportReport", "Row", "import_collection"]


def __getattr__(name: str) -> object:
    # Importing needs pydantic and more; the worker processes, which only need rows, start faster without.
    if name in ("PAINTINGS", "ImportReport", "import_collection"):
        from limner.collection import importing

        return getattr(importing, name)
    raise AttributeError(name)
