"""Soft bindings: in the manifest, signed, and named for what they are."""

from __future__ import annotations

import json

from limner import pictures
from limner.papers.c2pa.library import manifest_of, read_store, reading_context
from limner.papers.c2pa.soft_bindings import LABEL, LAYOUT, LOOK, soft_bindings
from limner.papers.registry.fingerprints import fingerprints_of
from limner.workspace import Workspace
from published_made import picture, provenance, publish


def test_a_published_work_bears_its_fingerprints(workspace: Workspace) -> None:
    path = publish(workspace).path
    store = read_store(path.read_bytes(), "image/png", reading_context())
    assert store is not None
    assertions = store["manifests"][0]["assertions"]
    bound = [value for label, value in assertions.items() if label.startswith(LABEL)]
    prints = fingerprints_of(pictures.read(path).pixels)
    values = {one["alg"]: bytes(one["blocks"][0]["value"]) for one in bound}
    assert values == {LOOK: prints.look, LAYOUT: prints.layout}
    assert all(one["name"] == "not on the C2PA list of soft binding algorithms" for one in bound)


def test_any_algorithm_can_be_named(workspace: Workspace) -> None:
    one, other = soft_bindings([("com.example.mark.2", b"\x00\xff"), ("org.limner.watermark.1", b"\x01")])
    assert one == {"label": LABEL, "data": {"alg": "com.example.mark.2", "blocks": [{"scope": {}, "value": [0, 255]}]}}
    assert "not on the C2PA list" in other["data"]["name"]
    manifest = manifest_of(provenance(), {}, [("com.example.mark.2", b"\x00\xff")])
    assert one in manifest["assertions"]
    json.dumps(manifest)


def test_a_plain_picture_has_none(workspace: Workspace) -> None:
    prints = fingerprints_of(picture(64) // 255)
    assert (prints.look, prints.mirror, prints.layout) == (None, None, None)
