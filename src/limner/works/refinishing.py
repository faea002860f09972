"""Finishing a work anew without withdrawn pictures: the same composition, other patches, a new work."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.digests import digest_of_file
from limner.errors import RightsError, UsageError
from limner.ledger import Ledger
from limner.models.painter import Latent
from limner.papers.publishing.published import Published
from limner.papers.publishing.publisher import Publisher
from limner.works.acts import WorkAct
from limner.works.credits import rights_of
from limner.works.finish_record import FinishRecord
from limner.works.finishing import Finishing, FinishRequest, composition_of, finishing_for, withdrawn_among
from limner.works.intake import Intake
from limner.works.making import provenance_of
from limner.works.origins import Origin, Origins
from limner.works.retouches import retouches_of
from limner.workspace import Workspace

REFINISH = "finish anew"
"""The act by which a work was finished anew: from the work, its new file."""


@dataclass(frozen=True)
class Refinished:
    """A work that was finished anew.

    Attributes:
        former, digest: of the file before, and of the new one.
        pieces: how many of the withdrawn exemplars are in the new source map; always 0, or it is not published.
    """

    former: str
    path: Path
    digest: str
    pieces: int


class Refinisher:
    """Finishes works anew; models and exemplars are opened once.

    Args:
        reason: why superseded models may be used; recorded with each.
        why: what acts and papers say, beside the work that is replaced; plain JSON.
    """

    def __init__(self, workspace: Workspace, publisher: Publisher, reason: str, why: dict[str, Any]) -> None:
        self._workspace, self._publisher, self._reason, self._why = workspace, publisher, reason, why
        self._ledger = Ledger.open(workspace.ledger)
        self._origins: dict[tuple[str, str | None], Origins] = {}

    def refinish(self, digest: str, path: Path) -> Refinished:
        """Publish the work anew at `path`; what is there already from a broken-off run is taken up.

        Args:
            digest: of the work's file, which need not be here any more.

        Raises:
            UsageError: it was not finished, or model, latent, composition or exemplars are gone.
            PapersError, LedgerError: as `Publisher.publish` does.
        """
        former = Published.find(self._ledger, digest)
        record = FinishRecord.of(former.finish) if former else None
        if former is None or record is None:
            raise UsageError(digest[:19], "was not finished from exemplars", "nothing can be finished anew")
        how = {"replaces": digest, **self._why}
        if (made := self._made_before(former, path)) is None:
            made = self._publish(former, record, path, how)
        act = WorkAct(REFINISH, (digest,), former.model, made, how)
        self._ledger.record_many([act.entry()])
        return Refinished(digest, path, made, 0)

    def _publish(self, former: Published, record: FinishRecord, path: Path, how: dict[str, Any]) -> str:
        origins, latent = self._opened(former)
        finishing = self._finishing(former, record, origins)
        composition = composition_of(record, self._workspace, origins.pipeline.composed(latent))
        found = finishing.again(record, composition)
        gone = set(finishing.without)
        if any(one.exemplar.digest in gone for one in found.sources.shares()):
            raise RightsError(path, "a withdrawn picture is in the new finish", "nothing was written")
        kept = {"composition": record.composition}
        chosen = tuple(one for one in record.chosen or () if one.removeprefix("sha256:") not in gone)
        finish = finishing.record(found).model_copy(update={**kept, "chosen": chosen or None})
        with closing(Intake(self._workspace)) as intake:
            ingredients = intake.of([Origin(str(former.path), "work", former.digest, latent)], works=True)
        card = origins.pipeline.model.card
        papers = provenance_of(
            origins.pipeline,
            former.latent,
            self._publisher.identity.name,
            rights=rights_of(card.rights, self._ledger, (former.digest,), how),
            finish=finish,
            title=former.title,
            made=REFINISH,
            parents=(former.digest,),
            how=how,
            ingredients=ingredients,
            label=former.label,
        )
        return self._publisher.publish(found.pixels, path, papers, quality=92).digest

    def _finishing(self, former: Published, record: FinishRecord, origins: Origins) -> Finishing:
        """What finished it, without what is withdrawn by now."""
        request = FinishRequest(record.options, exemplars=record.exemplars.name or None)
        how: dict[str, Any] = {"label": former.label, "threads": 1, "digest": record.exemplars.digest}
        model = origins.pipeline.model
        whole = finishing_for(model, self._workspace, request, without=set(), **how)
        if isinstance(whole, str):
            raise UsageError(former.path, f"cannot be finished anew: {whole}", "give the exemplars back")
        gone = withdrawn_among(whole.exemplars.exemplars.items, self._workspace) | set(record.without or ())
        left = finishing_for(model, self._workspace, request, without=gone, **how)
        if isinstance(left, str):
            raise UsageError(former.path, f"cannot be finished anew: {left}", "paint another with the new model")
        return left

    def _opened(self, former: Published) -> tuple[Origins, Latent]:
        if retouches_of(self._ledger, former):
            reason = "was worked on in another program; a finish would undo that"
            raise UsageError(former.path, reason, "finish the edition before that anew, and retouch it again")
        key = former.model, former.precision
        if key not in self._origins:
            how: dict[str, Any] = {"precision": former.precision, "allow_superseded": self._reason}
            self._origins[key] = Origins(self._workspace, **how)
        origins = self._origins[key]
        latent = origins.latent_of(former)
        if latent is None:
            raise UsageError(former.path, "its latent is not kept here", "use the machine that it is from")
        # A work that replaces another knows of no seed.
        origins.latents.keep(latent, former.model)
        return origins, latent

    def _made_before(self, former: Published, path: Path) -> str | None:
        """Digest of the new work, where a broken-off run published it and did not come to say what it replaces."""
        if not path.is_file():
            return None
        made = Published.find(self._ledger, digest_of_file(path))
        same = made is not None and made.made == REFINISH and made.latent == former.latent
        return made.digest if made is not None and same else None


def path_anew(former: Path, withdrawal: str) -> Path:
    """Where the work goes that replaces the one at `former`: beside it."""
    return former.with_name(f"{former.stem}-anew-{withdrawal[:6]}{former.suffix}")
