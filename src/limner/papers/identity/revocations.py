"""Certificates that no longer count from some moment on: what the workspace knows of them, and what that means.

C2PA readers ask an issuer's server (OCSP) for revocations. A self-made certificate has no such server, so these are
known in this workspace, and to those whom the artist informs.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass

from limner.errors import PapersError
from limner.ledger import Ledger
from limner.workspace import Workspace, replace_file

_FILE = "revoked.json"


@dataclass(frozen=True)
class Revocation:
    """One certificate that was revoked.

    Attributes:
        fingerprint: SHA-256 of the certificate, hexadecimal.
        since: from when on its signatures do not count, UTC, ISO 8601.
        recorded: when that was written down, UTC, ISO 8601; never before `since`.
        reason: in the words of who revoked it; may be empty.
    """

    name: str
    fingerprint: str
    serial: str
    since: str
    recorded: str
    reason: str = ""

    def concerns(self, serial: str, name: str) -> bool:
        """Whether a certificate with this number (hexadecimal) and name is the revoked one."""
        try:
            return int(serial, 16) == int(self.serial, 16) and name == self.name
        except ValueError:
            return False

    def spares(self, time_stamp: str | None, trusted: bool) -> bool:
        """Whether a signature was made before: only a time-stamp of a trusted server (ISO 8601) can show that."""
        if not time_stamp or not trusted:
            return False
        try:
            stamped = dt.datetime.fromisoformat(time_stamp)
        except ValueError:
            return False
        stamped = stamped if stamped.tzinfo else stamped.replace(tzinfo=dt.UTC)
        return stamped < dt.datetime.fromisoformat(self.since)


def read_revocations(workspace: Workspace) -> list[Revocation]:
    """What was revoked in the workspace, in the order in which it was.

    Raises:
        PapersError: the list is damaged: nothing is taken for unrevoked then.
    """
    path = workspace.identities / _FILE
    try:
        return [Revocation(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        if workspace.ledger.exists() and (recorded := len(Ledger.open(workspace.ledger).acts(what="revoke"))):
            remedy = "restore it from a copy; until then no signature of this workspace is judged"
            raise PapersError(path, f"is gone, though the ledger records {recorded} revocations", remedy) from None
        return []
    except (OSError, ValueError, TypeError) as error:
        raise PapersError(path, f"cannot be read ({type(error).__name__})", "restore it from a copy") from error


def write_revocation(workspace: Workspace, revocation: Revocation) -> None:
    """Add one to the list.

    Raises:
        PapersError: this certificate was revoked already, or the list is damaged.
    """
    known = read_revocations(workspace)
    for one in known:
        if one.fingerprint == revocation.fingerprint:
            raise PapersError(revocation.name, f"was revoked on {one.since[:10]} already", "nothing was changed")
    with replace_file(workspace.identities / _FILE, mode=0o600) as part:
        part.write_text(json.dumps([asdict(one) for one in (*known, revocation)], indent=2), encoding="utf-8")
