"""What every command that makes works shares: how they are signed, where they go, and what is printed of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from limner.cli.common import console_error, print_json
from limner.cli.completing import labels, models
from limner.cli.outputs import output
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.models.painter import Latent
    from limner.papers.publishing.publisher import Publisher
    from limner.works.finishing import FinishRequest
    from limner.works.making import Deed
    from limner.works.origins import Origins
    from limner.workspace import Workspace

__all__ = [
    "ENDINGS",
    "Borrow",
    "Exemplars",
    "Finish",
    "Fit",
    "Identity",
    "Json",
    "Label",
    "Model",
    "Place",
    "Sheet",
    "Size",
    "Title",
    "To",
    "bare_line",
    "check_present",
    "checked_fit",
    "finish_request",
    "make",
    "origins_of",
    "ready_to_sign",
]

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif")
"""Of works."""

Model = Annotated[
    str | None,
    typer.Option(
        help="Name or file of the model; a work knows its own, a seed or a picture does not.", autocompletion=models
    ),
]
Label = Annotated[str | None, typer.Option(help="Label for pictures of a seed.", autocompletion=labels)]
To = Annotated[Path | None, typer.Option(help="File for the work, or folder; the workspace's works by default.")]
Title = Annotated[str | None, typer.Option(help="Title of the work.")]
Identity = Annotated[str | None, typer.Option(help="Who signs; the default identity otherwise.")]
Finish = Annotated[str, typer.Option(help="exemplars, or none: only what the model composes.")]
Size = Annotated[
    int | None, typer.Option(help="Shorter side in pixels, up to 2048; the exemplars', 512 at most, otherwise.")
]
Borrow = Annotated[float, typer.Option(help="0 to 1: from small patches widely mixed to large pieces.")]
Exemplars = Annotated[
    str | None, typer.Option(help="Another hand: a label, a collection, a folder of pictures, or one picture.")
]
Sheet = Annotated[
    Path | None, typer.Option("--sheet", help="Also a sheet (PNG) of what it was made from and what was made.")
]
Fit = Annotated[
    str,
    typer.Option(help="How your own pictures come to the model's size: crop, pad (all of it), stretch."),
]
Json = Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")]


def ready_to_sign(workspace: Workspace, **options: Any) -> Publisher:
    """The publisher that a command's options ask for, as `open_publisher`; a newcomer is offered an identity first.

    Raises:
        PapersError, LedgerError: as `open_publisher`.
    """
    from limner.papers import Identity, open_publisher

    if not options.get("certificate") and not Identity.names(workspace) and not Identity.damaged(workspace):
        _offer_identity(workspace)
    return open_publisher(
        workspace,
        ask=lambda text: str(typer.prompt(text, hide_input=True, err=True)),
        note=console_error,
        **options,
    )


def check_present(workspace: Workspace, model: str | None, *, signs: bool = True) -> None:
    """Say at once, before anything heavy is loaded, all that a command needs and that is not there.

    Args:
        model: its name or file; None where works may know theirs.
        signs: whether an identity is needed.

    Raises:
        UsageError: something is missing.
    """
    from limner.cli.completing import models

    missing = []
    if model is not None and model not in models("") and not Path(model).is_file():
        missing.append(f"no model is called {model[:80]!r} (there are: {', '.join(models(''))})")
    folder = workspace.identities
    has_one = folder.is_dir() and any(not one.name.startswith(".") and one.is_dir() for one in folder.iterdir())
    if signs and not has_one and not sys.stdin.isatty():
        missing.append('no identity signs (make one: limner identity new --name "…")')
    if len(missing) > 1:
        raise UsageError(f"{len(missing)} things", f"are missing: {'; '.join(missing)}", "nothing was begun")


def _offer_identity(workspace: Workspace) -> None:
    """Ask a person at a terminal for the name to sign with; elsewhere signing then says what is missing."""
    if not sys.stdin.isatty():
        return
    from limner.papers import Identity

    print("Works are signed, and there is no identity yet. Readers of your works will see this name.", file=sys.stderr)
    name = typer.prompt("Your name", err=True)
    made = Identity.new(workspace, name)
    print(f"{made.name}: key and certificate lie in {made.folder}; keep a copy.", file=sys.stderr)


@dataclass(frozen=True)
class Place:
    """Where works go.

    Attributes:
        to: a file, or a folder; None is the workspace's works.
        overwrite: whether another file that lies there may be replaced.
        sheet: file for a sheet of the sources that are files, and the works.
    """

    to: Path | None
    overwrite: bool = False
    sheet: Path | None = None


def origins_of(model: str | None, fit: str = "crop") -> Origins:
    """Where works, seeds and pictures are found: the default workspace.

    Raises:
        UsageError: `fit` is no way to bring a picture to a model's size.
    """
    from limner.works.origins import Origins
    from limner.workspace import Workspace

    return Origins(Workspace.default(), model, fit=checked_fit(fit))


def checked_fit(fit: str) -> Literal["crop", "pad", "stretch"]:
    """`fit`, where it is a way to bring a picture of one's own to a model's size.

    Raises:
        UsageError: it is none.
    """
    for way in get_args(Literal["crop", "pad", "stretch"]):
        if fit == way:
            return way  # type: ignore[no-any-return]
    raise UsageError(f"--fit {fit}", "is no way to fit a picture", "use crop, pad or stretch")


def finish_request(
    finish: str, size: int | None, borrow: float, exemplars: str | None, *, faithful: bool = False
) -> FinishRequest:
    """What the options of a finish ask for.

    Args:
        faithful: whether the composition is kept as it is seen.

    Raises:
        UsageError: one is out of range, or cannot be had with `--finish none`.
    """
    from limner.synthesis import FinishOptions
    from limner.works.finishing import FinishRequest

    if finish not in ("exemplars", "none"):
        raise UsageError(f"--finish {finish}", "is no way to finish", "use exemplars or none")
    if size is not None and not 32 <= size <= 2048:
        raise UsageError(f"--size {size}", "is out of range", "give 32 to 2048 pixels for the shorter side")
    if not 0 <= borrow <= 1:
        raise UsageError(f"--borrow {borrow}", "is out of range", "give 0 to 1; 0.5 is usual")
    if finish == "none" and exemplars is not None:
        raise UsageError(f"--exemplars {exemplars}", "finish nothing with --finish none", "leave one of them out")
    return FinishRequest(FinishOptions(size=size, borrow=borrow, faithful=faithful), finish == "none", exemplars)


def bare_line(reason: str) -> str:
    """Why pictures stay as the model composed them, and what helps."""
    return f"not finished, painted bare: {reason}"


def make(
    origins: Origins,
    made: Sequence[tuple[Latent, Deed]],
    *,
    at: Place,
    title: str | None,
    identity: str | None,
    as_json: bool,
    wish: FinishRequest | None = None,
) -> list[Path]:
    """Publish works of latents, finished as wished, and print where they lie."""
    from limner.latent.latents import latent_digest
    from limner.works.making import make_works

    workspace, to, overwrite, sheet = origins.workspace, at.to, at.overwrite, at.sheet
    if sheet is not None:
        told_of = [origin.told for _, deed in made for origin in deed.origins]
        output(sheet, option="--sheet", endings=(".png",), sources=told_of, overwrite=overwrite)
    named = to is not None and bool(to.suffix)
    if named and to is not None:
        if len(made) > 1:
            raise UsageError(f"--to {to}", f"is one file for {len(made)} works", "give a folder")
        sources = [origin.told for _, deed in made for origin in deed.origins]
        output(to, endings=ENDINGS, sources=sources, overwrite=overwrite)
    opened = ready_to_sign(workspace, identity=identity, overwrite=overwrite)
    name = origins.pipeline.model.name
    if named and to is not None:
        paths = [to]
    else:
        folder = workspace.make(to or workspace.works / name)
        digests = [latent_digest(latent).removeprefix("sha256:")[:10] for latent, _ in made]
        paths = [folder / f"{name}-{deed.what}-{digest}.png" for (_, deed), digest in zip(made, digests, strict=True)]
    bare: list[str] = []
    with opened as publisher:
        works = make_works(
            origins,
            publisher,
            [(latent, deed, path) for (latent, deed), path in zip(made, paths, strict=True)],
            title=title,
            wish=wish,
            bare=bare.append,
        )
    if sheet is not None:
        given = dict.fromkeys(Path(origin.told) for _, deed in made for origin in deed.origins)
        _write_sheet([path for path in given if path.is_file()], [work.path for work in works], sheet)
    if as_json:
        told: list[dict[str, Any]] = [
            {"path": str(w.path), "digest": w.digest, "latent": w.provenance.latent_digest, "how": w.provenance.how}
            for w in works
        ]
        print_json({"works": told, **({"bare": bare} if bare else {})})
    else:
        for work in works:
            print(work.path)
        for reason in bare:
            print(bare_line(reason))
        if sheet is not None:
            print(f"all of them on one sheet: {sheet}")
    return [work.path for work in works]


def _write_sheet(sources: Sequence[Path], works: Sequence[Path], to: Path) -> None:
    """The sources in the first row, the works below, each fitted into the size of the first work."""
    import numpy as np
    from PIL import Image, ImageOps

    from limner import pictures
    from limner.pictures.sheets import sheet

    shown = [Image.fromarray(pictures.read(path).pixels) for path in (*works, *sources)]
    size = shown[0].size
    made, given = shown[: len(works)], shown[len(works) :]
    columns = max(len(given), round(len(made) ** 0.5), 1)
    blank = Image.new("RGB", size, "white")
    first = [*given, *[blank] * (-len(given) % columns)]
    tiles = [np.asarray(ImageOps.pad(one, size, color="white")) for one in (*first, *made)]
    pictures.write(sheet(np.stack(tiles), columns=columns), to)
