"""A small made-up record of a demo, with hostile words wherever a stranger's words can stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from limner.papers import SignerSeen, Verdict
from limner.reports.record import (
    Block,
    DemoRecord,
    Forged,
    Learned,
    Nearest,
    Sheet,
    Shown,
    StageCurve,
    Taken,
    Work,
    shown,
)

HOSTILE = "<script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(2)>\u202e{{ 7 * 7 }}"


def pixels(seed: int, size: int = 32) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3)).astype(np.uint8)


def some(count: int, alt: str = HOSTILE) -> list[Shown]:
    return [shown(pixels(i), alt) for i in range(count)]


def verdict(state: Any, **changes: Any) -> Verdict:
    found = Verdict(
        path="work.png",
        state=state,
        signer=SignerSeen(HOSTILE, HOSTILE, HOSTILE, "1", "es256", "2026-01-01", "2036-01-01", trust="none"),
        title=HOSTILE,
        generated=True,
        generation={"model_name": HOSTILE, "model_digest": HOSTILE, "collection_name": HOSTILE, "seed": 1, "index": 0},
        training_mining={"cawg.ai_training": HOSTILE},
    )
    return replace(found, **changes)


def sheet(*labels: str) -> Sheet:
    """Two pictures of each label."""
    return Sheet(
        name=HOSTILE,
        digest="ef" * 32,
        blocks=[Block(label, some(2)) for label in labels or ("",)],
        columns=8,
        target=128,
        learned=f"learned from {HOSTILE}",
        which="Numbers 0 to 1",
        licences={"MIT": 1200, HOSTILE: 1},
        credit=f"Learned from pictures by {HOSTILE}",
    )


def record(**changes: Any) -> DemoRecord:
    number = {"value": 12.5, "low": 10.0, "high": 15.0, "count": 8}
    work = Work(
        picture=shown(pixels(7), "a work", "png"),
        file="works/work-1.png",
        title=HOSTILE,
        verdict=verdict("valid"),
        nearest=Nearest(shown(pixels(8), "near"), HOSTILE, HOSTILE, 0.51, "close"),
    )
    learned = Learned(
        name="demo",
        digest="ab" * 32,
        size="32 × 32",
        minutes=2.0,
        pictures_seen=1234,
        latents_seen=5678,
        machine="this computer",
        teacher="none",
        prior="flow matching",
        quality={"psnr": number, "kid": number, "kid_floor": {**number, "value": 1.5}, "memorised": 0.01},
        curves=[StageCurve("Learning to paint", [(0.1, 2.0), (0.5, 1.0)], [(0.2, 9.0), (0.5, 12.0)], "dB")],
        originals=some(2),
        reconstructions=[Block(label, some(2)) for label in ("Start", "Middle", "End")],
        samples=[Block(label, some(2)) for label in ("Start", "Middle", "End")],
    )
    forged = [
        Forged("One byte flipped", "forgeries/a.png", None, HOSTILE, "lesson", verdict("tampered")),
        Forged("Saved again", "forgeries/b.jpg", shown(pixels(9), "b", "png"), "what", "lesson", verdict("none")),
    ]
    taken = Taken(
        name="paintings",
        digest="cd" * 32,
        pictures=5,
        where=("kind=landscape",),
        noun="painting",
        trained_count=3,
        held_out_count=1,
        trained=some(3),
        held_out=some(1),
        licences={"LicenseRef-Public-Domain-US": 3, "CC-BY-4.0": 1},
        creators={HOSTILE: 3, "Claude Monet": 1},
    )
    made = DemoRecord(
        taken=taken,
        learned=learned,
        sheet=some(4),
        seed=1,
        works=[work],
        usual="usual",
        forged=forged,
        commands=[("limner verify 'a & b'", "check <them>")],
        seconds=12.0,
        version="0.1.0",
        made="2026-11-23",
        opening=[sheet(), sheet("noto", HOSTILE)],
    )
    return replace(made, **changes)
