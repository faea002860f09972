"""One damaged thing never hides the others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helpers import ran
from limner.models.bundle import SHIPPED
from limner.papers import Identity
from limner.workspace import Workspace


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "pointer"])
def test_a_damaged_model_is_named_and_the_others_listed(damage: str, workspace: Workspace) -> None:
    workspace.make(workspace.models)
    bad = workspace.models / "bad.safetensors"
    whole = SHIPPED / "landscapes.safetensors"
    contents = {"empty": b"", "text": b"hello", "pointer": b"version https://example.org/lfs", "cut": b""}
    bad.write_bytes(whole.read_bytes()[:5000] if damage == "cut" else contents[damage])
    done = ran("model", "list")
    assert done.exit_code == 1
    assert "bad.safetensors" in done.stderr
    for name in ("landscapes", "emoji-gan", "emoji-vae"):
        assert name in done.stdout
    told = json.loads(ran("model", "list", "--json").stdout)
    assert {Path(one["path"]).stem for one in told} == {path.stem for path in SHIPPED.glob("*.safetensors")}


def test_foreign_words_in_a_card_reach_no_terminal_with_their_codes(workspace: Workspace, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    whole, bad = SHIPPED / "landscapes.safetensors", tmp_path / "x.safetensors"
    with safe_open(whole, framework="pt") as file:
        card = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    key, text = next(iter(card.items()))
    told = json.loads(text)
    told["collection"]["name"] = "[bold]paintings\x1b]0;owned\x07\x1b[31m"
    save_file(tensors, bad, metadata={key: json.dumps(told)})
    shown = ran("model", "show", str(bad)).stdout
    assert "\x1b" not in shown
    assert "[bold]paintings" in shown


def test_a_damaged_identity_hides_no_other(workspace: Workspace) -> None:
    Identity.new(workspace, "Ada Example")
    bad = Identity.new(workspace, "Bo Beispiel").folder
    assert bad is not None
    (bad / "certificate.pem").write_text("garbage")
    done = ran("identity", "list")
    assert done.exit_code == 1
    assert "Ada Example" in done.stdout
    assert "certificate.pem" in done.stderr
    assert Identity.load(workspace).name == "Ada Example"
    shutil.rmtree(bad)
    assert ran("identity", "list").exit_code == 0


def test_which_certificate_is_revoked_is_asked_for(workspace: Workspace) -> None:
    first = Identity.new(workspace, "Ada Example").fingerprint
    Identity.rotate(workspace)
    done = ran("identity", "revoke", "Ada Example")
    assert isinstance(done.exception, Exception)
    assert "has had 2 certificates" in str(done.exception)
    assert first[:16] in str(done.exception)
    assert "signed no work" in str(done.exception)
    assert ran("identity", "revoke", "Ada Example", "--certificate", first[:16]).exit_code == 0
    shown = ran("identity", "list").stdout
    assert "former key" in shown
    assert "from 20" in shown
    done = ran("identity", "rotate", "Ada Example")
    assert "would destroy a key" in str(done.exception)


def test_all_that_is_missing_is_said_at_once(workspace: Workspace) -> None:
    done = ran("sample", "nobody", "-n", "1")
    assert "no model is called 'nobody'" in str(done.exception)
    assert "no identity signs" in str(done.exception)
    assert "emoji-gan" in str(done.exception)
