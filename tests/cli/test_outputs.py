"""No output replaces a source, or what lies there, unless it is told to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from limner.cli.outputs import output
from limner.errors import PapersError, UsageError
from limner.ledger import Ledger
from limner.papers import Publisher
from limner.workspace import Workspace
from published_made import artist, picture, provenance


def test_a_source_is_never_replaced_whatever_leads_to_it(tmp_path: Path) -> None:
    source = tmp_path / "only original.png"
    source.write_bytes(b"the artist's own")
    (tmp_path / "link.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    for name in ("only original.png", "link.png", "hard.png", "sub/../only original.png"):
        (tmp_path / "sub").mkdir(exist_ok=True)
        for overwrite in (False, True):
            with pytest.raises(UsageError, match="is one of the sources"):
                output(tmp_path / name, sources=[source, "3:1"], overwrite=overwrite)
    assert source.read_bytes() == b"the artist's own"


def test_what_lies_there_stays_unless_told_otherwise(tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(b"x")
    with pytest.raises(UsageError, match=r"lies there already.*--overwrite"):
        output(there)
    assert output(there, overwrite=True) == there
    assert output(tmp_path / "new" / "one.png", endings=(".png",)).parent.is_dir()
    with pytest.raises(UsageError, match=r"end it in \.safetensors"):
        output(tmp_path / "latents.png", endings=(".safetensors",))
    with pytest.raises(UsageError, match="is a folder"):
        output(tmp_path)


def test_a_publisher_replaces_only_the_same_work(workspace: Workspace) -> None:
    workspace.make(workspace.works)
    path, identity, ledger = workspace.works / "work.png", artist(workspace), Ledger.open(workspace.ledger)
    with Publisher(identity, ledger) as publisher:
        first = publisher.publish(picture(), path, provenance())
        again = publisher.publish(picture(), path, provenance())
        assert again.replaced == first.digest
        kept = path.read_bytes()
        for other in (
            {"latent_digest": "sha256:" + "12" * 32},
            {"model_digest": "sha256:" + "34" * 32},
            {"made": "move"},
            {"finish": {"options": {"borrow": 0.9}, "exemplars": "sha256:" + "56" * 32}},
        ):
            with pytest.raises(PapersError, match="another work that lies there already"):
                publisher.publish(picture(seed=1), path, provenance(**other))
        assert path.read_bytes() == kept
        path.write_bytes(b"the artist's own drawing")
        with pytest.raises(PapersError, match="another file that lies there already"):
            publisher.publish(picture(), path, provenance())
        assert path.read_bytes() == b"the artist's own drawing"
    with Publisher(identity, ledger, overwrite=True) as publisher:
        assert publisher.publish(picture(), path, provenance()).replaced
