"""How rightly a translator translates things that it never saw."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from limner.machine import Machine
from limner.models.bundle import Model
from limner.models.selfsupervised import SelfSupervisedFeatures
from limner.models.translator import Translator
from limner.statistics import interval
from limner.training.pairs import Pairs

_AT_ONCE = 64


@torch.inference_mode()
def measure_translator(network: Translator, model: Model, unseen: Pairs, machine: Machine) -> dict[str, Any]:
    """Every unseen picture translated to every other label in which its thing is there.

    `right`: how often the nearest of the unseen pictures of that label, painted again by the model, is that of the
    same thing, by features that no model was trained by; `unchanged`: how often it is without a translator.
    `distance`: how far it is from the right one, as a share of how far the unchanged picture is. With 95 % intervals;
    `of`: among how many pictures of a label on average.
    """
    rows, labels = unseen.rows[0].float().to(machine.device), unseen.labels.to(machine.device)
    pairs = [(a, b) for own in unseen.members for a in own.tolist() for b in own.tolist() if a != b]
    sources, targets = torch.tensor(pairs).T
    features = SelfSupervisedFeatures()

    def seen(some: Tensor) -> Tensor:
        found = []
        for chunk in some.split(_AT_ONCE):
            with machine.autocast():
                found.append(features(model.generator.paint(model.generator.whitening.back(chunk))))
        return torch.cat(found)

    made = torch.cat(
        [
            network(rows[a], labels[a], labels[b])
            for a, b in zip(sources.split(_AT_ONCE), targets.split(_AT_ONCE), strict=True)
        ]
    )
    there = seen(rows)
    scale = there.std(0).clamp_min(1e-6)
    labels = labels.cpu()
    other = labels[targets][:, None] != labels[None]

    def right(own: Tensor) -> Tensor:
        near = torch.cdist(own / scale, there / scale).masked_fill(other, torch.inf).argmin(1)
        found: Tensor = (near == targets).float()
        return found

    found = seen(made)
    far = [((own - there[targets]) / scale).norm(dim=1) for own in (found, there[sources])]
    return {
        "right": interval(right(found).numpy()).as_dict(),
        "distance": interval((far[0] / far[1].clamp_min(1e-6)).numpy()).as_dict(),
        "unchanged": interval(right(there[sources]).numpy()).as_dict(),
        "of": len(labels) / len(labels.unique()),
    }
