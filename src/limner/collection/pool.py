"""Worker processes for an import: work is handed out as it is asked for, and one that dies takes one file along."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from limner.errors import CollectionError

__all__ = ["Request", "examine_all"]

_AHEAD = 8  # requests a worker has in its pipe; few enough that they fit whatever their length
_SILENCE = 600.0  # seconds without an answer, on a disk or network that hangs; processor time has its own limit
_PROBE = 5.0
_ENVIRONMENT = {
    # One thread of linear algebra each: the workers are the parallel part.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Memory of one picture is kept for the next instead of asked for anew: a sixth of the time (glibc).
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}


@dataclass(frozen=True)
class Request:
    """One file to read: its path on the disk, its name inside the source, and the XMP files beside it."""

    path: str
    name: str
    sidecars: tuple[str, ...] = ()


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    waiting: deque[Request] = field(default_factory=deque)
    ready: bool = False
    rest: bytes = b""
    heard: float = field(default_factory=time.monotonic)


def examine_all(
    requests: Iterable[Request], root: Path, folder: Path, background: tuple[int, int, int], processes: int
) -> Iterator[tuple[Request, dict[str, Any]]]:
    """Have `processes` workers read the files; yields each with its answer, in the order in which they are done.

    A worker that runs out of its processor time or crashes is replaced, and the file that it was reading is answered
    with `{"refused": "too-slow"}` or `{"refused": "crashed"}`.

    Raises:
        CollectionError: the workers cannot be started.
    """
    pool = _Pool(iter(requests), root, [str(folder), *(str(value) for value in background)])
    try:
        pool.start(processes)
        yield from pool.answers()
    finally:
        pool.stop()


class _Pool:
    def __init__(self, requests: Iterator[Request], root: Path, arguments: list[str]) -> None:
        self._requests, self._root, self._arguments = requests, str(root), arguments
        self._again: deque[Request] = deque()
        self._workers: dict[int, _Worker] = {}
        self._selector = selectors.DefaultSelector()

    def start(self, processes: int) -> None:
        for _ in range(max(1, processes)):
            self._start_worker()

    def stop(self) -> None:
        for worker in self._workers.values():
            _end(worker.process)
        self._workers.clear()
        self._selector.close()

    def answers(self) -> Iterator[tuple[Request, dict[str, Any]]]:
        while self._workers:
            for key, _ in self._selector.select(_PROBE):
                worker = self._workers[key.fd]
                piece = os.read(key.fd, 1 << 16)
                worker.heard = time.monotonic()
                yield from self._heard(worker, piece) if piece else self._gone(key.fd, worker)
            for worker in self._workers.values():
                if worker.waiting and time.monotonic() - worker.heard > _SILENCE:
                    worker.process.kill()  # the next look finds its pipe closed

    def _heard(self, worker: _Worker, piece: bytes) -> Iterator[tuple[Request, dict[str, Any]]]:
        *lines, worker.rest = (worker.rest + piece).split(b"\n")
        answers = [json.loads(line) for line in lines]
        if answers and not worker.ready:
            worker.ready = True
            answers = answers[1:]
        for answer in answers:
            if "fatal" in answer:
                raise CollectionError(
                    self._arguments[0],
                    f"cannot be written to ({answer['fatal']})",
                    "make room there, then repeat the command: it goes on where it was",
                )
        done = [(worker.waiting.popleft(), answer) for answer in answers]
        self._feed(worker)
        yield from done

    def _gone(self, descriptor: int, worker: _Worker) -> Iterator[tuple[Request, dict[str, Any]]]:
        """A worker's output ended: because it had nothing left to do, or because it died over a file."""
        self._selector.unregister(descriptor)
        del self._workers[descriptor]
        status = _end(worker.process)
        if not worker.ready:
            raise CollectionError("import", f"a worker process cannot start (status {status})", "report this")
        if worker.waiting:
            culprit = worker.waiting.popleft()
            self._again.extend(worker.waiting)
            self._start_worker()
            yield culprit, _verdict(status)

    def _start_worker(self) -> None:
        command = [sys.executable, "-P", "-m", "limner.collection.worker", *self._arguments]
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
        except OSError as error:
            raise CollectionError("import", f"a worker process cannot start ({error})", "end other programs") from error
        assert process.stdout is not None
        self._workers[process.stdout.fileno()] = _Worker(process)
        self._selector.register(process.stdout, selectors.EVENT_READ)

    def _feed(self, worker: _Worker) -> None:
        stream = worker.process.stdin
        assert stream is not None
        if stream.closed:
            return
        while len(worker.waiting) < _AHEAD:
            request = self._again.popleft() if self._again else next(self._requests, None)
            if request is None:
                break
            worker.waiting.append(request)
            line = json.dumps(
                {"path": request.path, "name": request.name, "root": self._root, "sidecars": request.sidecars}
            )
            with contextlib.suppress(BrokenPipeError):  # it died; _gone() finds its files in `waiting`
                stream.write(line.encode() + b"\n")
        with contextlib.suppress(BrokenPipeError):
            stream.flush()
            if not worker.waiting:
                stream.close()


def _verdict(status: int) -> dict[str, Any]:
    if status == -signal.SIGXCPU:
        return {"refused": "too-slow", "reason": "keeps the decoder busy beyond all measure"}
    if status == -signal.SIGKILL:
        return {"refused": "crashed", "reason": "ended its reader (out of memory, or no answer from the disk)"}
    return {"refused": "crashed", "reason": f"crashed the decoder (status {status})"}


def _end(process: subprocess.Popen[bytes]) -> int:
    """Close the pipes of a worker, end it if it runs, and return its status."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    try:
        return process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
