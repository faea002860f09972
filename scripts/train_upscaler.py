"""Train the up-scaler that ships with limner on the paintings that come with it, and put its file into the package.

    python scripts/train_upscaler.py
    python scripts/train_upscaler.py --steps 400 --to /tmp/upscaler

It learns from pictures made small and from how `landscapes` paints. The same steps on the same machine give the same
weights.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from limner.cli.training_bar import TerminalReporter
from limner.collection import PAINTINGS, Collection, import_collection
from limner.models.bundle import SHIPPED, load_model
from limner.models.upscaler import SHIPPED_UPSCALER, save_upscaler
from limner.training.upscaling import UpscalerOptions, train_upscaler
from limner.workspace import Workspace

LARGEST = 1_000_000
"""Bytes that the file may have."""


def main() -> None:
    """Train, save, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2400, help="length of the training")
    parser.add_argument("--threads", type=int, help="in place of what the probe finds")
    parser.add_argument("--workspace", type=Path, default=Path("build/upscaler"), help="where the collection is kept")
    parser.add_argument("--to", type=Path, default=SHIPPED_UPSCALER.parent, help="where the file goes")
    told = parser.parse_args()
    workspace = Workspace(told.workspace.absolute())
    if not (workspace.collections / "paintings").is_dir():
        import_collection(PAINTINGS, "paintings", workspace)
    collection = Collection.open("paintings", workspace)
    options = UpscalerOptions(name=SHIPPED_UPSCALER.stem, steps=told.steps, threads=told.threads)
    model = load_model(SHIPPED / "landscapes.safetensors")
    with TerminalReporter() as reporter:
        network, card = train_upscaler(collection, options, workspace, reporter, model)
    path = told.to / SHIPPED_UPSCALER.name
    save_upscaler(path, network, card)
    path.chmod(0o644)
    size = path.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{path}: {size:,} bytes are more than {LARGEST:,}; make it narrower")
    print(f"{path}: {size / 1e3:.0f} kB")
    for factor, found in card.quality.items():
        print(factor, ", ".join(f"{name} {one['value']:.3f}" for name, one in found.items()))


if __name__ == "__main__":
    main()
