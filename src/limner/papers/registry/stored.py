"""The papers that the registry keeps: what a stored manifest says, writing it out again, registering older works."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import c2pa

from limner import pictures
from limner.digests import digest_of
from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers.c2pa.library import C2paError, read_store
from limner.papers.c2pa.parts import take_apart
from limner.papers.c2pa.provenance import GENERATION
from limner.papers.c2pa.store import manifest_store
from limner.papers.publishing.published import Published
from limner.papers.registry.fingerprints import fingerprints_of
from limner.papers.registry.registry import Registry
from limner.papers.registry.store import Edition, work_identifier
from limner.papers.verify.checking import Checker, open_checker
from limner.workspace import Workspace, replace_file

_KIND = "application/c2pa"
# The stored manifest is read without the picture that it was made for, so what binds it to one cannot hold.
_BINDING = ("assertion.dataHash.", "assertion.bmffHash.", "assertion.boxesHash.", "signingCredential.untrusted")


def stored_papers(edition: Edition, context: c2pa.Context) -> dict[str, Any]:
    """What the stored manifest says, and whether its signature holds: `signature` is `holds` or says why not.

    Args:
        context: settings to read by, as `reading_context` makes them.
    """
    try:
        store = read_store(edition.manifest, _KIND, context)
    except C2paError as error:
        return {"signature": f"cannot be read ({error})"}
    active = store["active"] if store else None
    manifest: dict[str, Any] = next((m for m in (store or {}).get("manifests", []) if m.get("label") == active), {})
    failures = [
        str(one.get("code"))
        for one in manifest.get("validationResults", {}).get("failure", [])
        if not str(one.get("code")).startswith(_BINDING)
    ]
    claim = manifest.get("claim.v2") or manifest.get("claim") or {}
    return {
        "signature": "holds"
        if manifest and not failures
        else f"does not hold ({', '.join(failures) or 'no manifest'})",
        "title": claim.get("dc:title"),
        "time_stamp": store.get("time") if store else None,
        "generation": manifest.get("assertions", {}).get(GENERATION, {}),
    }


def restore(edition: Edition, to: Path, context: c2pa.Context) -> list[Path]:
    """Write the papers of a work as they were published: `to` with the endings .c2pa, .json, and .xmp.

    Raises:
        PapersError: one of the files exists, or cannot be written.
    """
    try:
        report = json.dumps(read_store(edition.manifest, _KIND, context), indent=2, ensure_ascii=False).encode()
    except C2paError as error:
        raise PapersError(edition.name, f"has a stored manifest that cannot be read ({error})") from error
    contents = {".c2pa": edition.manifest, ".json": report, **({".xmp": edition.xmp} if edition.xmp else {})}
    paths = {to.with_suffix(ending): content for ending, content in contents.items()}
    for path in paths:
        if path.exists():
            raise PapersError(path, "exists already", "choose another name")
    try:
        for path, content in paths.items():
            with replace_file(path) as part:
                part.write_bytes(content)
    except OSError as error:
        raise PapersError(to, f"cannot be written ({error.strerror})", "choose another place") from error
    return list(paths)


def register_published(paths: Sequence[Path], workspace: Workspace) -> int:
    """Register works that were published before there was a registry; all or none.

    Returns:
        How many were not registered yet.

    Raises:
        PapersError: one was not published here, was changed since, or is not genuine.
        PictureError: one cannot be read.
    """
    registry, ledger = Registry(workspace.registry, workspace.registry_index), Ledger.open(workspace.ledger)
    found = []
    with closing(open_checker(workspace)) as checker:
        for path in paths:
            digest = digest_of(pictures.open_file(path))
            published = Published.find(ledger, digest)
            if published is None:
                raise PapersError(path, "was not published here, or was changed since", "check it with `limner verify`")
            if not registry.with_digest(digest):
                found.append(edition_of(path, checker, published.signer))
    registry.add(found)
    if found:
        ledger.record("artist", "register", inputs=[one.digest for one in found])
    return len(found)


def edition_of(path: Path, checker: Checker, signer: str) -> Edition:
    """A published work, read from its own file.

    Args:
        checker: by which it must be found genuine.
        signer: fingerprint of the certificate that it was published with, as the ledger says.

    Raises:
        PapersError: it is not genuine, or no work of limner.
        PictureError: it cannot be read.
    """
    data = bytes(pictures.open_file(path))
    verdict = checker.check_bytes(data, path)
    made = verdict.generation
    parts = take_apart(data)
    manifest = manifest_store(data, parts.kind)
    if not verdict.genuine or not made or manifest is None:
        raise PapersError(path, f"cannot be registered ({verdict.summary})", "register works as they were published")
    prints = fingerprints_of(pictures.decode(data, path).pixels)
    latent, model = str(made.get("latent_digest", "")), str(made.get("model_digest", ""))
    return Edition(
        work=work_identifier(latent, model, signer),
        digest=digest_of(data),
        title=verdict.title or "",
        creator=verdict.creator or "",
        path=str(path.absolute()),
        signer=signer,
        signer_name=verdict.signer.name if verdict.signer else "",
        model=model,
        latent=latent,
        manifest=manifest,
        xmp=parts.xmp,
        **prints.kept(),
    )
