"""What every test shares: a workspace of its own, and no network but this machine's."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from limner.workspace import Workspace


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: the last of them would otherwise keep one core busy and leave the other idle."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    root = tmp_path / "home"
    monkeypatch.setenv("LIMNER_HOME", str(root))
    return Workspace(root)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
