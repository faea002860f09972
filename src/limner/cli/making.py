"""What every command that makes works shares: how they are signed, where they go, and what is printed of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json
from limner.errors import UsageError

if TYPE_CHECKING:
    from limner.latent.origins import Origins
    from limner.models.painter import Latent
    from limner.papers.making import Deed

__all__ = ["Identity", "Json", "Label", "Model", "Title", "To", "make", "origins_of"]

Model = Annotated[
    str | None, typer.Option(help="Name or file of the model; a work knows its own, a seed or a picture does not.")
]
Label = Annotated[str | None, typer.Option(help="Label for pictures of a seed.")]
To = Annotated[Path | None, typer.Option(help="File for the work, or folder; the workspace's works by default.")]
Title = Annotated[str | None, typer.Option(help="Title of the work.")]
Identity = Annotated[str | None, typer.Option(help="Who signs; the default identity otherwise.")]
Json = Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")]


def origins_of(model: str | None) -> Origins:
    """Where works, seeds and pictures are found: the default workspace."""
    from limner.latent.origins import Origins
    from limner.workspace import Workspace

    return Origins(Workspace.default(), model)


def make(
    origins: Origins,
    made: Sequence[tuple[Latent, Deed]],
    *,
    to: Path | None,
    title: str | None,
    identity: str | None,
    as_json: bool,
) -> list[Path]:
    """Publish works of latents, and print where they lie."""
    from limner.latent.store import latent_digest
    from limner.papers import open_publisher
    from limner.papers.making import make_works

    workspace = origins.workspace
    opened = open_publisher(
        workspace, identity=identity, ask=lambda text: str(typer.prompt(text, hide_input=True, err=True))
    )
    name = origins.brush.model.name
    if to is not None and to.suffix:
        if len(made) > 1:
            raise UsageError(f"--to {to}", f"is one file for {len(made)} works", "give a folder")
        workspace.make(to.parent)
        paths = [to]
    else:
        folder = workspace.make(to or workspace.works / name)
        digests = [latent_digest(latent).removeprefix("sha256:")[:10] for latent, _ in made]
        paths = [folder / f"{name}-{deed.what}-{digest}.png" for (_, deed), digest in zip(made, digests, strict=True)]
    with opened as publisher:
        works = make_works(
            origins,
            publisher,
            [(latent, deed, path) for (latent, deed), path in zip(made, paths, strict=True)],
            title=title,
        )
    if as_json:
        told: list[dict[str, Any]] = [
            {"path": str(w.path), "digest": w.digest, "latent": w.provenance.latent_digest, "how": w.provenance.how}
            for w in works
        ]
        print_json({"works": told})
    else:
        for work in works:
            print(work.path)
    return [work.path for work in works]
