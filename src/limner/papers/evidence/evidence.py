"""The evidence file of a work: one folder with all that is known of it, and a page that says what each part shows."""

from __future__ import annotations

import datetime as dt
import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from limner import __version__, pictures
from limner.digests import digest_of
from limner.errors import UsageError
from limner.ledger import Ledger, LedgerReport
from limner.papers.evidence.compliance import NOTICE, claims_of
from limner.papers.evidence.pages import environment
from limner.papers.evidence.parts import (
    card_of_work,
    copies_and_bias,
    family_acts,
    registry_report,
    rights_table,
    watermark_report,
    web_copy,
)
from limner.papers.identity.identity import Identity
from limner.papers.publishing.published import Published
from limner.papers.verify.checking import open_checker
from limner.papers.verify.verdict import Verdict
from limner.papers.watermark.keys import known_keys
from limner.text import printable
from limner.workspace import Workspace, replace_folder

_SUMS = "SHA256SUMS"
_SHOWN = 900


@dataclass(frozen=True)
class EvidenceFile:
    """An evidence file that was written.

    Attributes:
        files: sha256 (hexadecimal) by name; `SHA256SUMS` holds the same.
        verdict: on the master.
        ledger: whether the whole chain holds.
        replaced: whether an earlier evidence file lay there.
    """

    folder: Path
    files: dict[str, str]
    verdict: Verdict
    ledger: LedgerReport
    replaced: bool


def write_evidence(
    work: Path, workspace: Workspace, to: Path | None = None, more: Mapping[str, str] | None = None
) -> EvidenceFile:
    """Gather what is known of a published work, in one step; recorded in the ledger.

    Args:
        to: the folder; the workspace's `evidence` by default. An earlier evidence file there is replaced.
        more: further files, their text by name, such as the statement of human contribution.

    Raises:
        UsageError: the work was not published here, or was changed since; or the folder holds something else.
        LedgerError: the ledger cannot be read or written to.
    """
    ledger = Ledger.open(workspace.ledger)
    known = _Gathered(work, workspace, ledger)
    folder = to or workspace.root / "evidence" / f"{work.stem}-{known.digest[7:19]}"
    replaced = _checked(folder)
    try:
        with replace_folder(folder) as part:
            _write_all(part, known, more or {})
            sums = {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(part.iterdir())}
            lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
            (part / _SUMS).write_text(lines, encoding="utf-8")
    except OSError as error:
        raise UsageError(folder, f"cannot be written ({error.strerror})", "choose another folder with --to") from error
    details = {"path": str(folder.absolute()), "files": len(sums), "state": known.verdict.state}
    output = digest_of(lines.encode())
    ledger.record("artist", "evidence", inputs=[known.digest], outputs=[output], parameters=details)
    return EvidenceFile(folder, sums, known.verdict, known.chain, replaced)


class _Gathered:
    """All that is known of a published work."""

    def __init__(self, work: Path, workspace: Workspace, ledger: Ledger) -> None:
        try:
            self.data = work.read_bytes()
        except OSError as error:
            raise UsageError(work, f"cannot be read ({error.strerror})", "give a work's file") from error
        self.digest = digest_of(self.data)
        published = Published.find(ledger, self.digest)
        if published is None:
            raise UsageError(work, "was not published here, or was changed since", "check it with `limner verify`")
        self.published, self.master = published, f"master{work.suffix.lower()}"
        with closing(open_checker(workspace, own="none")) as checker:
            self.verdict = checker.check_bytes(self.data, work)
            self.manifest = checker.manifest(self.data) or {}
        generation, model_digest = self.verdict.generation, str(self.verdict.model_digest or "")
        self.watermark = watermark_report(self.data, generation, published.signer, known_keys(workspace))
        self.registry = registry_report(workspace, self.digest)
        self.card = card_of_work(model_digest, workspace)
        self.rights = rights_table(generation, self.card, workspace)
        self.copies = copies_and_bias(self.card, model_digest, workspace)
        self.acts = family_acts(ledger, self.digest, published.signer)
        self.chain = ledger.verify()
        self.root = Identity.root_of(workspace, published.signer)
        self.web = web_copy(ledger, self.digest)


def _checked(folder: Path) -> bool:
    """Whether an evidence file lies there already; anything else is not written over."""
    if not folder.exists():
        return False
    if folder.is_dir() and ((folder / _SUMS).is_file() or not any(folder.iterdir())):
        return (folder / _SUMS).is_file()
    raise UsageError(folder, "holds something else than an evidence file", "choose another folder with --to")


def _write_all(folder: Path, known: _Gathered, more: Mapping[str, str]) -> None:
    (folder / known.master).write_bytes(known.data)
    if known.web:
        (folder / f"web{known.web[0]}").write_bytes(known.web[1])
    if known.root:
        (folder / "root.pem").write_bytes(known.root.read_bytes())
    contents: dict[str, Any] = {
        "manifest.json": known.manifest,
        "verification.json": {**known.verdict.to_dict(), "path": known.master},
        "bias-and-copies.json": known.copies,
        "ledger.json": {
            "whole_ledger": vars(known.chain),
            "acts": [vars(act) for act in known.acts],
            "note": "acts of this work's family; each hash is over the act and its parent's hash (SHA-256)",
        },
        "watermark.json": known.watermark.to_dict(),
    }
    if known.registry:
        contents["registry.json"] = known.registry.to_dict()
    if known.card:
        contents["model-card.json"] = known.card.model_dump(mode="json")
        (folder / "model-card.html").write_text(_card_page(known), encoding="utf-8")
    for name, value in contents.items():
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
        (folder / name).write_bytes(text.encode("utf-8", "replace"))
    for name, words in more.items():
        (folder / name).write_bytes(words.encode("utf-8", "replace"))
    (folder / "rights.csv").write_text(known.rights.csv, encoding="utf-8", newline="")
    (folder / "index.html").write_text(_page(known, sorted(path.name for path in folder.iterdir())), encoding="utf-8")


def _page(known: _Gathered, files: list[str]) -> str:
    ingredients = sum(one.relationship != "parentOf" for one in known.verdict.chain)
    drawn = known.verdict.generation.get("visible_label")
    label = f'"{drawn.get("words")}", {drawn.get("corner")}' if isinstance(drawn, dict) else None
    claims = claims_of(known.verdict, known.master, known.watermark, known.registry, ingredients, label)
    return (
        environment()
        .get_template("evidence.html.j2")
        .render(
            known=known,
            claims=claims,
            files=files,
            picture=_small(known.data, Path(known.master)),
            verdict=known.verdict,
            card=known.card,
            quality=known.card.quality if known.card else {},
            notice=NOTICE,
            visible=printable,
            **_stamp(),
        )
    )


def _card_page(known: _Gathered) -> str:
    model = known.verdict.model_digest
    template = environment().get_template("card.html.j2")
    return template.render(card=known.card, digest=model, visible=printable, **_stamp())


def _stamp() -> dict[str, str]:
    return {"made": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC", "version": __version__}


def _small(data: bytes, name: Path) -> dict[str, Any]:
    """The picture for the page: as it is where it is small, else no larger than 900 pixels."""
    import numpy as np
    from PIL import Image

    pixels = pictures.decode(data, name).pixels
    height, width = pixels.shape[:2]
    if max(height, width) > _SHOWN:
        image = Image.fromarray(pixels)
        image.thumbnail((_SHOWN, _SHOWN), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
    kind = "png" if max(height, width) <= 256 else "jpeg"
    uri = f"data:image/{kind};base64,{b64encode(pictures.encode(pixels, kind, quality=90)).decode()}"
    return {"uri": uri, "width": width, "height": height, "times": max(1, 512 // max(height, width))}
