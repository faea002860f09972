"""How rights look on the terminal and as JSON: who agreed to what, what is owed, what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from limner.cli.tables import facts, plain, table
from limner.collection import Collection, Row
from limner.rights import conditions, credit_line, obligations, sources, summary
from limner.rights.consent import Consent, Scope, Use
from limner.rights.consent.blocking import Agreed
from limner.rights.consent.checking import Finding, Kind
from limner.rights.consent.standing import Standing, State

if TYPE_CHECKING:
    from rich.console import RenderableType

_NOTICE = "Information, not legal advice: what the letter and the licence say counts."
_FEW = 3
_COLOURS = {
    State.AGREED: "green",
    State.LICENCE: "",
    State.HELD: "yellow",
    State.NOT_YET: "red",
    State.EXPIRED: "red",
    State.WITHDRAWN: "red",
}
_CANNOT = {
    Scope.TRAIN: "training",
    Scope.EXEMPLAR: "finishing",
    Scope.STYLE: "restyling",
    Scope.PUBLISH: "publishing",
    Scope.SELL: "selling",
}


def shown_tables(
    collection: Collection, found: Sequence[Standing[Row]], agreed: Agreed, on: date, history: Sequence[Consent]
) -> list[RenderableType]:
    """A table of how the pictures stand, what is owed, and every consent that was entered, where that is asked for."""
    narrow = ("state", "licence")
    shown = table("state", "who", "pictures", "licence", "agreed", gap=2, narrow=narrow, right=("pictures",))
    for one in found:
        shown.add_row(*_standing_cells(one))
    parts: list[RenderableType] = [plain(f"{collection.name} on {on}", "bold"), shown, ""]
    parts.append(facts([*_owed(collection, agreed, on).items()]))
    if history:
        parts += ["", _history(history)]
    return [*parts, plain(_NOTICE, "dim")]


def _standing_cells(one: Standing[Row]) -> list[Any]:
    who = one.creator or "unknown creator"
    if len(one.rows) == 1:
        who = f"{one.rows[0].file} ({who})"
    state, many = plain(one.state, _COLOURS[one.state]), len(one.licences) > 1
    licence = f"{len(one.licences)} licences" if many else ", ".join(one.licences) or "unknown"
    return [state, plain(who), f"{len(one.rows):,}", plain(licence), plain(_agreed(one))]


def _agreed(one: Standing[Row]) -> str:
    """What was agreed, in words: scopes, days, who gave it, the document; empty where nothing was."""
    consent = one.consent
    if consent is None:
        return ""
    if consent.withdrawn:
        return f"nothing more since {consent.recorded[:10]}"
    said = [_scopes(consent)]
    said += [_days(consent)] if consent.since or consent.until else []
    said += [f"from {consent.holder}"] if consent.holder else []
    said += [f"document {consent.document.removeprefix('sha256:')[:12]}"] if consent.document else ["no document"]
    return "; ".join(said)


def _owed(collection: Collection, agreed: Agreed, on: date) -> dict[str, str]:
    """Credit and conditions of whoever passes on what is made from these pictures, with the place of each rule."""
    use = Use(agreed, Scope.TRAIN, on)
    rows, _ = use.parted(collection.rows())
    rights = summary(rows, credit_of=lambda row: use.credit(row.pixel_sha256, row.creator))
    owed = {"credit": credit_line(rights)}
    for number, line in enumerate(conditions(row.licence for row in rows)):
        owed["owed" if not number else " " * number] = line
    for licence in rights.licences:
        if licence != "unknown" and obligations(licence):
            owed[licence] = f"{', '.join(sorted(obligations(licence)))} ({'; '.join(sources(licence))})"
    return owed


def _history(rows: Sequence[Consent]) -> RenderableType:
    shown = table("no.", "entered", "about", "granted", "from-until", "document", "", gap=2, title="Entered")
    for one in rows:
        document = one.document.removeprefix("sha256:")[:12]
        state = plain("withdrawn", "red") if one.withdrawn else ""
        about = plain(one.subject), plain(_scopes(one))
        shown.add_row(str(one.number), one.recorded[:10], *about, _days(one), document, state)
    return shown


def shown_json(
    collection: Collection, found: Sequence[Standing[Row]], agreed: Agreed, on: date, history: Sequence[Consent]
) -> dict[str, Any]:
    """The same for programs."""
    groups = [
        {
            "creator": one.creator or None,
            "pictures": [{"file": row.file, "pixel_sha256": row.pixel_sha256} for row in one.rows],
            "licences": list(one.licences),
            "obligations": sorted({each for licence in one.licences or ("",) for each in obligations(licence)}),
            "state": one.state.value,
            "consent": None if one.consent is None else consent_json(one.consent),
        }
        for one in found
    ]
    owed = {name.strip() or "owed": words for name, words in _owed(collection, agreed, on).items()}
    shown: dict[str, Any] = {"collection": collection.name, "digest": collection.digest, "on": on.isoformat()}
    shown |= {"groups": groups, "credit": owed.get("credit", ""), "notice": _NOTICE}
    shown["conditions"] = conditions(licence for one in found for licence in one.licences)
    return shown | ({"history": [consent_json(one) for one in history]} if history else {})


def consent_json(consent: Consent) -> dict[str, Any]:
    """One consent for programs."""
    days = {"from": consent.since, "until": consent.until}
    return {
        "number": consent.number,
        consent.subject.kind: consent.subject.name,
        "scopes": sorted(consent.scopes),
        "licence": consent.licence or None,
        "holder": consent.holder or None,
        "document": consent.document or None,
        **{name: day.isoformat() if day else None for name, day in days.items()},
        "credit": consent.credit or None,
        "note": consent.note or None,
        "withdrawn": consent.withdrawn,
        "recorded": consent.recorded,
    }


def entered_table(collection: Collection, stored: Sequence[Consent], same: int) -> list[RenderableType]:
    """What was entered."""
    parts: list[RenderableType] = []
    for one in stored:
        days = f", {_days(one)}" if one.since or one.until else ""
        with_document = "" if one.document else "; no document"
        parts.append(plain(f"{_about(one, collection)}: granted {_scopes(one)}{days}{with_document}"))
    if same:
        parts.append(plain(f"{same:,} said nothing new"))
    return [*parts, plain(f"see: limner rights show {collection.name}", "dim")]


def entered_json(collection: Collection, stored: Sequence[Consent], same: int) -> dict[str, Any]:
    """The same for programs."""
    return {"collection": collection.name, "entered": [consent_json(one) for one in stored], "unchanged": same}


def findings_table(
    collection: Collection, found: Sequence[Finding], on: date, scopes: Iterable[Scope]
) -> list[RenderableType]:
    """What was found, what blocks first."""
    asked = ", ".join(_CANNOT[one] for one in scopes)
    parts: list[RenderableType] = [plain(f"{collection.name} on {on}: {asked}", "bold")]
    if found:
        shown = table("", "pictures", "what", "which", gap=2, right=("pictures",))
        for one in found:
            word = plain("blocks", "red") if one.blocks else plain("know", "yellow")
            shown.add_row(word, f"{len(one.rows):,}" if one.rows else "", plain(finding_words(one)), plain(_which(one)))
        parts.append(shown)
    blocking = [one for one in found if one.blocks]
    if blocking:
        barred = dict.fromkeys(_CANNOT[scope] for one in blocking for scope in one.scopes)
        parts.append(plain(f"Blocked in part: {', '.join(barred)}.", "red"))
    else:
        parts.append(plain("Nothing blocks a use.", "green"))
    return [*parts, plain(_NOTICE, "dim")]


def findings_json(
    collection: Collection, found: Sequence[Finding], on: date, scopes: Iterable[Scope]
) -> dict[str, Any]:
    """The same for programs."""
    return {
        "collection": collection.name,
        "digest": collection.digest,
        "on": on.isoformat(),
        "scopes": [one.value for one in scopes],
        "blocks": any(one.blocks for one in found),
        "findings": [
            {
                "kind": one.kind.value,
                "blocks": one.blocks,
                "scopes": [scope.value for scope in one.scopes],
                "pictures": [getattr(row, "file", row.pixel_sha256) for row in one.rows],
                "licences": list(one.licences),
                "consent": None if one.consent is None else one.consent.number,
                "words": finding_words(one),
            }
            for one in found
        ],
        "notice": _NOTICE,
    }


def finding_words(one: Finding) -> str:
    """One finding in a sentence."""
    barred = ", ".join(_CANNOT[scope] for scope in one.scopes)
    whose = "" if one.consent is None else _whose(one.consent)
    licence = " and ".join(one.licences)
    match one.kind:
        case Kind.WITHDRAWN if one.consent is not None:
            return f"{whose} was withdrawn on {one.consent.recorded[:10]}: no {barred}"
        case Kind.EXPIRED if one.consent is not None:
            return f"{whose} ended on {one.consent.until}: no {barred}"
        case Kind.NOT_YET if one.consent is not None:
            return f"{whose} begins on {one.consent.since}: no {barred} before"
        case Kind.OUT_OF_SCOPE:
            return f"{whose} does not grant {barred}"
        case Kind.HELD:
            return f"held back: {one.detail}"
        case Kind.CHANGED if one.detail == "row":
            return f"{whose} is not what the ledger recorded: somebody changed the list of consents"
        case Kind.CHANGED:
            return f"the kept document of {whose} is another file now"
        case Kind.UNRECORDED:
            return f"{whose} is not in the ledger: a command was broken off, or another program entered it"
        case Kind.UNKNOWN:
            return f"{licence or 'no licence is known'}: nobody but the rights holder knows the terms"
        case Kind.NO_DERIVATIVES:
            return f"{licence}: works that contain parts of it may not be passed on without leave ({one.detail})"
        case Kind.NON_COMMERCIAL:
            return f"{licence}: not for sale without leave ({one.detail})"
        case Kind.CONFLICT:
            return f"no one licence suits what is made from {licence} together ({one.detail})"
        case Kind.CONTRADICTION:
            return f"{whose} says {one.licences[1]}, the collection found {one.licences[0]}: what was agreed is used"
        case Kind.ENDS_SOON if one.consent is not None:
            return f"{whose} ends soon, on {one.consent.until}"
        case Kind.NO_DOCUMENT:
            return f"{whose} has no document"
        case Kind.LIKE_NAME:
            return f"no consent, but one of {one.detail!r}: the same person?"
    return one.kind.value


def _whose(consent: Consent) -> str:
    return "its own consent" if consent.subject.kind == "picture" else f"the consent of {consent.subject.name}"


def _which(one: Finding) -> str:
    names = sorted(str(getattr(row, "file", row.pixel_sha256[:12])) for row in one.rows)[:_FEW]
    return ", ".join(names) + (f" and {len(one.rows) - _FEW:,} more" if len(one.rows) > _FEW else "")


def _about(consent: Consent, collection: Collection) -> str:
    if consent.subject.kind == "creator":
        return consent.subject.name
    files = {row.pixel_sha256: row.file for row in collection.rows()}
    return files.get(consent.subject.name, str(consent.subject))


def _scopes(consent: Consent) -> str:
    return ", ".join(one for one in Scope if one in consent.scopes) or "nothing"


def _days(consent: Consent) -> str:
    return f"{consent.since or 'open'} to {consent.until or 'open'}" if consent.since or consent.until else "open"
