"""`limner verify`: what the papers of pictures prove."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limner.cli.common import print_json, progress_bar
from limner.cli.options import Overwrite, grouped
from limner.cli.outputs import output
from limner.cli.tables import facts, plain, show, table
from limner.errors import UsageError
from limner.workspace import Workspace, replace_file

if TYPE_CHECKING:
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from limner.papers.verify.findings import SignerSeen
    from limner.papers.verify.verdict import Verdict

_COLOURS = {"valid": "green", "tampered": "red", "invalid": "red", "unreadable": "yellow", "alike": "cyan"}
_MARKS = {"valid": "✓", "tampered": "✗", "invalid": "✗", "unreadable": "?"}
_EARLIER = {"parentOf": "edition of", "inputTo": "made from", "componentOf": "holds"}
_PANELS = 6
_PORT = 8787
_ENDINGS = {".avif", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("verify", rich_help_panel="Check and keep")(grouped(verify_files))


@dataclass(frozen=True)
class Serving:
    """Checking over HTTP."""

    serve: Annotated[bool, typer.Option("--serve", help="Check what is posted over HTTP, until Ctrl-C.")] = False
    host: Annotated[str, typer.Option(help="With --serve: where; other machines reach 0.0.0.0.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(help="With --serve: which port.")] = _PORT
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="With --serve: a site whose pages may ask, as https://museum.example.")
    ] = None


@dataclass(frozen=True)
class Page:
    """The page for a museum's site."""

    page: Annotated[
        Path | None, typer.Option(help="Write a page for a museum's site to this folder; it asks --endpoint.")
    ] = None
    endpoint: Annotated[str, typer.Option(help="With --page: where the page posts pictures.")] = (
        f"http://127.0.0.1:{_PORT}/verify"
    )


def verify_files(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Pictures, or folders of pictures.")
    ] = None,
    anchor: Annotated[
        list[Path] | None, typer.Option(help="A root certificate (PEM) to believe, beside those of `limner trust`.")
    ] = None,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Count as genuine only where somebody vouches for the name.")
    ] = False,
    picture: Annotated[Path | None, typer.Option(help="Also draw what was checked (PNG).")] = None,
    overwrite: Overwrite = False,
    *,
    serving: Serving,
    page: Page,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one entry a file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing; the exit status says it.")] = False,
) -> None:
    """Check who signed pictures, whether they were changed since, and what their papers say.

    Example: [bold]limner verify works/sea.png[/bold]

    Exit status: 0 all genuine, 1 some not, 2 some could not be read.
    """
    if (serving.serve or page.page) and (files or (serving.serve and page.page)):
        raise UsageError("--serve, --page", "go alone", "leave the files and the other one out")
    if serving.serve:
        return _serve(serving, anchor or [], quiet=quiet)
    if page.page:
        return _write_page(page.page, page.endpoint, quiet=quiet)
    if not files:
        raise UsageError("FILE", "is missing", "name a picture or a folder; or use --serve or --page FOLDER")
    if picture:
        output(picture, option="--picture", endings=(".png",), sources=files, overwrite=overwrite)
    verdicts = _check_all(list(_expanded(files)), anchor or [], quiet=quiet or as_json)
    if picture:
        from limner.papers.verify.showing import draw_verdicts

        draw_verdicts(verdicts, picture)
    if as_json:
        print_json([verdict.to_dict() for verdict in verdicts])
    elif not quiet:
        _show(verdicts)
    raise typer.Exit(exit_status(verdicts, trusted=trusted))


def exit_status(verdicts: list[Verdict], *, trusted: bool = False) -> int:
    """0 when all are genuine (and trusted, where asked), 1 when some are not, 2 when some could not be read."""
    if any(verdict.state == "unreadable" for verdict in verdicts):
        return 2
    return 0 if all(verdict.trusted if trusted else verdict.genuine for verdict in verdicts) else 1


def verdict_panel(verdict: Verdict) -> Panel:
    """One verdict for the terminal: the summary, each layer, and what the signed papers say."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    colour = "yellow" if verdict.contested else _COLOURS.get(verdict.state, "blue")
    mark = "!" if verdict.contested else _MARKS.get(verdict.state, "–")
    parts: list[Text | Table] = [plain(f"{mark} {verdict.summary}", f"bold {colour}")]
    if verdict.layers:
        titles = ("layer", "state", "what is there", "what it proves")
        layers = table(*titles, gap=2, narrow=titles[:2])
        for layer in verdict.layers:
            state = plain(layer.state, _COLOURS.get(layer.state, "blue"))
            layers.add_row(layer.name, state, plain(layer.holds), plain(layer.proves))
        parts += [Text(), layers]
    if said := _facts(verdict):
        parts += [Text(), facts(said)]
    return Panel(Group(*parts), title=plain(verdict.path), title_align="left", border_style=colour)


def _check_all(paths: list[Path], anchors: list[Path], *, quiet: bool) -> list[Verdict]:
    from concurrent.futures import ThreadPoolExecutor

    from limner.papers.verify.checking import open_checker

    with (
        closing(open_checker(Workspace.default(), anchors)) as checker,
        ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool,
        progress_bar(quiet=quiet or len(paths) < 50) as bar,
    ):
        return list(bar.track(pool.map(checker.check, paths), total=len(paths), description="checking"))


def _serve(serving: Serving, anchors: list[Path], *, quiet: bool) -> None:
    from limner.papers.evidence.pages import verify_page
    from limner.papers.verify.checking import open_checker
    from limner.papers.verify.endpoint import Endpoint

    where: dict[str, Any] = {"host": serving.host, "port": serving.port, "origins": serving.allow_origin or ()}
    with (
        closing(open_checker(Workspace.default(), anchors)) as checker,
        closing(Endpoint(checker.check_bytes, page=verify_page(), **where)) as endpoint,
    ):
        if not quiet:
            print(f"pictures are checked at {endpoint.url}; a page for people: {endpoint.url.removesuffix('verify')}")
            print(f"try: curl --data-binary @picture.png {endpoint.url}", flush=True)
            if endpoint.public:
                print("other machines can ask too; put a web server with HTTPS before it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            endpoint.serve()


def _write_page(folder: Path, endpoint: str, *, quiet: bool) -> None:
    from limner.papers.evidence.pages import verify_page

    page = verify_page(endpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replace_file(folder / "index.html") as part:
            part.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(folder, f"cannot be written to ({error.strerror})", "choose another folder") from error
    if not quiet:
        print(f"{folder / 'index.html'}: posts pictures to {endpoint}")
        print("start what answers there: limner verify --serve --allow-origin https://THE-SITE-OF-THE-PAGE")


def _expanded(files: list[Path]) -> Iterator[Path]:
    """The files themselves, and the pictures in folders, sorted."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(one for one in path.rglob("*") if one.suffix.lower() in _ENDINGS)
        if not inside:
            raise UsageError(path, "is a folder without pictures", "name a picture, or a folder that holds some")
        yield from inside


def _show(verdicts: list[Verdict]) -> None:
    if len(verdicts) <= _PANELS:
        return show(*map(verdict_panel, verdicts))
    rows = table("file", "", "what was found", narrow=[""])
    for verdict in verdicts:
        state = plain(verdict.state, _COLOURS.get(verdict.state, "blue"))
        rows.add_row(plain(verdict.path), state, plain(verdict.finding))
    genuine = sum(verdict.genuine for verdict in verdicts)
    show(rows, f"[bold]{genuine:,} of {len(verdicts):,} genuine[/bold]")


def _facts(verdict: Verdict) -> list[tuple[str, object]]:
    """What the signed papers say, in the order in which one asks; nothing of a file that was changed."""
    if verdict.state not in ("valid", "invalid") or verdict.signer is None:
        return []
    from limner.papers.verify import wording
    from limner.papers.verify.wording_retouch import retouch_words, retouches_in

    made, signer = verdict.generation, verdict.signer
    parents = made["model_parents"] if isinstance(made.get("model_parents"), list) else []
    uses = {name.split(".")[-1].replace("_", " "): use for name, use in verdict.training_mining.items()}
    return [
        ("title", verdict.title),
        ("creator", verdict.creator),
        ("signed by", f"{wording.signed_by(signer)} · {signer.organisation}"),
        ("certificate", f"{_validity(signer)}, number {signer.serial}"),
        ("time-stamp", signer.time_stamp),
        ("model", _named(made.get("model_name"), made.get("model_digest"), made.get("family"))),
        ("superseded", _superseded(made)),
        ("selling", _selling(made)),
        ("went on from", ", ".join(one for one in parents if isinstance(one, str))),
        ("collection", _named(made.get("collection_name"), made.get("collection_digest"))),
        ("ingredients", wording.made_with(verdict)),
        ("picture", _picture(made)),
        ("made by", _act(made)),
        *(("retouched", retouch_words(one)) for one in retouches_in(made)),
        *(
            ("└ " * (one.depth - 1) + _EARLIER.get(one.relationship, "ingredient"), wording.earlier(one))
            for one in verdict.chain
        ),
        ("label", _label(made)),
        ("latent", made.get("latent_digest")),
        ("credit", made.get("credit")),
        ("training, mining", ", ".join(f"{name}: {use}" for name, use in uses.items())),
    ]


def _validity(signer: SignerSeen) -> str:
    ended = ", ended by now" if signer.expired else ""
    revoked = f", revoked from {signer.revoked[:10]} on" if signer.revoked else ""
    return f"{signer.valid_from[:10]} to {signer.valid_until[:10]}{ended}{revoked}"


def _named(name: object, digest: object, family: object = None) -> str:
    kind = f" ({family})" if family else ""
    return f"{name}{kind}  {digest or ''}".rstrip() if name else ""


def _superseded(made: dict[str, Any]) -> str:
    parameters = made.get("parameters")
    said = parameters.get("superseded") if isinstance(parameters, dict) else None
    if not isinstance(said, dict):
        return ""
    return f"since {said.get('since')}: {said.get('why')}; used all the same: {said.get('used_because')}"


def _selling(made: dict[str, Any]) -> str:
    """What the papers say of consents to sell; empty where they say nothing, or everybody granted it."""
    checked = made.get("checked")
    consent = checked.get("consent") if isinstance(checked, dict) else None
    sell = consent.get("sell") if isinstance(consent, dict) else None
    if not isinstance(sell, dict) or sell.get("granted") is not False:
        return ""
    names = sell.get("not_by")
    whose = [one for one in names if isinstance(one, str)] if isinstance(names, list) else []
    return f"not granted by {', '.join(whose)}" if whose else "not granted"


def _act(made: dict[str, Any]) -> str:
    what, parents, how = made.get("made"), made.get("parents"), made.get("how")
    if not isinstance(what, str) or what == "sample":
        return ""
    numbers = ", ".join(f"{name} {value}" for name, value in how.items()) if isinstance(how, dict) else ""
    count = len(parents) if isinstance(parents, list) else 0
    return f"{what} of {count} picture{'' if count == 1 else 's'}{': ' if numbers else ''}{numbers}"


def _label(made: dict[str, Any]) -> str:
    label = made.get("visible_label")
    return f'"{label.get("words")}" is drawn into the picture, {label.get("corner")}' if isinstance(label, dict) else ""


def _picture(made: dict[str, Any]) -> str:
    if "seed" not in made:
        return ""
    label = f", label {made['label']}" if made.get("label") else ""
    return f"number {made.get('index')} of seed {made['seed']}, truncation {made.get('truncation')}{label}"
