"""Train the translator that ships with the emoji models, and put small files of it into the package.

    python scripts/train_translators.py --workspace build/models --collection emoji

The collection holds out whole concepts (`--together codepoints`), and none of those is trained on. emoji-gan began as
emoji-vae and encodes pictures as that does, so one translator serves both; it is measured with each painter.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from limner.cli.training_bar import TerminalReporter
from limner.collection import Collection
from limner.latent.restyling import shipped_translator
from limner.models.bundle import SHIPPED, load_model
from limner.models.translator import Translator, TranslatorCard, save_translator
from limner.training.translating import TranslatorOptions, passed_on, train_translator
from limner.workspace import Workspace

LARGEST = 2_000_000
"""Bytes that a shipped translator may have."""


def ship(network: Translator, card: TranslatorCard, folder: Path) -> None:
    """Write the file beside the models.

    Raises:
        SystemExit: it is larger than a shipped translator may be.
    """
    to = folder / "translators" / shipped_translator(card.model).name
    save_translator(to, network, card)
    to.chmod(0o644)
    if to.stat().st_size > LARGEST:
        raise SystemExit(f"{to}: {to.stat().st_size:,} bytes are more than {LARGEST:,}; make it narrower")
    print(f"{to}: {to.stat().st_size / 1e6:.1f} MB, of {card.model_name}, {card.quality}")


def main() -> None:
    """Train once, and ship it for both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", default="emoji", help="name or folder of the emoji")
    parser.add_argument("--minutes", type=float, default=12.0, help="of training")
    parser.add_argument("--own-time", action="store_true", help="minutes of the processor, where others use it, too")
    parser.add_argument("--threads", type=int, help="in place of what the probe finds")
    parser.add_argument("--workspace", type=Path, default=Path("build/models"), help="where the collection is")
    parser.add_argument("--to", type=Path, default=SHIPPED, help="where the models lie and the files go")
    told = parser.parse_args()
    workspace = Workspace(told.workspace.absolute())
    collection = Collection.open(told.collection, workspace)
    options = TranslatorOptions(pairs="codepoints", minutes=told.minutes, threads=told.threads)
    clock = time.process_time if told.own_time else time.monotonic
    first, second = (load_model(told.to / f"{name}.safetensors") for name in ("emoji-vae", "emoji-gan"))
    with TerminalReporter() as reporter:
        network, card = train_translator(first, collection, options, workspace, reporter, clock=clock)
        ship(network, card, told.to)
        fresh = load_model(first.path)
        ship(network, passed_on(network, card, fresh, second, collection, workspace, reporter), told.to)


if __name__ == "__main__":
    main()
