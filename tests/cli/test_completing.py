"""What the shell offers after Tab is what there is, and costs no heavy import."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from limner.cli.completing import DIRECTIONS
from limner.latent.attributes import ATTRIBUTES
from limner.workspace import Workspace


def offered(words: str) -> list[str]:
    """What is offered for the last word of a command line."""
    environment = {**os.environ, "_LIMNER_COMPLETE": "complete_bash", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    program = "import sys; from limner.cli import main; sys.argv = ['limner']; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "some", "others"),
    [
        ("limner sample em", {"emoji-gan", "emoji-vae"}, {"landscapes"}),
        ("limner sample ", {"emoji-gan", "landscapes"}, set()),
        ("limner model show la", {"landscapes"}, {"emoji-gan"}),
        ("limner sample emoji-gan --label o", {"openmoji"}, {"noto"}),
        ("limner move 7:3 --model la", {"landscapes"}, {"emoji-gan"}),
        ("limner move 7:3 --along war", {"warmth="}, {"hue="}),
        ("limner train pai", {"paintings-mine"}, set()),
    ],
)
def test_names_are_offered(words: str, some: set[str], others: set[str], workspace: Workspace) -> None:
    workspace.make(workspace.collections / "paintings-mine")
    found = set(offered(words))
    assert some <= found
    assert not others & found


def test_directions_are_those_that_there_are() -> None:
    assert tuple(ATTRIBUTES) == DIRECTIONS


def test_nothing_heavy_is_loaded() -> None:
    program = "import limner.cli.completing, sys; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
