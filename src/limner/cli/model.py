"""`limner model`, `limner encode`, `limner reconstruct`: look at models, and at pictures through them."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli import summary
from limner.cli.common import console_error, print_json, progress_bar, progress_of
from limner.cli.making import ENDINGS
from limner.cli.options import AllowSuperseded, Json, ModelName, Overwrite, Quiet, grouped
from limner.cli.outputs import new_model, output
from limner.cli.tables import facts, plain, show, table
from limner.errors import ModelError, UsageError, check_range
from limner.workspace import Workspace, replace_file

if TYPE_CHECKING:
    from torch import Tensor

    from limner.latent.pipeline import Pipeline
    from limner.models.bundle import Model
    from limner.models.card import Card
    from limner.models.superseded import Superseded


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Trained models and their cards.", no_args_is_help=True)
    group.command("list")(_list)
    group.command("show")(_show)
    group.command("watermark")(_watermark)
    group.command("root", hidden=True)(_watermark)  # its former name
    group.command("card")(summary.card)
    group.command("pack")(grouped(_pack))
    app.add_typer(group, name="model", rich_help_panel="Learn")
    app.command("encode", rich_help_panel="Paint")(_encode)
    app.command("reconstruct", rich_help_panel="Paint")(_reconstruct)


def _list(as_json: Json = False) -> None:
    """List the models of the workspace, and those that come with limner.

    Example: [bold]limner model list[/bold]
    """
    from limner.models.bundle import SHIPPED, read_card

    folders = (Workspace.default().models, SHIPPED)
    cards, damaged = [], []
    for path in (file for folder in folders for file in sorted(folder.glob("*.safetensors"))):
        try:
            cards.append((path, read_card(path)))
        except ModelError as error:
            damaged.append(str(error))
    for line in damaged:
        console_error(line)
    if as_json:
        print_json([{"path": str(path), "card": card.model_dump(mode="json")} for path, card in cards])
        raise typer.Exit(1 if damaged else 0)
    rows = table("model", "size", "learned from", "minutes", "PSNR", "KID", "made", "", gap=2, narrow=("model",))
    # Never cut: the name is what is typed.
    rows.columns[0].min_width = max((len(path.stem) for path, _ in cards), default=0)
    for path, card in cards:
        painter, quality = card.config.painter, card.quality
        rows.add_row(
            plain(path.stem),
            f"{painter.width}x{painter.height}",
            plain(f"{card.collection.name} ({card.collection.pictures})"),
            f"{card.training.minutes:.0f}",
            f"{quality['psnr']['value']:.1f} dB",
            f"{quality['kid']['value']:.2f}" if "kid" in quality else "",
            plain(card.created[:10]),
            plain(f"superseded {gone.since[:10]}" if (gone := _superseded(path, card)) else ""),
        )
    show(rows if cards else "no models yet: train one with `limner train COLLECTION`")
    raise typer.Exit(1 if damaged else 0)


def _superseded(path: Path, card: Card) -> Superseded | None:
    """What the ledger says of a model that was superseded; None for any other."""
    from limner.ledger import Ledger
    from limner.models.files import sha256_of
    from limner.models.superseded import SUPERSEDE, superseded_here

    workspace = Workspace.default()
    if not workspace.ledger.is_file() or not Ledger.open(workspace.ledger).acts(1, SUPERSEDE):
        return None
    return superseded_here(workspace, sha256_of(path), card.parents)


def _watermark(
    model: Annotated[str, typer.Argument(help="Name or file of a model that paints 128 pixels or more.")],
    name: Annotated[str | None, typer.Option(help="Of the new model; `NAME-watermarked` by default.")] = None,
    as_json: Json = False,
) -> None:
    """Write a model that paints the same and adds a watermark of its own to whatever it paints.

    Example: [bold]limner model watermark my-landscapes[/bold]
    """
    from limner.ledger import Ledger
    from limner.models.bundle import find_model, read_card
    from limner.papers.watermark.model_watermark import add_model_watermark

    workspace = Workspace.default()
    path = find_model(model, workspace)
    chosen = name or f"{read_card(path).name}-watermarked"
    to = new_model(chosen, workspace)
    digest, mark = add_model_watermark(path, to, chosen, Ledger.open(workspace.ledger))
    if as_json:
        print_json({"path": str(to), "digest": f"sha256:{digest}", "mark": mark})
    else:
        show(plain(to), f"whatever it paints carries the mark [bold]{mark}[/bold]")


@dataclass(frozen=True)
class _ExemplarOptions:
    """Which pictures go along with a model."""

    exemplars: Annotated[
        bool,
        typer.Option("--exemplars", help="Take pictures along that it learned from, so that it finishes anywhere."),
    ] = False
    megabytes: Annotated[float, typer.Option(help="Of pictures at most.")] = 20.0
    size: Annotated[int, typer.Option(help="Shorter side of these pictures in pixels, at most.")] = 512
    accept_reserved: Annotated[
        str, typer.Option(help="Take along pictures whose terms only a person can read, for this reason.")
    ] = ""

    def __post_init__(self) -> None:
        check_range("--size", self.size, 32, 2048, " pixels for the shorter side")
        if not 0 < self.megabytes <= 2000:
            raise UsageError(f"--megabytes {self.megabytes:g}", "is out of range", "give up to 2000")


def _pack(
    model: ModelName,
    to: Annotated[Path, typer.Option(help="Folder for the files.")],
    pictures: _ExemplarOptions,
    allow_superseded: AllowSuperseded = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Put a model into a folder to pass on, and with it, only if asked, pictures that it learned from.

    Where these pictures are, the model finishes what it composes; without them it only paints compositions. The
    pictures keep their rights: whoever gets the folder is bound by their licences.

    Example: [bold]limner model pack my-landscapes --exemplars --megabytes 30 --to for-the-studio[/bold]
    """
    from limner.ledger import Ledger
    from limner.models.superseded import load_usable

    workspace = Workspace.default()
    loaded, _ = load_usable(model, workspace, allow_superseded)
    path = loaded.path
    if to.exists() and not to.is_dir():
        raise UsageError(f"--to {to}", "is a file", "give a folder")
    workspace.make(to)
    copy = to / path.name
    if not copy.exists() or not copy.samefile(path):
        with replace_file(copy) as part:
            shutil.copyfile(path, part)
    digest = f"sha256:{loaded.digest}"
    made: dict[str, Any] = {"model": str(copy), "digest": digest}
    outputs = [digest]
    if pictures.exemplars:
        made["exemplars"] = _packed_exemplars(loaded, to, pictures, workspace, quiet=quiet or as_json)
        outputs.append(str(Path(made["exemplars"]["path"]).absolute()))
    parameters = {**made, "why": pictures.accept_reserved}
    Ledger.open(workspace.ledger).record("artist", "pack", inputs=[digest], outputs=outputs, parameters=parameters)
    print_json(made) if as_json else _print_packed(made)


def _packed_exemplars(
    model: Model, to: Path, options: _ExemplarOptions, workspace: Workspace, *, quiet: bool
) -> dict[str, Any]:
    from limner.synthesis.packing import pack_exemplars
    from limner.synthesis.packs import SUFFIX

    path = to / f"{model.path.stem}{SUFFIX}"
    with progress_of("packing", quiet=quiet, unit="bytes") as moved:
        packed = pack_exemplars(
            model, workspace, path,
            side=options.size, most=round(options.megabytes * 1e6), accepted=options.accept_reserved, progress=moved,
        )  # fmt: skip
    rows = packed.note.rows
    return {
        "path": str(path),
        "bytes": packed.size,
        "pictures": len(rows),
        "of": packed.note.of,
        "creators": dict(Counter(row.creator or "unknown" for row in rows).most_common()),
        "licences": dict(Counter(row.licence for row in rows).most_common()),
        "refused": packed.refused,
    }


def _print_packed(packed: dict[str, Any]) -> None:
    print(packed["model"])
    if not (inside := packed.get("exemplars")):
        print("no pictures went along: without its collection it only paints compositions (see --exemplars)")
        return
    print(f"{inside['path']}: {inside['pictures']:,} of {inside['of']:,} pictures, {inside['bytes'] / 1e6:.1f} MB")
    for name, count in inside["licences"].items():
        print(f"  {count:,} under {name}")
    most = list(inside["creators"].items())
    named = ", ".join(f"{name} ({count:,})" for name, count in most[:8])
    print(f"  by {named}{f' and {len(most) - 8:,} others' if len(most) > 8 else ''}")
    for reason, count in inside["refused"].items():
        print(f"  {count:,} stayed behind: {reason}")


def _show(model: ModelName, as_json: Json = False) -> None:
    """Show a model's card: what it learned from and under which licences, how, and how well.

    Example: [bold]limner model show emoji-gan[/bold]
    """
    from limner.models.bundle import find_model, read_card

    path = find_model(model, Workspace.default())
    card = read_card(path)
    if as_json:
        print_json({"path": str(path), "card": card.model_dump(mode="json")})
        return
    of, training, teacher, prior = card.collection, card.training, card.teacher, card.config.prior
    rows = []
    if gone := _superseded(path, card):
        instead = f"; use {gone.replaced_by}" if gone.replaced_by else ""
        rows.append(("superseded", f"on {gone.since[:10]}: {gone.reason}{instead}"))
    rows += [("learned from", f"{of.pictures} pictures of {of.name} {' '.join(of.where)}"), ("collection", of.digest)]
    rows += [("licence", f"{licence}: {count} pictures") for licence, count in card.rights.licences.items()]
    if accepted := card.rights.accepted:
        rows.append(("accepted", f"{accepted.pictures} pictures held back: {accepted.reason}"))
    rows.append(("teacher", f"{teacher.name} {teacher.licence} {teacher.trained_on}".strip()))
    rows.append(("training", f"{training.minutes} min, {training.pictures_seen:,} pictures, {training.precision}"))
    if prior.kind in ("flow", "mapping"):
        views = f"{prior.embeddings:,} views of training pictures"
        rows.append(("keeps", f"{prior.embedding_width} numbers of each of {views}"))
    for name, value in card.quality.items():
        if isinstance(value, dict) and "low" in value:
            within = f"(95 %: {value['low']:.3f} to {value['high']:.3f}, n {value['count']})"
            rows.append((name, f"{value['value']:.3f} {within}"))
    show(plain(path), facts(rows))


def _encode(
    model: ModelName,
    files: Annotated[list[Path], typer.Argument(help="Pictures.")],
    to: Annotated[Path, typer.Option(help="File for the latents (.safetensors).")],
    overwrite: Overwrite = False,
) -> None:
    """Find the latents of pictures.

    Example: [bold]limner encode landscapes sketch.jpg --to sketch.safetensors[/bold]
    """
    from limner.latent.latents import save_latents
    from limner.latent.pipeline import Pipeline

    output(to, endings=(".safetensors",), sources=(model, *files), overwrite=overwrite)
    pipeline = Pipeline.open(model, Workspace.default(), looks=True)
    save_latents(pipeline.encode(_fitted(pipeline, files)), to, f"sha256:{pipeline.model.digest}")
    print(f"{len(files)} latents in {to}")


def _reconstruct(
    model: ModelName,
    files: Annotated[list[Path], typer.Argument(help="Pictures.")],
    to: Annotated[Path | None, typer.Option(help="File for a sheet: picture, reconstruction, side by side.")] = None,
    overwrite: Overwrite = False,
    allow_superseded: AllowSuperseded = None,
    as_json: Json = False,
) -> None:
    """Encode pictures and paint them again; PSNR, SSIM and perceptual distance of each.

    Example: [bold]limner reconstruct landscapes *.jpg --to pairs.png[/bold]
    """
    import torch

    from limner.latent.pipeline import Pipeline
    from limner.models.similarity import PerceptualDistance, psnr, ssim
    from limner.models.teacher import load_teacher
    from limner.pictures.sheets import save_sheet

    if to:
        output(to, endings=ENDINGS, sources=files, overwrite=overwrite)
    pipeline = Pipeline.open(model, Workspace.default(), allow_superseded=allow_superseded)
    shown = _fitted(pipeline, files)
    painted = pipeline.paint(pipeline.encode(shown))
    perceptual = PerceptualDistance(load_teacher()).measure(painted, shown)
    measured = zip(psnr(painted, shown), ssim(painted, shown), perceptual, strict=True)
    rows: list[dict[str, Any]] = [
        {"file": str(file), "psnr": float(p), "ssim": float(s), "perceptual": float(d)}
        for file, (p, s, d) in zip(files, measured, strict=True)
    ]
    if to:
        save_sheet(torch.stack([shown, painted], dim=1).flatten(0, 1), to)
    if as_json:
        print_json(rows)
        return
    shown_rows = table("picture", "PSNR (dB)", "SSIM", "perceptual", gap=2)
    for row in rows:
        numbers = f"{row['psnr']:.2f}", f"{row['ssim']:.3f}", f"{row['perceptual']:.3f}"
        shown_rows.add_row(plain(row["file"]), *numbers)
    show(shown_rows)


def _fitted(pipeline: Pipeline, files: list[Path]) -> Tensor:
    """The largest centred crop of each picture at the model's size. # uint8 [n, 3, height, width]"""
    import torch

    from limner.pictures.fitting import centred
    from limner.works.origins import pixels_of

    config = pipeline.model.card.config.painter
    found = []
    with progress_bar() as bar:
        for file in bar.track(files, description="reading"):
            found.append(centred(pixels_of(file), (config.height, config.width)))
    return torch.stack(found)
