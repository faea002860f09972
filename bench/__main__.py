"""`python -m bench quality | ablation | mixing | steering | registry | influence | marks | copies | report | ...`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

__all__ = ["main"]

_MARKED, _TRIED = 126, 40
"""Pictures of either kind that are marked, and pictures on which removal is tried."""


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    quality = commands.add_parser("quality", help="train limner and the others, measure, write the table")
    quality.add_argument("--only", nargs="+", default=[], metavar="PROGRAM", help="only these programs")
    quality.add_argument("--minutes", type=float, default=20, help="of training, each program (20)")
    quality.add_argument("--seed", type=int, nargs="+", default=[0], help="one or more")
    quality.add_argument("--threads", type=int, default=_cores(), help="cores for each program")
    quality.add_argument("--data", default=None, help="emoji, paintings or a folder of pictures")
    quality.add_argument("--count", type=int, default=2000, help="pictures that each program paints (2000)")
    quality.add_argument("--own-time", action="store_true", help="minutes of the processor, where others use it, too")
    quality.add_argument("--again", action="store_true", help="repeat what is there already")
    quality.add_argument("--yes", action="store_true", help="download what is missing")
    commands.add_parser("measure", help="measure the pictures of all results anew")
    commands.add_parser("report", help="write bench/README.md from the results")
    setup = commands.add_parser("setup", help="install the other programs")
    setup.add_argument("--yes", action="store_true", help="download what is missing")
    mixing = commands.add_parser("mixing", help="is a style what it says it is; of an emoji model with the label style")
    mixing.add_argument("model", help="name or file of the model")
    mixing.add_argument("collection", help="name of the emoji in the workspace, imported with --together codepoints")
    mixing.add_argument("--learned-from", default=None, metavar="COLLECTION", help="of the model, if that is another")
    steering = commands.add_parser("steering", help="how quickly and how rightly a model is steered; two minutes")
    steering.add_argument("model", help="name or file of the model; its directions must be known")
    steering.add_argument("--threads", type=int, default=None, help="in place of what the probe finds")
    without = commands.add_parser("ablation", help="what each part of the training is worth: one taken away at a time")
    without.add_argument(
        "study", choices=["painter and flow", "adversarial stage, from emoji-vae"], help="what is trained"
    )
    without.add_argument("--minutes", type=float, default=4, help="of the processor, each run (4)")
    without.add_argument("--only", nargs="+", default=[], metavar="RUN", help="only these")
    registered = commands.add_parser("registry", help="are works found again without their papers, and nothing else")
    registered.add_argument("--data", default="../shared/data", help="folder of paintings, emoji-styles, emoji-people")
    registered.add_argument("--works", type=int, default=100_000, help="works that are registered (100000)")
    registered.add_argument("--copies", type=int, default=50, help="of each kind, after each attack (50)")
    registered.add_argument("--strangers", type=int, default=256, help="unregistered pictures of each kind (256)")
    registered.add_argument("--rows", type=int, default=1_000_000, help="synthetic works for the time (1000000)")
    registered.add_argument("--false-matches", action="store_true", help="these alone: 30,000 strangers, ten minutes")
    registered.add_argument("--photographs", type=Path, default=None, metavar="FOLDER", help="strangers too")
    registered.add_argument("--workers", type=int, default=_cores(), help="processes at a time for --false-matches")
    marks = commands.add_parser("marks", help="limner's watermark beside others, its false alarms, its removal")
    marks.add_argument("--photographs", type=Path, default=None, metavar="FOLDER", help="beside the paintings")
    marks.add_argument("--only", nargs="+", default=[], metavar="PROGRAM", help="only these watermarks")
    marks.add_argument("--alarms", action="store_true", help="false alarms only: 20,000 pictures, ten minutes")
    marks.add_argument("--removal", action="store_true", help="removal only, a few minutes")
    marks.add_argument("--share", type=float, default=1.0, help="of all pictures, to try things out (1)")
    marks.add_argument("--again", action="store_true", help="repeat what is there already")
    marks.add_argument("--yes", action="store_true", help="download what is missing")
    shaped = commands.add_parser("influence", help="whose pictures shaped a composition; an hour of one core")
    shaped.add_argument("--only", nargs="+", default=[], metavar="COLLECTION", help="only these")
    shaped.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2], help="of the ensembles that are trained")
    shaped.add_argument("--ways", action="store_true", help="other ways to tell, beside limner's; after the ensembles")
    _copies_parser(commands.add_parser("copies", help="limner's copy gate beside others, and on models"))
    speed = commands.add_parser("speed", help="how fast limner is here, alone; about three minutes")
    speed.add_argument("collection", nargs="?", help="a collection's folder; the paintings otherwise")
    return parser


def _copies_parser(copies: argparse.ArgumentParser) -> None:
    copies.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the pictures")
    copies.add_argument("--set", nargs="+", default=["paintings", "emoji"], help="which planted sets (both)")
    copies.add_argument("--only", nargs="+", default=[], metavar="PROGRAM", help="only these; limner is one")
    copies.add_argument("--overtrained", action="store_true", help="models that learned ten pictures by heart, alone")
    copies.add_argument("--shipped", action="store_true", help="the models that ship, alone")
    copies.add_argument("--times", action="store_true", help="time and memory with many indexed pictures, alone")
    copies.add_argument("--count", type=int, default=1000, help="works of each model (1000)")
    copies.add_argument("--minutes", type=float, default=10, help="of the processor for each over-trained model (10)")
    copies.add_argument("--yes", action="store_true", help="download what is missing")


def main() -> int:
    """Read the command line and do it; the exit status."""
    given = _parser().parse_args()
    if given.command == "speed":
        from bench.speed import main as speed

        speed(given.collection)
        return 0
    if given.command == "registry":
        from bench.registry import registry, strangers

        if given.false_matches:
            print(strangers(Path(given.data), given.photographs, given.works, given.workers))
            return 0
        print(registry(Path(given.data), given.works, given.copies, given.strangers, given.rows))
        return 0
    if given.command == "mixing":
        return _mixing(given)
    if given.command == "influence":
        return _influence(given)
    if given.command == "steering":
        return _steering(given)
    if given.command == "ablation":
        from bench.ablation import ablation, told

        ablation(given.study, given.minutes, given.only)
        print(told(given.study))
        return 0
    from bench.patches import PatchError
    from bench.venvs import SetupError

    try:
        return {"marks": _marks, "copies": _copies}.get(given.command, _do)(given)
    except (SetupError, PatchError, KeyError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2


def _influence(given: argparse.Namespace) -> int:
    from bench.data import bench_workspace
    from bench.influence import influences, told
    from bench.influence_ways import ways, ways_told

    if given.ways:
        print(ways_told(ways(bench_workspace(), given.only)))
        return 0
    influences(bench_workspace(), given.only, given.seed)
    print(told())
    return 0


def _mixing(given: argparse.Namespace) -> int:
    from bench.mixing import mixing, told
    from bench.places import RESULTS
    from limner.collection import Collection
    from limner.latent.pipeline import Pipeline
    from limner.latent.restyling import known_translator
    from limner.workspace import Workspace

    workspace = Workspace.default()
    collection = Collection.open(given.collection, workspace)
    own = Collection.open(given.learned_from, workspace) if given.learned_from else None
    pipeline = Pipeline.open(given.model, workspace)
    print(told(mixing(pipeline, collection, RESULTS / "steering", known_translator(pipeline, workspace), own)))
    return 0


def _steering(given: argparse.Namespace) -> int:
    from bench.places import RESULTS
    from bench.steering import steering, told
    from limner.latent.directions import directions_of
    from limner.latent.pipeline import Pipeline
    from limner.workspace import Workspace

    workspace = Workspace.default()
    pipeline = Pipeline.open(given.model, workspace, threads=given.threads)
    found = steering(pipeline, directions_of(pipeline, workspace), RESULTS / "steering")
    print(told(found))
    print(", ".join(f"{name} {value:.0f} ms" for name, value in found["milliseconds"].items()))
    print(", ".join(f"{name} {value:.2f}" for name, value in found["walk"].items()))
    return 0


def _marks(given: argparse.Namespace) -> int:
    """The tables, and unless one of them alone was asked for, false alarms and removal."""
    from bench import marks_page
    from bench.false_alarms import false_alarms
    from bench.machine import machine
    from bench.marks import SIZES, run_marks
    from bench.marks_table import figure, summed
    from bench.page import write_page
    from bench.removal import removal

    folder: Path | None = given.photographs
    failed: dict[str, str] = {}
    if not given.alarms and not given.removal:
        runs, failed = run_marks(given.only, folder, most=_MARKED, share=given.share, yes=given.yes, again=given.again)
        sizes = {size: {name: summed(run) for name, run in runs[size].items()} for size in SIZES}
        marks_page.keep("table", {"machine": machine(), "sizes": sizes, "not_run": failed})
        figure(sizes, marks_page.titles(), marks_page.FIGURE)
    if given.alarms or (not given.removal and not given.only):
        marks_page.keep("alarms", false_alarms(folder, share=given.share, again=given.again))
    if given.removal or (not given.alarms and not given.only):
        marks_page.keep("removal", removal(folder, count=max(24, round(_TRIED * given.share))))
    write_page()
    print(marks_page.section())
    return 1 if failed else 0


def _copies(given: argparse.Namespace) -> int:
    """The tables, or one of the other measurements alone."""
    from bench.copies import page
    from bench.page import write_page

    if given.overtrained or given.shipped:
        from bench.copies.models import overtrained, shipped

        (overtrained(given.count, given.minutes) if given.overtrained else shipped(given.count))
    elif given.times:
        from bench.copies.times import times

        times()
    else:
        from bench.copies.comparing import compare

        for name in given.set:
            compare(name, given.data, given.only, yes=given.yes)
        page.draw()
    write_page()
    print(page.section())
    return 0


def _do(given: argparse.Namespace) -> int:
    from bench.venvs import ENVIRONMENTS, set_up

    failed: list[str] = []
    if given.command == "setup":
        for environment in ENVIRONMENTS.values():
            set_up(environment, yes=given.yes)
        return 0
    if given.command == "quality":
        from bench.data import EMOJI
        from bench.quality import Training, chosen, quality

        trainings = [
            Training(program, given.minutes, seed, given.threads, given.count, given.own_time)
            for seed in given.seed
            for program in chosen(given.only)
        ]
        data = given.data or ("emoji" if EMOJI.is_dir() else "paintings")
        failed = quality(trainings, data, yes=given.yes, again=given.again)
    elif given.command == "measure":
        from bench.quality import measure_again

        measure_again()
    from bench.page import write_page

    write_page()
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
