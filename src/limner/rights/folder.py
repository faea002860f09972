"""Opt-outs for a whole folder: `/.well-known/tdmrep.json` (TDM Reservation Protocol, W3C) and `ai.txt` (Spawning)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limner.errors import PictureError
from limner.pictures import open_file

_LARGEST = 1 << 20
_TDMREP = (".well-known/tdmrep.json", "tdmrep.json")
_AI_TXT = ("ai.txt", ".well-known/ai.txt")
_MOST_RULES = 1000
_US = ("*", "limner")


@dataclass(frozen=True)
class FolderOptOuts:
    """What the files at the root of a folder reserve.

    Attributes:
        tdm: rules of tdmrep.json in their order: (pattern, whether mining is reserved).
        ai: rules of ai.txt: (pattern, whether it is disallowed).
        unreadable: files that are there and cannot be read; everything is held back then.
    """

    tdm: tuple[tuple[str, bool], ...] = ()
    ai: tuple[tuple[str, bool], ...] = ()
    unreadable: tuple[str, ...] = ()

    def held(self, file: str) -> tuple[str, ...]:
        """Why the picture `file` (its path inside the folder, with `/`) is held back; empty where it is not."""
        path = "/" + file.lstrip("/")
        reasons = [f"opt-out file {name} unreadable" for name in self.unreadable]
        # TDMRep, section 5: the first location that matches decides.
        if next((reserved for pattern, reserved in self.tdm if _matches(pattern, path)), False):
            reasons.append("opt-out: tdmrep.json of the folder")
        # As in robots.txt (RFC 9309, 2.2.2): the longest pattern decides, and permission wins a tie.
        decisive = max(
            ((len(pattern), not disallowed) for pattern, disallowed in self.ai if _matches(pattern, path)),
            default=(0, True),
        )
        if not decisive[1]:
            reasons.append("opt-out: ai.txt of the folder")
        return tuple(reasons)


def read_folder(root: Path) -> FolderOptOuts:
    """Read the opt-out files that lie at the root of `root`; a file that cannot be read holds everything back."""
    unreadable: list[str] = []
    tdm: list[tuple[str, bool]] = []
    ai: list[tuple[str, bool]] = []
    for names, rules, parse in ((_TDMREP, tdm, _parse_tdmrep), (_AI_TXT, ai, _parse_ai_txt)):
        name = next((name for name in names if (root / name).exists()), None)
        if name is None:
            continue
        try:
            rules.extend(parse(_text(root / name, root)))
        except (PictureError, ValueError, RecursionError):
            unreadable.append(name)
    return FolderOptOuts(tuple(tdm), tuple(ai), tuple(unreadable))


def _text(path: Path, root: Path) -> str:
    data = open_file(path, root=root)
    if len(data) > _LARGEST:
        raise ValueError("too large")
    return bytes(data).decode("utf-8-sig")


def _parse_tdmrep(text: str) -> list[tuple[str, bool]]:
    entries: Any = json.loads(text)
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list) or len(entries) > _MOST_RULES:
        raise ValueError("no list of rules")
    rules = []
    for entry in entries:
        if not isinstance(entry, dict) or "location" not in entry:
            raise ValueError("an entry without location")
        rules.append((str(entry["location"]), str(entry.get("tdm-reservation", 0)).lower() in ("1", "true")))
    return rules


def _parse_ai_txt(text: str) -> list[tuple[str, bool]]:
    rules: list[tuple[str, bool]] = []
    for_us, in_names = True, False
    for line in text.splitlines()[:_MOST_RULES]:
        key, _, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if key == "user-agent":
            ours = value.lower() in _US
            for_us, in_names = (for_us or ours) if in_names else ours, True
        elif key in ("allow", "disallow"):
            in_names = False
            if for_us and value:
                rules.append((value, key == "disallow"))
    return rules


def _matches(pattern: str, path: str) -> bool:
    """Whether a robots.txt pattern (`*` for anything, `$` for the end) matches; linear, so that no pattern is slow."""
    if not pattern.startswith(("/", "*")):
        pattern = "/" + pattern
    anchored = pattern.endswith("$")
    head, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(head):
        return False
    place = len(head)
    last = rest.pop() if rest and anchored else None
    for piece in rest:
        place = path.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= place
    return place == len(path) if anchored else True
