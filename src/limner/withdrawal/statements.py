"""The statement of a withdrawal: dated, signed, written as JSON and as a page, recorded; and read back and checked."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from limner import __version__
from limner.digests import digest_of
from limner.errors import PapersError, UsageError
from limner.ledger import Act, Ledger
from limner.models.bundle import SHIPPED
from limner.papers.identity.detached import Held, SignatureSeen, check_detached, sign_detached
from limner.papers.identity.identity import Identity
from limner.papers.identity.revocations import read_revocations
from limner.papers.identity.trust import TrustStore
from limner.withdrawal.carrying_out import STATE, Withdrawal
from limner.withdrawal.page import statement_page
from limner.withdrawal.record import Done, LedgerHead, Statement
from limner.withdrawal.wording import cannot_be_undone, left_undone
from limner.workspace import Workspace, clear_parts, replace_folder

DATA, SIGNATURE, PAGE, ROOT = "statement.json", "statement.jws", "index.html", "root.pem"
_LARGEST = 64 << 20


class Agreement(StrEnum):
    """Whether a statement agrees with the ledger of the workspace in which it is checked."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_HERE = "not here"
    """This ledger does not know the statement: it was made in another workspace."""


@dataclass(frozen=True)
class Checked:
    """What was found of a statement.

    Attributes:
        statement: None where it cannot be read.
        reason: why it differs from the ledger, or cannot be read; empty otherwise.
        page: whether the page beside it says what the statement says; None where there is none.
    """

    signature: SignatureSeen
    ledger: Agreement
    statement: Statement | None
    reason: str = ""
    page: bool | None = None

    @property
    def holds(self) -> bool:
        """Whether the signature holds, and nothing contradicts the statement."""
        contradicted = self.ledger is Agreement.DIFFERS or self.page is False
        return self.signature.held is Held.VALID and self.statement is not None and not contradicted


def statements_of(withdrawal: Withdrawal) -> list[Act]:
    """The acts by which statements about a withdrawal were recorded, oldest first."""
    return [act for act in withdrawal.acts() if act.what == STATE]


def is_stated(withdrawal: Withdrawal) -> bool:
    """Whether a statement tells of all that was done."""
    acts = withdrawal.acts()
    return bool(acts) and acts[-1].what == STATE


def write_statement(withdrawal: Withdrawal, identity: Identity) -> Path:
    """Write and record the statement of what was done; its folder.

    Raises:
        PapersError: it cannot be signed.
        UsageError: it cannot be written.
    """
    before = statements_of(withdrawal)
    number = len(before) + 1
    workspace = withdrawal.workspace
    folder = workspace.root / "withdrawals" / withdrawal.name / f"statement-{number}"
    statement = _built(withdrawal, identity, number, before[-1].outputs[0] if before else "")
    clear_parts(folder)
    data = (json.dumps(statement.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode()
    try:
        with replace_folder(folder) as part:
            (part / DATA).write_bytes(data)
            (part / SIGNATURE).write_text(sign_detached(data, identity) + "\n", encoding="ascii")
            (part / PAGE).write_text(statement_page(statement, digest_of(data)), encoding="utf-8")
            if identity.root is not None:
                (part / ROOT).write_text(identity.root, encoding="ascii")
    except OSError as error:
        raise UsageError(folder, f"cannot be written ({error.strerror})", "make room, then repeat it") from error
    how = {"withdrawal": withdrawal.name, "path": str(folder), "number": number}
    inputs = [f"sha256:{statement.former.digest}", f"sha256:{statement.next.digest}"]
    withdrawal.ledger.record("artist", STATE, inputs=inputs, outputs=[digest_of(data)], parameters=how)
    return folder


def check_statement(path: Path, workspace: Workspace, anchors: Sequence[Path] = ()) -> Checked:
    """What a statement proves: its signature, whose it is, and whether the ledger here says the same.

    Args:
        path: the statement's folder, or its JSON.
        anchors: root certificates (PEM) to believe, beside those of the workspace.

    Raises:
        UsageError: there is no statement, or no signature beside it.
        PapersError: an anchor cannot be read.
    """
    path = path / DATA if path.is_dir() else path
    data, signature = _read(path), _read(path.with_name(SIGNATURE)).decode("ascii", "replace")
    seen = check_detached(
        data,
        signature,
        own=Identity.roots(workspace),
        anchors=[*TrustStore(workspace).paths(), *anchors],
        revoked=read_revocations(workspace),
    )
    try:
        statement = Statement.model_validate_json(data)
    except ValidationError as error:
        reason = f"is no statement that this limner reads (at {error.errors()[0]['loc']})"
        return Checked(seen, Agreement.NOT_HERE, None, reason)
    agreement, reason = _agreement(statement, digest_of(data), workspace)
    page = path.with_name(PAGE)
    same = None
    # Another version may tell the same in other words.
    if page.is_file() and statement.limner == __version__:
        same = _read(page) == statement_page(statement, digest_of(data)).encode()
    return Checked(seen, agreement, statement, reason, same)


def _built(withdrawal: Withdrawal, identity: Identity, number: int, follows: str) -> Statement:
    findings, ledger = withdrawal.gathering.findings(), withdrawal.ledger
    retrainings = {one.digest: how for one, how in withdrawal.retrainings(findings.affected)}
    models = [
        model.model_copy(update={"retrain": ("limner", *how.arguments), "retrain_lacks": how.lacks})
        if (how := retrainings.get(model.digest)) else model
        for model in findings.models
    ]  # fmt: skip
    subject = findings.subject
    acts = [act for act in withdrawal.acts() if act.what != STATE]
    count, head = ledger.head()
    named = subject.name if subject.kind == "creator" else subject.pictures[0].file
    collection = withdrawal.collection
    left = left_undone(findings, retrainings, withdrawal.failed, named=named, collection=collection.name)
    statement = Statement(
        withdrawal=withdrawal.name,
        number=number,
        follows=follows,
        made=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        by=identity.name,
        certificate=identity.fingerprint,
        limner=__version__,
        note=withdrawal.wanted.note or _note(acts),
        subject=subject,
        former=findings.collection,
        next=withdrawal.next_version,
        elsewhere=findings.elsewhere,
        models=tuple(models),
        tools=findings.tools,
        works=findings.works,
        films=findings.films,
        packs=findings.packs,
        places=findings.places,
        done=tuple(_done(act) for act in acts),
        left=tuple(left),
        cannot=tuple(cannot_be_undone(findings, ledger.acts(what="pack"))),
        ledger=LedgerHead(acts=count, head=head),
    )
    roots = {f"{withdrawal.workspace.root.absolute()}/": "", f"{SHIPPED}/": "(comes with limner) "}
    return Statement.model_validate(_portable(statement.model_dump(), roots))


def _portable(value: Any, roots: Mapping[str, str]) -> Any:
    """The same with paths inside the workspace told from there: where that lies says something of the artist alone."""
    if isinstance(value, str):
        for root, instead in roots.items():
            value = value.replace(root, instead)
        return value
    if isinstance(value, dict):
        return {name: _portable(one, roots) for name, one in value.items()}
    return type(value)(_portable(one, roots) for one in value) if isinstance(value, list | tuple) else value


def _note(acts: Sequence[Act]) -> str:
    return next((str(act.parameters["note"]) for act in acts if act.parameters.get("note")), "")


def _done(act: Act) -> Done:
    how = {name: value for name, value in act.parameters.items() if name != "withdrawal"}
    return Done(
        act=act.id, hash=act.hash, time=act.time, what=act.what, inputs=tuple(act.inputs), outputs=tuple(act.outputs),
        parameters=how,
    )  # fmt: skip


def _agreement(statement: Statement, digest: str, workspace: Workspace) -> tuple[Agreement, str]:
    """Whether the ledger has the statement, each act that it names, and a chain that holds."""
    if not workspace.ledger.is_file():
        return Agreement.NOT_HERE, ""
    ledger = Ledger.open(workspace.ledger)
    acts = [act for act in ledger.acts(what=STATE) if act.parameters.get("withdrawal") == statement.withdrawal]
    if not acts:
        return Agreement.NOT_HERE, ""
    if all(digest not in act.outputs for act in acts):
        return Agreement.DIFFERS, "the ledger names another statement of this withdrawal"
    report = ledger.verify()
    if not report.ok:
        return Agreement.DIFFERS, f"the ledger does not hold: {report.reason}"
    if statement.ledger.acts and ledger.hash_of(statement.ledger.acts) != statement.ledger.head:
        return Agreement.DIFFERS, f"act {statement.ledger.acts} has another hash in the ledger"
    for one in statement.done:
        if ledger.hash_of(one.act) != one.hash:
            return Agreement.DIFFERS, f"act {one.act} ({one.what}) has another hash in the ledger"
    return Agreement.AGREES, ""


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise PapersError(path, "is too large for a statement", "give the folder of a statement")
        return path.read_bytes()
    except OSError as error:
        remedy = "give the folder of a statement, as `limner withdraw` wrote it"
        raise UsageError(path, f"cannot be read ({error.strerror})", remedy) from error
