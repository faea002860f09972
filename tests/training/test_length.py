"""In minutes too few for a stage and the next, on a slow machine, the first has both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from limner.errors import TrainingError
from limner.models.bundle import load_model
from limner.training.loop import Loop
from limner.training.options import TrainOptions
from limner.training.stage import Budget, Stage, StageState
from limner.training.trainer import Training
from limner.workspace import Workspace
from pictures_made import made_collection


class Objective(nn.Module):
    """A line through points."""

    def __init__(self) -> None:
        super().__init__()
        self.networks = nn.Linear(1, 1)

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"loss": (self.networks(batch["x"]) - 2 * batch["x"]).square().mean()}


class LineStage(Stage):
    """The smallest thing that a loop trains.

    Attributes:
        bad: steps whose batch has a number that is none.
    """

    name, title, learning_rate = "line", "line", 1e-2
    remedy = "train anew with a lower --learning-rate"

    def __init__(self, bad: Sequence[int] = ()) -> None:
        self.objective: nn.Module = Objective()
        self.bad = list(bad)

    def batch(self, step: int, share: float = 0.0) -> dict[str, Tensor]:
        found = torch.linspace(-1, 1, 4)[:, None]
        if step in self.bad:
            self.bad.remove(step)
            found[0] = float("nan")
        return {"x": found}

    def check(self) -> dict[str, float]:
        return {"score": float(self.objective(self.batch(0))["loss"])}


class Watcher:
    """A reporter that interrupts once, at a tick."""

    def __init__(self, interrupts_at: int | None = None) -> None:
        self.left, self.notes = interrupts_at, list[str]()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage(self, title: str) -> None: ...

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that goes on by so much each time it is looked at, whatever the machine does."""
    now = 0.0

    def look() -> float:
        nonlocal now
        now += seconds
        return now

    return look


_BUDGET = Budget(seconds=100, longer=200, fewest=200)


def loop(
    folder: Path, seconds: float, watcher: Watcher, budget: Budget = _BUDGET, bad: Sequence[int] = (), saves: float = 1
) -> Loop:
    clock = ticking(seconds)
    told = {"precision": "fp32", "device": "cpu", "seed": 0, "checkpoint_seconds": saves}
    return Loop(LineStage(bad), budget, folder, watcher, clock=clock, **told)  # type: ignore[arg-type]


def known(state: StageState) -> tuple[bool, bool]:
    """Whether it took longer, and whether it says so."""
    return state.seconds > 180, state.longer


@pytest.mark.parametrize(("seconds", "longer"), [(0.5, True), (0.05, False)])
def test_a_stage_takes_longer_where_few_steps_fit(tmp_path: Path, seconds: float, longer: bool) -> None:
    watcher = Watcher()
    state = loop(tmp_path, seconds, watcher).run()
    assert known(state) == (longer, longer)
    assert any("takes the next stage's time" in note for note in watcher.notes) is longer
    assert longer or state.step >= 200


@pytest.mark.parametrize("bad", [[45], [8]], ids=["after it took longer", "before, gone back to after it"])
@pytest.mark.parametrize("saves", [1.0, 4.0, 1000.0], ids=["saved just before", "saved long before", "never saved"])
def test_a_bad_number_changes_nothing_of_how_long_it_takes(tmp_path: Path, bad: list[int], saves: float) -> None:
    watcher = Watcher()
    state = loop(tmp_path, 0.5, watcher, bad=bad, saves=saves).run()
    assert known(state) == (True, True)
    (told,) = (note for note in watcher.notes if "is not a number" in note)
    assert f"at step {bad[0] + 1};" in told
    assert saves < 1000 or "went back to the weights of step" in told


def test_a_bad_number_long_after_it_took_longer_does_not_end_it(tmp_path: Path) -> None:
    """Interrupted and saved before it took longer, and not saved again until the number: the clock is beyond the
    shorter time by then."""
    with pytest.raises(KeyboardInterrupt):
        loop(tmp_path, 0.5, Watcher(0), saves=1000).run()
    again = loop(tmp_path, 0.5, Watcher(), bad=[60], saves=1000)
    again.restore()
    assert not again.state.longer
    assert known(again.run()) == (True, True)


def test_bad_numbers_again_and_again_end_it(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="is not a number for the 6th time") as told:
        loop(tmp_path, 0.5, Watcher(), bad=range(9, 15), saves=1000).run()
    assert "lower --learning-rate" in str(told.value)


def test_where_nothing_may_be_taken_nothing_is(tmp_path: Path) -> None:
    assert known(loop(tmp_path, 0.5, Watcher(), Budget(seconds=100)).run()) == (False, False)


def test_a_resumed_stage_knows_that_it_takes_longer(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        loop(tmp_path, 0.5, Watcher(3)).run()
    again = loop(tmp_path, 0.5, Watcher())
    again.restore()
    assert known(again.run()) == (True, True)


@pytest.mark.parametrize(
    ("told", "prior"),
    [({}, "mixture"), ({"prior": "flow"}, "flow"), ({"family": "gan"}, "mapping")],
    ids=["nothing asked for", "a flow asked for", "a GAN"],
)
def test_new_pictures_are_drawn_from_a_mixture_where_the_painter_took_the_flows_time(
    told: dict[str, str], prior: str, workspace: Workspace, tmp_path: Path
) -> None:
    small = {
        "height": 32,
        "width": 32,
        "batch": 4,
        "latents": 16,
        "label": None,
        "crisp": False,
        "adversarial_share": 0.1,
    }
    quick = {"teacher": "none", "precision": "fp32", "threads": 1, "minutes": 1.0, "prior": "best"}
    shape = {"channels": 16, "width": 32, "layers": 1, "embedding_width": 8}
    options = TrainOptions.model_validate({"name": "few", **small, **quick, "shape": shape, **told})
    collection = made_collection(workspace, tmp_path / "made")
    training = Training(options, collection, workspace, Watcher(), resume=False, clock=ticking(0.5))
    model = load_model(training.run())
    assert model.card.config.prior.kind == prior
    stages = {state.stage: state for state in training.states}
    assert ("prior" in stages) is (prior != "mixture")
    assert stages["painter"].longer is (prior == "mixture")
    # What never learned is not compared with it.
    assert prior != "mixture" or set(model.card.quality["prior"]["kid_by_prior"]) == {"mixture"}
    # More than its share; the most where it does not end by itself before.
    assert (stages["painter"].seconds > 60 * options.painter_share + 5) is (prior == "mixture")
