"""How a training is shown in the terminal."""

from __future__ import annotations

import time
from typing import Any


class TerminalReporter:
    """Shows a training: a bar for each stage with rate, time left and losses, and lines that stay."""

    def __init__(self, quiet: bool = False) -> None:
        from rich.console import Console

        self.quiet = quiet
        self.console = Console(stderr=True)
        self.bar = _training_bar(self.console, quiet)
        self._task: Any = None
        self._title, self._printed = "", 0.0

    def __enter__(self) -> TerminalReporter:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def note(self, text: str) -> None:
        """A line that stays."""
        if not self.quiet:
            self.console.print(text, style="dim", highlight=False, soft_wrap=True)

    def stage(self, title: str) -> None:
        """A new bar."""
        if self._task is not None:
            self.bar.update(self._task, completed=1.0, left="")
        self._title = title
        self._task = self.bar.add_task(title, total=1.0, rate="", left="", losses="")

    def tick(self, share: float, seconds_left: float, rate: float, losses: dict[str, float]) -> None:
        """Move the bar; on a pipe, print a line a minute."""
        minutes, seconds = divmod(max(0, round(seconds_left)), 60)
        left = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        shown = " ".join(f"{name} {value:.4g}" for name, value in losses.items() if name != "gradient")
        if self._task is not None:
            self.bar.update(self._task, completed=share, rate=f"{rate:,.0f}/s", left=left, losses=shown)
        if not self.console.is_terminal and not self.quiet and time.monotonic() - self._printed > 60:
            self._printed = time.monotonic()
            words = [f"{self._title} {share:.0%}", f"{rate:,.0f}/s", f"{left} left", *([shown] if shown else [])]
            self.console.print(", ".join(words), highlight=False)


def _training_bar(console: Any, quiet: bool) -> Any:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("[progress.data.speed]{task.fields[rate]}"),
        TextColumn("[progress.remaining]{task.fields[left]}"),
        TextColumn("[dim]{task.fields[losses]}"),
        console=console,
        disable=quiet or not console.is_terminal,
    )
