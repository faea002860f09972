"""Worker processes for an import: each reads one file at a time; one that dies takes that file along, and is replaced.

Not a pool of a library: those limit waiting, and a file is limited in processor time, whatever else the machine does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from limner.errors import CollectionError

_AHEAD = 8  # requests a worker that are taken from the list before they are needed
_SILENCE = 600.0  # seconds without an answer, on a disk or network that hangs; processor time has its own limit
_ENVIRONMENT = {
    # One thread of linear algebra each: the workers are the parallel part.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Memory of one picture is kept for the next instead of asked for anew: a sixth of the time (glibc).
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
Answer = tuple["Request", dict[str, Any]]


@dataclass(frozen=True)
class Request:
    """One file to read: its path on the disk, its name inside the source, and the XMP files beside it."""

    path: str
    name: str
    sidecars: tuple[str, ...] = ()


def examine_all(
    requests: Iterable[Request], root: Path, folder: Path, background: tuple[int, int, int], processes: int
) -> Generator[Answer, None, None]:
    """Have `processes` workers read the files; yields each with its answer, in the order in which they are done.

    A worker that runs out of its processor time or crashes is replaced, and the file that it was reading is answered
    with `{"refused": "too-slow"}` or `{"refused": "crashed"}`.

    Raises:
        CollectionError: the workers cannot be started, or cannot write to `folder`.
    """
    workers = [_Worker([str(folder), str(root), *map(str, background)]) for _ in range(max(1, processes))]
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def examined(request: Request) -> Answer:
        worker = idle.get()
        try:
            return request, worker.ask(request)
        finally:
            idle.put(worker)

    threads, done, under_way = ThreadPoolExecutor(len(workers)), SimpleQueue[Future[Answer]](), 0
    try:
        for request in requests:
            threads.submit(examined, request).add_done_callback(done.put)
            under_way += 1
            if under_way >= _AHEAD * len(workers):
                yield done.get().result()
                under_way -= 1
        for _ in range(under_way):
            yield done.get().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.kill()  # whoever waits for its answer gets none
        threads.shutdown()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that is started when it is first asked, and again after it died."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._folder, self._command = arguments[0], [sys.executable, "-P", "-m", "limner.collection.worker", *arguments]
        self._process: subprocess.Popen[str] | None = None

    def ask(self, request: Request) -> dict[str, Any]:
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died: there is no answer
            process.stdin.write(json.dumps(asdict(request)) + "\n")
            process.stdin.flush()
        answer = _line(process)
        if not answer:
            self._process = None
            return _died(_ended(process))
        found: dict[str, Any] = json.loads(answer)
        if "fatal" in found:
            remedy = "make room there, then repeat the command: it goes on where it was"
            raise CollectionError(self._folder, f"cannot be written to ({found['fatal']})", remedy)
        return found

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            _ended(self._process)

    def _started(self) -> subprocess.Popen[str]:
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=nowhere, env=environment, text=True, encoding="utf-8"
            )
        except OSError as error:
            raise CollectionError("import", f"a worker process cannot start ({error})", "end other programs") from error
        if not _line(process):
            reason = f"a worker process cannot start (status {_ended(process)})"
            raise CollectionError("import", reason, "report this")
        return process


def _line(process: subprocess.Popen[str]) -> str:
    """The next line that a process writes; empty where it ends before, or is silent for too long."""
    assert process.stdout is not None
    return process.stdout.readline() if select.select([process.stdout], [], [], _SILENCE)[0] else ""


def _ended(process: subprocess.Popen[str]) -> int:
    """Close the pipes of a process, end it where it does not end by itself, and return its status."""
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        with contextlib.suppress(BrokenPipeError):
            stream.close()
    try:
        return process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _died(status: int) -> dict[str, Any]:
    if status == -signal.SIGXCPU:
        return {"refused": "too-slow", "reason": "keeps the decoder busy beyond all measure"}
    if status == -signal.SIGKILL:
        return {"refused": "crashed", "reason": "ended its reader (out of memory, or no answer from the disk)"}
    return {"refused": "crashed", "reason": f"crashed the decoder (status {status})"}
