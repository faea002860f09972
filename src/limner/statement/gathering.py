"""A statement of human contribution, gathered from the ledger, the work's file and what was measured."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from limner import __version__
from limner.errors import UsageError
from limner.ledger import Ledger, LedgerReport
from limner.papers.c2pa.claims import mapping
from limner.papers.publishing.published import Published
from limner.papers.verify.checking import open_checker
from limner.papers.verify.names import quoted
from limner.papers.verify.verdict import Verdict
from limner.statement.actions import actions_said
from limner.statement.choices import counts_of
from limner.statement.record import Fact, Standing, Statement, Step
from limner.statement.steps import steps_of
from limner.statement.wording import LAW, UNKNOWN
from limner.works.retouches import before_retouches
from limner.workspace import Workspace

_TRAINED = {"train": "trained", "merge": "merged from others"}


def statement_of(work: Path, workspace: Workspace) -> Statement:
    """What artist and algorithm did for a work that was published here.

    Raises:
        UsageError: it was not published here, or was changed since.
        LedgerError: the ledger cannot be read.
    """
    ledger = Ledger.open(workspace.ledger)
    try:
        data = work.read_bytes()
    except OSError as error:
        raise UsageError(work, f"cannot be read ({error.strerror})", "give a work's file") from error
    with closing(open_checker(workspace)) as checker:
        verdict, store = checker.check_bytes(data, work), checker.manifest(data) or {}
    published = _published(work, data, ledger)
    steps = steps_of(published.digest, ledger, workspace)
    chain = ledger.verify()
    return Statement(
        title=published.title,
        artist=verdict.creator or "the artist",
        file=work.name,
        digest=published.digest,
        summary=_summary(published, steps, verdict),
        verdict=verdict.summary,
        counts=counts_of(published, steps, ledger),
        steps=steps,
        algorithm=tuple(_algorithm(published, verdict, ledger)),
        actions=actions_said(store),
        facts=tuple(_facts(published, steps, verdict, chain)),
        unknown=UNKNOWN,
        law=LAW,
        ledger={"holds": chain.ok, "acts": chain.count, "head": chain.head, "reason": chain.reason},
        made=f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, by limner {__version__}",
    )


def _published(work: Path, data: bytes, ledger: Ledger) -> Published:
    from limner.digests import digest_of

    found = Published.find(ledger, digest_of(data))
    if found is None:
        raise UsageError(work, "was not published here, or was changed since", "check it with `limner verify`")
    return found


def _summary(work: Published, steps: tuple[Step, ...], verdict: Verdict) -> str:
    model = quoted(str(verdict.generation.get("model_name") or "without a name"))
    artist = verdict.creator or "The artist"
    if work.finish:
        said = (
            f"The model {model} composed this picture, and limner finished it from patches of {_given(work)} pictures."
        )
    else:
        said = f"The model {model} painted this picture."
    said += f" {artist} led it there in {len(steps)} step{'s' * (len(steps) != 1)} that the ledger holds."
    retouch = next((one for one in reversed(steps) if one.act == "retouch"), None)
    if retouch is not None:
        said += f" It was then worked on in another program: {'; '.join(retouch.measured)}."
    return said


def _given(work: Published) -> int:
    return len(work.finish.get("shares") or []) + int((work.finish.get("others") or {}).get("pictures", 0))


def _algorithm(work: Published, verdict: Verdict, ledger: Ledger) -> list[str]:
    made = verdict.generation
    name, collection = made.get("model_name"), made.get("collection_name")
    before = before_retouches(ledger, work)
    verb = "composed the picture: it decided what is where" if work.finish else "painted the picture"
    said = [f"The model {name} ({made.get('family')}) {verb}. It had learned from the collection {collection}."]
    trained = [act for act in ledger.made(work.model) if act.what in _TRAINED]
    if trained:
        said.append(f"The model was {_TRAINED[trained[-1].what]} here, on {trained[-1].time[:10]}.")
    else:
        said.append("The model was not trained in this workspace, as far as its ledger knows.")
    if work.finish:
        said.append(_finished(work))
    if work.watermark:
        said.append(f"It put an invisible mark into the pixels that names work {work.watermark}.")
    if work.visible_label:
        said.append(f'It drew a visible label: "{work.visible_label.get("words")}".')
    said.append("It signed the file and wrote what was done into the ledger.")
    start = "the same seed and number" if before.seed is not None else "its latent"
    what = "the same picture" if before is work else "the picture as it was before it was worked on elsewhere"
    said.append(f"From {start} the same model paints {what} again (limner reproduce).")
    return said


def _finished(work: Published) -> str:
    shares = work.finish.get("shares") or []
    most = ", ".join(f"{one['title'] or 'untitled'} ({one['share']:.0%})" for one in shares[:3])
    return f"It finished the composition from patches of {_given(work)} pictures; most came from {most}."


def _facts(work: Published, steps: tuple[Step, ...], verdict: Verdict, chain: LedgerReport) -> list[Fact]:
    signer = verdict.signer
    vouched = signer is not None and signer.trust == "anchor"
    made = verdict.generation
    found = [
        Fact("Title", work.title, Standing.CLAIMED, "the artist's to choose; limner's own where none was given"),
        Fact(
            "Name",
            verdict.creator or "",
            Standing.RECORDED if vouched else Standing.CLAIMED,
            "a trust anchor vouches for it"
            if vouched
            else "the artist made the certificate; nobody vouches for the name",
        ),
        Fact("Acts", f"{len(steps)} pictures on the way", Standing.RECORDED, _ledger_words(chain)),
        Fact("Model", str(made.get("model_name")), Standing.RECORDED, "the sha256 of its file is in the signed papers"),
        Fact("Date", work.time[:16].replace("T", " "), *_date(verdict)),
        Fact("File", work.digest, Standing.MEASURED, verdict.summary),
    ]
    if work.finish:
        why = "every pixel's source is known from the finish: limner credits"
        found.append(Fact("Sources", "which pictures gave patches", Standing.MEASURED, why))
    found += _decided(work, verdict)
    for one in steps:
        if one.act == "retouch":
            why = "compared with the work before, pixel by pixel"
            found.append(Fact("Change elsewhere", "; ".join(one.measured), Standing.MEASURED, why))
            how = f"{one.by}{f': {one.note}' if one.note else ''}"
            found.append(Fact("How it was changed", how, Standing.CLAIMED, "limner was not there"))
    return found


def _decided(work: Published, verdict: Verdict) -> Iterator[Fact]:
    """What checks found before publishing, and where the artist decided against them, with the reason given."""
    copies = mapping(work.checked.get("copies"))
    if isinstance(copies.get("compared"), int) and copies["compared"]:
        pictures = f"compared with {copies['compared']:,} pictures that its model learned from"
        if copies.get("copy"):
            reason = str(copies.get("allowed") or "no reason is kept")
            why = f"the artist published it for this reason: {reason}"
            yield Fact("Copies", f"{pictures}: a copy, whole or in part", Standing.MEASURED, why)
        else:
            yield Fact(
                "Copies", f"{pictures}: no copy was found", Standing.MEASURED, "by the copy gate, before it was signed"
            )
    superseded = mapping(mapping(verdict.generation.get("parameters")).get("superseded"))
    if superseded:
        why = f"the artist used it for this reason: {superseded.get('used_because')}"
        yield Fact("Superseded model", str(superseded.get("why")), Standing.RECORDED, why)


def _ledger_words(chain: LedgerReport) -> str:
    if not chain.ok:
        return f"the ledger does not hold: {chain.reason}"
    return f"written when they were done; the chain of {chain.count:,} acts holds"


def _date(verdict: Verdict) -> tuple[Standing, str]:
    signer = verdict.signer
    if signer and signer.time_stamp and signer.time_stamp_trusted:
        return Standing.MEASURED, "a time-stamp server that is trusted saw it"
    return Standing.RECORDED, "by the clock of the artist's computer; no trusted time-stamp"
