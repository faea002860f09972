"""What every command that makes works shares: their options, how they are signed, and what is printed of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import console_error, print_json, progress_of
from limner.cli.completing import labels, models
from limner.cli.options import AllowCopy, AllowSuperseded, Json, Overwrite
from limner.cli.outputs import output
from limner.errors import UsageError, check_range
from limner.workspace import Workspace

if TYPE_CHECKING:
    from limner.papers.publishing.publisher import Publisher
    from limner.pictures.fitting import Fit
    from limner.works.finishing import FinishRequest
    from limner.works.making import WorkRequest
    from limner.works.origins import Origins

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".avif")
"""Of works."""

Label = Annotated[str | None, typer.Option(help="Label for pictures of a seed.", autocompletion=labels)]
Title = Annotated[str | None, typer.Option(help="Title of the work.")]
Identity = Annotated[str | None, typer.Option(help="Who signs; the default identity otherwise.")]
FitOption = Annotated[
    str, typer.Option("--fit", help="How your own pictures are fitted to the model's size: crop, pad or stretch.")
]


@dataclass(frozen=True)
class Sources:
    """Where works, seeds and pictures are found, and how."""

    model: Annotated[
        str | None,
        typer.Option(
            help="Name or file of the model; a work knows its own, a seed or a picture does not.", autocompletion=models
        ),
    ] = None
    label: Label = None
    fit: FitOption = "crop"
    allow_superseded: AllowSuperseded = None

    def open(self) -> Origins:
        """The default workspace and its model; `origins_of` says what is refused."""
        return origins_of(self.model, self.fit, self.allow_superseded)


@dataclass(frozen=True)
class Signing:
    """Who signs, with what, and who stamps the time."""

    identity: Identity = None
    certificate: Annotated[Path | None, typer.Option(help="PEM of a bought certificate, with --key.")] = None
    key: Annotated[Path | None, typer.Option(help="PEM of its key.")] = None
    timestamp: Annotated[str | None, typer.Option(help="URL of a time-stamp server (RFC 3161).")] = None
    allow_copy: AllowCopy = None


@dataclass(frozen=True)
class Finish:
    """How works are finished."""

    finish: Annotated[str, typer.Option(help="exemplars, or none: only what the model composes.")] = "exemplars"
    size: Annotated[
        int | None, typer.Option(help="Shorter side in pixels, up to 2048; the exemplars', 512 at most, otherwise.")
    ] = None
    borrow: Annotated[float, typer.Option(help="0 to 1: from small patches, widely mixed, to large pieces.")] = 0.5
    exemplars: Annotated[
        str | None,
        typer.Option(help="Finish from other pictures: a label, a collection, a folder of pictures, or one picture."),
    ] = None

    def request(self) -> FinishRequest:
        """What the options ask for.

        Raises:
            UsageError: one is out of range, or cannot be had with `--finish none`.
        """
        from limner.synthesis import FinishOptions
        from limner.works.finishing import FinishRequest

        if self.finish not in ("exemplars", "none"):
            raise UsageError(f"--finish {self.finish}", "is no way to finish", "use exemplars or none")
        check_range("--size", self.size, 32, 2048, " pixels for the shorter side")
        check_range("--borrow", self.borrow, 0, 1, "; 0.5 is usual")
        bare = self.finish == "none"
        if bare and self.exemplars is not None:
            reason = "finish nothing with --finish none"
            raise UsageError(f"--exemplars {self.exemplars}", reason, "leave one of them out")
        return FinishRequest(FinishOptions(size=self.size, borrow=self.borrow), bare, self.exemplars)


@dataclass(frozen=True)
class WorkPlace:
    """Where works go, what they are called and who signs them."""

    to: Annotated[Path | None, typer.Option(help="File for the work, or folder; the workspace's works by default.")] = (
        None
    )
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Also a sheet (PNG) of what it was made from and what was made.")
    ] = None
    overwrite: Overwrite = False
    title: Title = None
    identity: Identity = None
    allow_copy: AllowCopy = None
    as_json: Json = False

    def check(self, requests: Sequence[WorkRequest]) -> None:
        """Refuse places that cannot be written to, before anything is painted.

        Raises:
            UsageError: one file for several works, a file that may not be replaced, or a wrong ending.
        """
        sources = [origin.name for request in requests for origin in request.origins]
        if self.sheet is not None:
            output(self.sheet, option="--sheet", endings=(".png",), sources=sources, overwrite=self.overwrite)
        if self.to is not None and self.to.suffix:
            if len(requests) > 1:
                raise UsageError(f"--to {self.to}", f"is one file for {len(requests)} works", "give a folder")
            output(self.to, endings=ENDINGS, sources=sources, overwrite=self.overwrite)


def ready_to_sign(workspace: Workspace, **options: Any) -> Publisher:
    """The publisher that a command's options ask for, as `open_publisher`; a newcomer is offered an identity first.

    Raises:
        PapersError, LedgerError: as `open_publisher`.
    """
    from limner.papers import Identity, open_publisher

    if not options.get("certificate") and not Identity.names(workspace) and not Identity.damaged(workspace):
        _offer_identity(workspace)
    ask = partial(typer.prompt, hide_input=True, err=True)
    watch = partial(progress_of, "preparing the copy gate, once", quiet=False)
    return open_publisher(workspace, ask=ask, note=console_error, watch=watch, **options)


def check_present(workspace: Workspace, model: str, *, signs: bool) -> None:
    """Say at once, before anything heavy is loaded, that both a model and an identity are missing.

    Args:
        model: its name or file.
        signs: whether an identity is needed.

    Raises:
        UsageError: both are missing; where one is, that is said when it is looked for.
    """
    missing = []
    if model not in models("") and not Path(model).is_file():
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


def origins_of(model: str | None, fit: str = "crop", allow_superseded: str | None = None) -> Origins:
    """Where works, seeds and pictures are found: the default workspace.

    Args:
        allow_superseded: why a superseded model is used.

    Raises:
        UsageError: `fit` is no way to bring a picture to a model's size.
    """
    from limner.works.origins import Origins

    return Origins(Workspace.default(), model, fit=checked_fit(fit), allow_superseded=allow_superseded)


def checked_fit(fit: str) -> Fit:
    """`fit`, where it is a way to bring a picture of one's own to a model's size.

    Raises:
        UsageError: it is none.
    """
    match fit:
        case "crop" | "pad" | "stretch":
            return fit
    raise UsageError(f"--fit {fit}", "is no way to fit a picture", "use crop, pad or stretch")


def unfinished_line(reason: str) -> str:
    """Why pictures stay as the model composed them."""
    return f"not finished, painted bare: {reason}"


def make(origins: Origins, requests: Sequence[WorkRequest], place: WorkPlace, finish: FinishRequest) -> list[Path]:
    """Publish works, finished as requested, and print where they lie."""
    from limner.works.making import make_works, paths_for, write_sheet

    place.check(requests)
    options = {"identity": place.identity, "overwrite": place.overwrite, "allow_copy": place.allow_copy}
    opened = ready_to_sign(origins.workspace, **options)
    with opened as publisher:
        paths = paths_for(origins, requests, place.to)
        made = make_works(origins, publisher, requests, paths, title=place.title, finish=finish)
    if place.sheet is not None:
        given = dict.fromkeys(Path(origin.name) for request in requests for origin in request.origins)
        write_sheet([path for path in given if path.is_file()], paths, place.sheet)
    for note in made.notes:
        console_error(note)
    if place.as_json:
        works = [
            {"path": str(one.path), "digest": one.digest, "latent": papers.latent_digest, "how": papers.how}
            for one, papers in ((one, one.provenance) for one in made.works)
        ]
        print_json({"works": works, **({"bare": made.unfinished} if made.unfinished else {})})
        return paths
    for path in paths:
        print(path)
    for reason in made.unfinished:
        print(unfinished_line(reason))
    if place.sheet is not None:
        print(f"all of them on one sheet: {place.sheet}")
    return paths
