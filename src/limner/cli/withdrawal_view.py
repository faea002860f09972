"""What `limner withdraw` shows: what it found, what it will do, and what a statement proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limner.cli.tables import facts, plain, show, table

if TYPE_CHECKING:
    from rich.table import Table

    from limner.withdrawal.carrying_out import Withdrawal
    from limner.withdrawal.record import Findings, FoundModel, FoundWork
    from limner.withdrawal.statements import Checked

_MOST = 12
"""Rows of a table; the rest is counted."""


def show_plan(withdrawal: Withdrawal, findings: Findings, *, done: bool) -> None:
    """What was found of the pictures, and what is done about it."""
    from limner.withdrawal.wording import NOTICE, places_words, version_words

    subject, following = findings.subject, withdrawal.next_version
    count = _count(len(subject.pictures), "picture")
    show(f"[bold]{_escaped(subject.name)}[/bold], {count} of {findings.collection.name}")
    show(_pictures(findings))
    alike = sum(one.why == "alike" for one in subject.pictures)
    if alike:
        show(f"{_count(alike, 'copy', 'copies')} of what was named; --only-named leaves them")
    if findings.models:
        show("", _models(withdrawal, findings))
    shown = [one for one in findings.works if one.relation != "painted"]
    if shown:
        show("", _works(withdrawal, shown))
    painted = findings.only_painted
    further = sum(one.published for one in painted)
    lines: list[tuple[str, object]] = [
        (
            "other works",
            f"{len(painted):,} by these models without a piece of it" + _further(further) if painted else "",
        ),
        ("films", ", ".join(f"{one.path} ({one.share:.1%})" if one.share else one.path for one in findings.films)),
        ("packs", ", ".join(f"{one.path} ({len(one.holds)} of {one.pictures})" for one in findings.packs)),
        ("tools", ", ".join(f"{one.kind} {one.name}" for one in findings.tools)),
        ("elsewhere", ", ".join(f"{one.name} ({one.holds})" for one in findings.elsewhere)),
        *(("lies here", line) for line in places_words(findings.places)),
    ]
    show("", facts(lines))
    if not done:
        show(
            "",
            facts([("next version", version_words(following)), *_steps(withdrawal, findings)]),
            f"[dim]{NOTICE}[/dim]",
        )


def show_checked(checked: Checked) -> None:
    """What a statement proves."""
    from limner.papers.identity.detached import Held, Trusted
    from limner.withdrawal.statements import Agreement

    seen, statement = checked.signature, checked.statement
    whose = {
        Trusted.OWN: "a key of this workspace",
        Trusted.ANCHOR: "a trust anchor vouches for the name",
        Trusted.NOBODY: "nobody here vouches for the name",
    }
    ledger = {
        Agreement.AGREES: "says the same: the statement, each act, and the chain hold",
        Agreement.DIFFERS: f"differs: {checked.reason}",
        Agreement.NOT_HERE: "of this workspace does not know it",
    }
    signature = (
        f"holds; {seen.name} ({whose[seen.trusted]})" if seen.held == Held.VALID else f"{seen.held}: {seen.reason}"
    )
    page = {True: "says the same", False: "differs from what was signed", None: ""}[checked.page]
    rows: list[tuple[str, object]] = [("signature", signature), ("signed on", seen.time[:19].replace("T", " "))]
    if statement is not None:
        count = _count(len(statement.subject.pictures), "picture")
        about = f"{statement.subject.name}, {count} of {statement.former.name}; statement {statement.number}"
        rows += [("about", about), ("ledger", ledger[checked.ledger]), ("page", page)]
    else:
        rows.append(("statement", checked.reason))
    words = "✓ The statement holds" if checked.holds else "✗ The statement does not hold"
    show(plain(words, "bold green" if checked.holds else "bold red"), facts(rows))


def _pictures(findings: Findings) -> Table:
    rows = table("picture", "by", "licence", "was", "pixels", gap=2)
    pictures = findings.subject.pictures
    for one in pictures[:_MOST]:
        was = "learned from" if one.split == "train" else "held out"
        title = f"{one.file} (a copy)" if one.why == "alike" else one.file
        cells = title, one.creator or "unknown", one.licence or "unknown", was, one.pixel_sha256[:12]
        rows.add_row(*map(plain, cells))
    if len(pictures) > _MOST:
        rows.add_row(f"and {len(pictures) - _MOST:,} more")
    return rows


def _models(withdrawal: Withdrawal, findings: Findings) -> Table:
    from limner.withdrawal.wording import RELATIONS

    rows = table("model", "what it has to do with it", "what is done", gap=2, narrow=("model",))
    for one in findings.models:
        through = f": {', '.join(one.through)}" if one.through and one.relation == "descends" else ""
        rows.add_row(plain(one.name), plain(RELATIONS[one.relation] + through), plain(_fate(withdrawal, one)))
    return rows


def _fate(withdrawal: Withdrawal, model: FoundModel) -> str:
    if not model.affected:
        return "nothing"
    words = f"superseded since {model.superseded[:10]}" if model.superseded else "marked as superseded"
    if model.replaced_by:
        return f"{words}; replaced by {model.replaced_by}"
    return f"{words}, trained anew" if withdrawal.wanted.retrain else words


def _works(withdrawal: Withdrawal, works: list[FoundWork]) -> Table:
    from limner.withdrawal.wording import published_words

    rows = table("work", "of its area", "published", "what is done", gap=2, right=("of its area",))
    for one in works[:_MOST]:
        area = f"{one.area:.1%}" if one.pieces else "made from it"
        state = {"there": "", "changed": " (other contents by now)", "gone": " (not there any more)"}[one.file.state]
        further = published_words(one) or "not that limner knows"
        fate = "finished anew" if withdrawal.wanted.finish_anew and not one.from_file else "stays as it is"
        fate = f"replaced by {one.anew}" if one.anew else fate
        rows.add_row(plain(one.file.path + state), area, plain(further), plain(fate))
        for edition in one.editions:
            rows.add_row(plain(f"└ {edition.path}{'' if edition.state == 'there' else ' (' + edition.state + ')'}"))
    if len(works) > _MOST:
        rows.add_row(f"and {len(works) - _MOST:,} more")
    return rows


def _steps(withdrawal: Withdrawal, findings: Findings) -> list[tuple[str, object]]:
    """What else is done, and what is offered, with its command."""
    from limner.withdrawal.wording import command_line, lacking_words

    wanted = withdrawal.wanted
    steps: list[tuple[str, object]] = [("blocked", "use of the pictures, in every collection of this workspace")]
    for model, retraining in withdrawal.retrainings(findings.affected):
        word = "trains anew" if wanted.retrain else "or --retrain"
        steps.append((word, f"{model.name}: {command_line(retraining.arguments)}{lacking_words(retraining.lacks)}"))
    waiting = [one for one in findings.with_pieces if not one.anew and not one.from_file]
    if waiting:
        said = f"{_count(len(waiting), 'work')}: the same compositions from other pictures; the old files stay"
        steps.append(("finishes anew" if wanted.finish_anew else "or --finish-anew", said))
    steps.append(("writes", "a signed statement of what was done, and what cannot be undone"))
    return steps


def _further(count: int) -> str:
    return f", {count:,} of them published" if count else ""


def _count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def _escaped(text: str) -> str:
    from rich.markup import escape

    from limner.text import printable

    return escape(printable(text))
