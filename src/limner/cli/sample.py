"""`limner sample`: paint new pictures; each is signed and recorded."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.completing import labels, models
from limner.cli.making import Borrow, Exemplars, Finish, Size, bare_line, check_present, finish_request, ready_to_sign
from limner.cli.options import Overwrite
from limner.cli.outputs import output
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.latent.pipeline import Painted, Pipeline
    from limner.papers import Provenance
    from limner.works.finishing import FinishRequest

__all__ = ["provenance_of", "register"]

_FORMATS = ("png", "jpeg", "webp", "avif")


def provenance_of(pipeline: Pipeline, painted: Painted, creator: str, told: dict[str, Any]) -> Provenance:
    """What the papers of a new picture say."""
    from limner.works.making import provenance_of as papers_of

    title = told.get("title") or f"{pipeline.model.card.name}, seed {told['seed']}, no. {painted.index}"
    return papers_of(pipeline, painted.digest, creator, **{**told, "title": title, "index": painted.index})


def _check(count: int, first: int, quality: int, truncation: float, format: str, mining: str) -> None:
    if count < 1:
        raise UsageError(f"-n {count}", "is no number of pictures", "give 1 or more")
    if first < 0:
        raise UsageError(f"--first {first}", "is no number of a picture", "give 0 or more")
    if not 1 <= quality <= 100:
        raise UsageError(f"--quality {quality}", "is out of range", "give 1 to 100")
    if not 0 <= truncation <= 1.5:
        raise UsageError(
            f"--truncation {truncation}", "is out of range", "give 0 to 1.5; 0.7 is calm, 1 is the model's own"
        )
    if format not in _FORMATS:
        raise UsageError(f"--format {format}", "is no format limner writes", f"use one of: {', '.join(_FORMATS)}")
    if mining not in ("notAllowed", "allowed", "constrained"):
        raise UsageError(f"--training-mining {mining}", "is no choice", "use notAllowed, allowed or constrained")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(rich_help_panel="Paint")
    def sample(
        model: Annotated[str, typer.Argument(help="Name or file of a model.", autocompletion=models)],
        count: Annotated[int, typer.Option("-n", "--count", help="How many pictures.")] = 16,
        seed: Annotated[int, typer.Option(help="Picture i of a seed is always the same.")] = 1,
        first: Annotated[int, typer.Option(help="Number of the first picture.")] = 0,
        truncation: Annotated[float, typer.Option(help="0 to 1.5; lower is calmer and less varied.")] = 1.0,
        label: Annotated[str | None, typer.Option(help="Only pictures of this label.", autocompletion=labels)] = None,
        to: Annotated[Path | None, typer.Option(help="Folder; the workspace's works by default.")] = None,
        format: Annotated[str, typer.Option(help="png, jpeg, webp or avif.")] = "png",
        quality: Annotated[int, typer.Option(help="1 to 100, for jpeg, webp and avif.")] = 92,
        finish: Finish = "exemplars",
        size: Size = None,
        borrow: Borrow = 0.5,
        exemplars: Exemplars = None,
        sheet: Annotated[bool, typer.Option("--sheet", help="Also one sheet of all of them.")] = False,
        overwrite: Overwrite = False,
        title: Annotated[str | None, typer.Option(help="Title of the works.")] = None,
        training_mining: Annotated[
            str, typer.Option(help="May others train on them: notAllowed, allowed, constrained.")
        ] = "notAllowed",
        identity: Annotated[str | None, typer.Option(help="Who signs; the default identity otherwise.")] = None,
        certificate: Annotated[Path | None, typer.Option(help="PEM of a bought certificate, with --key.")] = None,
        key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None,
        timestamp: Annotated[str | None, typer.Option(help="URL of a time-stamp server (RFC 3161).")] = None,
        precision: Annotated[str | None, typer.Option(help="bf16 or fp32; chosen by a probe otherwise.")] = None,
        threads: Annotated[int | None, typer.Option(min=1, help="Threads; chosen by a probe otherwise.")] = None,
        quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the works as JSON.")] = False,
    ) -> None:
        """Paint new pictures: the model composes, patches of the pictures that it learned from finish; all is recorded.

        Every picture is signed and checked. `limner credits WORK` shows which pictures a work was finished from.

        Example: [bold]limner sample landscapes -n 16 --seed 7 --borrow 0.6 --sheet[/bold]
        """
        _check(count, first, quality, truncation, format, training_mining)
        told: dict[str, Any] = {"seed": seed, "truncation": truncation, "label": label, "title": title}
        told["training_mining"] = training_mining
        signing: dict[str, Any] = {"identity": identity, "certificate": certificate, "key": key, "timestamp": timestamp}
        wish = finish_request(finish, size, borrow, exemplars)
        works, seconds = _sample(
            model, told, signing, count, first, to, format, quality, sheet, precision, threads, wish,
            overwrite=overwrite, quiet=quiet or as_json,
        )  # fmt: skip
        if as_json:
            print_json({"works": works, "seconds": seconds})
            return
        folder = Path(works[0]["path"]).parent
        print(
            f"{len(works)} signed works in {folder} ({seconds / len(works):.2g} s each); check: limner verify {folder}"
        )
        if sheet:
            print(f"all of them on one sheet: {works[0]['sheet']}")


def _sample(
    reference: str,
    told: dict[str, Any],
    signing: dict[str, Any],
    count: int,
    first: int,
    to: Path | None,
    format: str,
    quality: int,
    sheet: bool,
    precision: str | None,
    threads: int | None,
    wish: FinishRequest,
    *,
    overwrite: bool,
    quiet: bool,
) -> tuple[list[dict[str, Any]], float]:
    from limner.latent.pipeline import Pipeline
    from limner.works.finishing import finished, finishing_for
    from limner.works.latent_store import LatentStore
    from limner.workspace import Workspace

    workspace = Workspace.default()
    check_present(workspace, reference, signs=not signing["certificate"])
    opened = ready_to_sign(workspace, overwrite=overwrite, **signing)
    pipeline = Pipeline.open(reference, workspace, precision=precision, threads=threads)
    pipeline.label(told["label"])
    folder = workspace.make(to or workspace.works / pipeline.model.name)
    suffix = "jpg" if format == "jpeg" else format
    stem = f"{pipeline.model.name}-{told['seed']}{_chosen(told, wish)}"
    sheet_path = (
        workspace.root / "sheets" / f"{stem}.png" if to is None else folder.with_name(f"{folder.name}-{stem}.png")
    )
    if sheet:
        output(sheet_path, option="--sheet", overwrite=overwrite)
    shown: list[Any] = []
    latents = LatentStore(workspace)
    start = time.monotonic()
    with opened as publisher, progress_bar(quiet=quiet) as bar:
        look = bar.add_task("looking at exemplars", total=None, visible=not wish.bare)
        finishing = finishing_for(
            pipeline.model, workspace, wish, label=told["label"], threads=os.cpu_count() or 1,
            progress=lambda done, total: bar.update(look, completed=done, total=total),
        )  # fmt: skip
        bar.remove_task(look)
        task = bar.add_task("painting" if isinstance(finishing, str) else "finishing", total=count)

        def jobs() -> Iterator[Any]:
            asked = {name: told[name] for name in ("seed", "truncation", "label")}
            for painted, pixels, finish in finished(finishing, pipeline.samples(count, first=first, **asked)):
                latents.keep(painted.latent, f"sha256:{pipeline.model.digest}")
                if sheet:
                    shown.append(pixels)
                path = folder / f"{stem}-{painted.index:05d}.{suffix}"
                yield pixels, path, provenance_of(pipeline, painted, publisher.identity.name, {**told, **finish})

        published = publisher.publish_many(jobs(), lambda _: bar.advance(task), quality=quality)
    works = [
        {"path": str(w.path), "digest": w.digest, "index": w.provenance.index, "latent": w.provenance.latent_digest}
        for w in published
    ]
    if isinstance(finishing, str) and not wish.bare and not quiet:
        print(bare_line(finishing))
    if sheet:
        works[0]["sheet"] = _write_sheet(shown, sheet_path)
    return works, time.monotonic() - start


def _chosen(told: dict[str, Any], wish: FinishRequest) -> str:
    """What was chosen otherwise than usual, for the names of works: `-cat-t0.7-b0.75`; empty for what is usual."""
    from limner.synthesis import FinishOptions

    usual = FinishOptions()
    words = {
        "": told["label"],
        "t": None if told["truncation"] == 1 else f"{told['truncation']:g}",
        "s": wish.options.size,
        "b": None if wish.options.borrow == usual.borrow else f"{wish.options.borrow:g}",
        "x": wish.exemplars and hashlib.sha256(str(wish.exemplars).encode()).hexdigest()[:6],
        "bare": "" if wish.bare else None,
    }
    plain = [f"{name}{re.sub(r'[^A-Za-z0-9.]+', '_', str(word))}" for name, word in words.items() if word is not None]
    return "".join(f"-{word}" for word in plain)


def _write_sheet(shown: list[Any], path: Path) -> str:
    import numpy as np

    from limner import pictures
    from limner.pictures.sheets import sheet

    pictures.write(sheet(np.stack(shown)), path)
    return str(path)
