"""Train the feature network of `limner.models.selfsupervised` on pictures alone, without labels, and check it.

SimCLR (Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations"): two views of every
picture, and the network learns to find each view's partner among all views of the batch. What the views change is what
the features forget. So colours and sharpness change little: a yardstick must see wrong colours and blur.

    OMP_NUM_THREADS=1 python scripts/train_features.py ../shared/data --minutes 18

All pictures count alike, also those that a collection would hold out: to the features, training and held-out pictures
are exchangeable. The first half learns from views of half the size, at a quarter of the cost; the network pools
whatever it is given. Minutes are the processor's, so that other programs cost time and no quality, unless `--clock`
ends the run.
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from limner.models.selfsupervised import SIDE, WEIGHTS, FeatureNetwork, SelfSupervisedFeatures
from limner.workspace import replace_file

STORED = 96
"""Pictures are kept at this side, so that crops of 40 % of the area still have nearly every pixel that views show."""
CROPS = 8
"""Fixed crops taken of each painting."""


def load_pictures(folder: Path, seed: int) -> Tensor:
    """Every picture under `folder`; not square ones as several random crops. # -> uint8 [n, 3, 96, 96]"""
    rng = np.random.default_rng(seed)
    found: list[NDArray[np.uint8]] = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".png", ".jpg")):
        with Image.open(path) as image:
            picture = image.convert("RGB")
        windows = [(0, 0, *picture.size)] if picture.width == picture.height else _windows(picture.size, rng)
        small = (picture.resize((STORED, STORED), Image.Resampling.BICUBIC, box=box) for box in windows)
        found += [np.asarray(one) for one in small]
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2).contiguous()


def _windows(size: tuple[int, int], rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
    boxes = []
    for _ in range(CROPS):
        side = int(min(size) * rng.uniform(0.45, 1))
        left, top = (int(rng.integers(0, total - side + 1)) for total in size)
        boxes.append((left, top, left + side, top + side))
    return boxes


def views(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """One random view of each: crop of 40 to 100 % of the area, mirrored, turned up to 12 degrees, other colours.

    # uint8 [n, 3, 96, 96] -> float [n, 3, 64, 64] in -1..1
    """
    x = pictures.float() / 127.5 - 1
    x = F.grid_sample(x, _grid(len(x), generator), mode="bilinear", padding_mode="border", align_corners=False)
    x = _coloured(x, generator)
    blurred = torch.rand(len(x), generator=generator) < 0.15
    x[blurred] = _blurred(x[blurred], 0.6)
    return x.clamp(-1, 1).contiguous(memory_format=torch.channels_last)


def _grid(count: int, generator: torch.Generator) -> Tensor:
    """Where each pixel of a view lies in its picture. # -> [n, 64, 64, 2]"""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    area, ratio = uniform(0.4, 1.0), torch.exp(uniform(math.log(3 / 4), math.log(4 / 3)))
    wide, tall = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
    right, down = uniform(-1, 1) * (1 - wide), uniform(-1, 1) * (1 - tall)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    turn = uniform(-12, 12) * (torch.rand(count, generator=generator) < 0.3) * math.pi / 180
    cos, sin = turn.cos(), turn.sin()
    rows = torch.stack([wide * cos * mirror, -tall * sin, right, wide * sin * mirror, tall * cos, down], dim=1)
    return F.affine_grid(rows.view(count, 2, 3), [count, 3, SIDE, SIDE], align_corners=False)


def _coloured(x: Tensor, generator: torch.Generator) -> Tensor:
    """Four fifths with other brightness, contrast, saturation and (within 18 degrees) hue. # [n, 3, h, w]"""
    draws = torch.rand(len(x), 4, generator=generator) * 2 - 1
    draws *= (torch.rand(len(x), 1, generator=generator) < 0.8).float()
    brightness, contrast, saturation, hue = (draws * torch.tensor([0.25, 0.3, 0.4, 1.0])).unbind(1)
    grey = torch.full((3, 3), 1 / 3)
    # A turn about the grey axis changes hue, a stretch away from it saturation.
    axis = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    angle = (hue * math.pi / 10)[:, None, None]
    turn = angle.cos() * (torch.eye(3) - grey) + angle.sin() * axis
    matrix = (1 + contrast)[:, None, None] * (grey + (1 + saturation)[:, None, None] * turn)
    return torch.einsum("nij,njhw->nihw", matrix, x) + brightness[:, None, None, None]


def _blurred(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur. # [n, 3, h, w]"""
    reach = max(1, math.ceil(2.5 * sigma))
    line = torch.exp(-(torch.arange(-reach, reach + 1).float() ** 2) / (2 * sigma**2))
    line = (line / line.sum()).expand(3, 1, 1, -1)
    x = F.conv2d(F.pad(x, (reach, reach, 0, 0), mode="replicate"), line, groups=3)
    return F.conv2d(F.pad(x, (0, 0, reach, reach), mode="replicate"), line.transpose(2, 3), groups=3)


def contrast_loss(rows: Tensor, temperature: float) -> Tensor:
    """NT-Xent (Chen et al. 2020, equation 1). # [2 n, d], row i and i + n are views of one picture -> []"""
    rows = F.normalize(rows.float(), dim=1)
    likeness = rows @ rows.T / temperature
    likeness.fill_diagonal_(-1e9)
    partner = torch.arange(len(rows)).roll(len(rows) // 2)
    return F.cross_entropy(likeness, partner)


def batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Numbers of pictures without end: every epoch each picture once, in a new order. # -> [size]"""
    while True:
        yield from torch.randperm(count, generator=generator)[: count - count % size].split(size)


class Learner(nn.Module):
    """The network with batch norm, and the projection that only learning needs (Chen et al. 2020, section 4.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.network = FeatureNetwork(nn.BatchNorm2d)
        self.projection = nn.Sequential(nn.Linear(256, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 128))

    def forward(self, x: Tensor) -> Tensor:
        """Where the loss compares. # [n, 3, 64, 64] -> [n, 128]"""
        found: Tensor = self.projection(self.network(x))
        return found


def train(pictures: Tensor, arguments: argparse.Namespace) -> FeatureNetwork:
    """Learn until the time or the steps are over; returns the network with batch norm folded."""
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    learner = Learner().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    decayed = [p for p in learner.parameters() if p.ndim > 1]
    plain = [p for p in learner.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=arguments.rate, betas=(0.9, 0.98))
    begun, start, told, shown = time.monotonic(), time.process_time(), 0.0, 0.0
    for step, chosen in enumerate(batches(len(pictures), arguments.batch, generator)):
        spent = time.process_time() - start
        done = max(spent / arguments.minutes, (time.monotonic() - begun) / arguments.clock) / 60
        if done >= 1:
            break
        rate = arguments.rate * min(1.0, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        both = torch.cat([views(pictures[chosen], generator), views(pictures[chosen], generator)])
        if done < arguments.half:
            both = F.avg_pool2d(both, 2)
        with torch.autocast("cpu", torch.bfloat16):
            rows = learner(both)
        loss = contrast_loss(rows, arguments.temperature)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        shown = loss.item() if step == 0 else shown * 0.95 + loss.item() * 0.05
        if spent - told > 10 or step == 0:
            told = spent
            speed = (step + 1) * arguments.batch / max(1e-9, time.process_time() - start)
            epochs = (step + 1) * arguments.batch / len(pictures)
            print(f"{done:4.0%} step {step} epoch {epochs:.1f} loss {shown:.3f} {speed:.0f} pictures/s", flush=True)
            save(folded(learner.network), arguments.to)
    return folded(learner.network)


def folded(network: FeatureNetwork) -> FeatureNetwork:
    """The same function with batch norm in the convolutions."""
    found = copy.deepcopy(network).eval()
    for parent in list(found.modules()):
        for convolution, norm in (("down", "norm"), ("first", "norm1"), ("second", "norm2"), ("last", "norm")):
            if isinstance(own := getattr(parent, convolution, None), nn.Conv2d):
                behind = getattr(parent, norm)
                assert isinstance(behind, nn.BatchNorm2d)
                setattr(parent, convolution, fuse_conv_bn_eval(own, behind))
                setattr(parent, norm, nn.Identity())
    plain = FeatureNetwork()
    plain.load_state_dict(found.state_dict())
    return plain


def save(network: FeatureNetwork, path: Path) -> None:
    """Store the weights as float16, in one step."""
    with replace_file(path) as part:
        save_file({name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}, part)


def nearest_right(features: Tensor, labels: Sequence[str], groups: Sequence[str]) -> float:
    """Share of pictures whose 10 nearest of other groups vote for their label, by cosine. # [n, d]"""
    rows = F.normalize(features - features.mean(0), dim=1)
    names = sorted(set(labels))
    index = torch.tensor([names.index(label) for label in labels])
    of = torch.tensor(np.unique(np.array(groups), return_inverse=True)[1])
    right = 0
    for chunk in torch.arange(len(rows)).split(512):
        likeness = rows[chunk] @ rows.T
        likeness[of[chunk][:, None] == of[None]] = -2
        votes = F.one_hot(index[likeness.topk(10).indices], len(names)).sum(1)
        right += int((votes.argmax(1) == index[chunk]).sum())
    return right / len(rows)


def check(folder: Path, weights: Path) -> None:
    """Print what the features know: nearest neighbours by style and subject, and how far each damage moves them."""
    features = SelfSupervisedFeatures(weights)
    with (folder / "emoji-styles" / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    opened = (Image.open(folder / "emoji-styles" / row["file"]).convert("RGB") for row in rows)
    images = [np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for image in opened]
    pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    found = features(pictures)
    concepts = [row["codepoints"] for row in rows]
    for column in ("style", "group"):
        labels = [row[column] for row in rows]
        share = nearest_right(found, labels, concepts)
        common = max(labels.count(name) for name in set(labels)) / len(labels)
        print(f"nearest neighbours of other concepts agree on {column}: {share:.1%} (most common: {common:.1%})")
    some, known = pictures[::16], found[::16]
    deviation = found.std(0).clamp_min(1e-6)
    for name, damages in _damages(some).items():
        moved = [((features(d) - known) / deviation).square().mean().sqrt() for d in damages]
        print(f"{name}: moved by {', '.join(f'{m:.3f}' for m in moved)} deviations")


def _damages(pictures: Tensor) -> dict[str, list[Tensor]]:
    """Four strengths of each damage, weakest first. # uint8 [n, 3, 64, 64]"""
    generator = torch.Generator().manual_seed(1)
    x = pictures.float() / 127.5 - 1

    def back(y: Tensor) -> Tensor:
        return ((y.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)

    noise = torch.randn(x.shape, generator=generator)
    tint = torch.tensor([1.0, -0.3, -0.7])[:, None, None]
    return {
        "blur, sigma 0.5 1 2 4": [back(_blurred(x, s)) for s in (0.5, 1, 2, 4)],
        "noise, deviation 0.05 0.1 0.2 0.4": [back(x + s * noise) for s in (0.05, 0.1, 0.2, 0.4)],
        "JPEG, quality 60 30 15 5": [_jpeg(pictures, q) for q in (60, 30, 15, 5)],
        "tint 0.1 0.2 0.4 0.8": [back(x + s * tint) for s in (0.1, 0.2, 0.4, 0.8)],
        "less colour 0.8 0.5 0.2 0": [back((x - (g := x.mean(1, keepdim=True))) * s + g) for s in (0.8, 0.5, 0.2, 0)],
    }


def _jpeg(pictures: Tensor, quality: int) -> Tensor:
    import io

    out = []
    for picture in pictures.permute(0, 2, 3, 1).numpy():
        held = io.BytesIO()
        Image.fromarray(picture).save(held, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(held).convert("RGB")))
    return torch.from_numpy(np.stack(out)).permute(0, 3, 1, 2)


def main() -> None:
    """Train, save and check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="all pictures below it are learned from")
    parser.add_argument("--to", type=Path, default=WEIGHTS)
    parser.add_argument("--minutes", type=float, default=18, help="of one processor")
    parser.add_argument("--clock", type=float, default=math.inf, help="end by these minutes of the clock at the latest")
    parser.add_argument("--half", type=float, default=0.5, help="share of the run on views of half the size")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--temperature", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="only check the weights that there are")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not arguments.check:
        pictures = load_pictures(arguments.folder, arguments.seed)
        print(f"{len(pictures):,} pictures", flush=True)
        save(train(pictures, arguments), arguments.to)
    check(arguments.folder, arguments.to)


if __name__ == "__main__":
    main()
