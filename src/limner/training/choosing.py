"""Which prior a model keeps: the flow and the mixture are compared on the half of the hold-out that chooses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limner.machine import Machine
from limner.models.latent_model import LatentModel
from limner.models.prior import FlowPrior, MixturePrior, PriorConfig
from limner.training.data import TrainingData
from limner.training.options import TrainOptions
from limner.training.prior_stage import Judge, Latents
from limner.training.stage import Reporter

_FEWEST, _MOST = 128, 512


def choose_prior(
    model: LatentModel, data: TrainingData, options: TrainOptions, machine: Machine, folder: Path, reporter: Reporter
) -> dict[str, Any]:
    """Fit a mixture, leave it in the model or, where a flow was learned and comes closer by KID, that."""
    if options.prior == "flow":
        return {"prior": {"kept": model.config.prior.kind}}
    latents = Latents(model, data, machine, fit=options.prior == "mixture")
    mixture = MixturePrior(model.config.painter, PriorConfig(kind="mixture"), len(data.names))
    mixture.to(model.whitening.mean.device)
    mixture.fit(latents.rows, latents.labels, options.seed)
    count = min(_MOST, max(_FEWEST, 4 * len(data.chooses)))
    judge = Judge(data, options.teacher != "none")
    flow = model.prior
    found: dict[str, float] = {}
    if isinstance(flow, FlowPrior) and options.prior != "mixture":
        found["flow"] = judge.distance(model, machine, count)
    model.prior = mixture
    found["mixture"] = judge.distance(model, machine, count)
    kept = min(found, key=lambda kind: found[kind])
    if kept == "flow":
        model.prior = flow
    else:
        model.config = model.config.model_copy(update={"prior": mixture.config})
    distances = ", ".join(f"{kind} {value:.3f}" for kind, value in found.items())
    reporter.note(f"prior kept: {kept} (KID on the hold-out that chooses: {distances})")
    return {"prior": {"kept": kept, "kid_by_prior": found}}
