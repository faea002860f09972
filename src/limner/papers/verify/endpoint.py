"""Checking papers over HTTP: a picture is posted, a verdict comes back; nothing is kept.

Strangers post here. So there are limits on size, time and how much goes on at once, no request ever names a file, and
a web page may ask only when its site was allowed or was served from here.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLongError
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import urlsplit

from limner import __version__
from limner.digests import digest_of
from limner.errors import PapersError
from limner.papers.verify.verdict import Verdict

VERIFY = "/verify"
"""Where pictures are posted."""

_NAME = Path("picture")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Limits:
    """What one endpoint does for strangers.

    Attributes:
        size: of a picture's file, in bytes.
        seconds: to send a picture, and again to check it.
        checks: at once; further requests get the status 503.
        connections: open at once; further ones are closed. Each may keep one picture in memory.
    """

    size: int = 32 << 20
    seconds: float = 20.0
    checks: int = 4
    connections: int = 16


class _RefusedError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Endpoint:
    """An HTTP server: `POST /verify` with a picture's bytes gives a verdict as JSON, `GET /` a page that asks for one.

    Example:
        >>> with Endpoint(checker.check_bytes) as endpoint:
        ...     print(endpoint.url)

    Args:
        check: gives the verdict on bytes; called by several threads at once.
        host, port: where to listen; port 0 takes a free one. Other machines reach it only by another host.
        origins: sites (`https://museum.example`) whose pages may ask.
        page: HTML, with its own content security policy.

    Raises:
        PapersError: the place is taken or not allowed, or an origin is none.
    """

    def __init__(
        self,
        check: Callable[[bytes, Path], Verdict],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        origins: Sequence[str] = (),
        page: str = "",
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.origins = frozenset(check_origin(one) for one in origins)
        self.page, self._check, self._host = page, check, host
        self._slots = threading.BoundedSemaphore(self.limits.checks)
        self._pool = ThreadPoolExecutor(self.limits.checks, thread_name_prefix="verify")
        try:
            self._server = _Server((host, port), self)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise PapersError(f"{host}:{port}", f"cannot be listened at ({reason})", "give another --port") from error
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where pictures are posted."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.server_port}{VERIFY}"

    @property
    def public(self) -> bool:
        """Whether other machines can reach it."""
        return self._host not in _LOOPBACK

    def serve(self) -> None:
        """Answer until the program is interrupted."""
        self._server.serve_forever(0.2)

    def close(self) -> None:
        """Stop listening; checks that are under way are not waited for."""
        self._server.server_close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Endpoint:
        """Answer in a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *ending: object) -> None:
        self._server.shutdown()
        if self._thread:
            self._thread.join()
        self.close()

    def verdict(self, data: bytes) -> dict[str, Any]:
        """What is answered about a picture's bytes.

        Raises:
            _RefusedError: as many as may are being checked, or it takes too long; then its slot stays taken until
                it is done, so that no more than `checks` ever work.
        """
        if not self._slots.acquire(blocking=False):
            raise _RefusedError(503, "busy; come again in a moment")
        try:
            running: Future[Verdict] = self._pool.submit(self._check, data, _NAME)
        except RuntimeError:
            self._slots.release()
            raise _RefusedError(503, "closing") from None
        running.add_done_callback(lambda _: self._slots.release())
        try:
            verdict = running.result(self.limits.seconds).to_dict()
        except TooLongError:
            raise _RefusedError(504, f"not checked within {self.limits.seconds:g} seconds") from None
        del verdict["path"]
        digest = digest_of(data)
        return {"checked": {"digest": digest, "bytes": len(data), "by": f"limner {__version__}"}, **verdict}

    def allows(self, host: str, origin: str | None) -> bool:
        """Whether a request that names this host, from a page of this origin (None: from no page), is answered."""
        name = _host_of(f"//{host}")
        known = {_host_of(one) for one in self.origins} | _LOOPBACK
        if not self.public and name not in known:
            return False  # somebody else's domain that was made to point here (DNS rebinding)
        return origin is None or origin in self.origins or origin in (f"http://{host}", f"https://{host}")


def check_origin(origin: str) -> str:
    """`origin` as browsers write it.

    Raises:
        PapersError: it is none.
    """
    try:
        parsed = urlsplit(origin.rstrip("/").lower())
        port = f":{parsed.port}" if parsed.port else ""
    except ValueError:
        parsed, port = urlsplit(""), ""
    name = parsed.hostname or ""
    plain = name.replace("-", "").replace(".", "").isalnum() and name.isascii()
    if parsed.scheme not in ("http", "https") or not plain or f"{parsed.scheme}://{name}{port}" != parsed.geturl():
        raise PapersError(origin, "is no origin of a web page", "give one such as https://museum.example")
    return f"{parsed.scheme}://{name}{port}"


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _picture_in(body: bytes, kind: str) -> bytes:
    """The picture's bytes: the body itself, or the one file of a web form (RFC 7578).

    Raises:
        _RefusedError: the form holds no file, or several.
    """
    if not kind.lower().startswith("multipart/form-data"):
        return body
    header = Message()
    header["Content-Type"] = kind
    boundary = str(header.get_param("boundary") or "").encode("latin-1", "replace")
    files = [data for head, data in _parts(body, boundary) if b"filename" in head.lower()] if boundary else []
    if len(files) != 1:
        raise _RefusedError(400, f"the form holds {len(files) or 'no'} file{'s' if files else ''}; post one picture")
    if not files[0]:
        raise _RefusedError(400, "the form's file is empty")
    return files[0]


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Head and contents of each part of a form, to the byte."""
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if piece.startswith(b"--"):
            return
        head, empty, data = piece.partition(b"\r\n\r\n")
        if empty:
            yield head, data


class _Server(ThreadingHTTPServer):
    """Threads, but never more than the limits allow."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._open = threading.BoundedSemaphore(endpoint.limits.connections)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._open.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing is printed: a client that goes away in the middle of a request is no error here."""


class _Handler(BaseHTTPRequestHandler):
    """One request: its connection ends with it, and at a fixed time in any case."""

    server: _Server
    server_version, sys_version = "limner", ""

    def setup(self) -> None:
        limits = self.server.endpoint.limits
        super().setup()
        self.connection.settimeout(limits.seconds)
        self._end = threading.Timer(2 * limits.seconds + 5, self._cut)
        self._end.daemon = True
        self._end.start()

    def finish(self) -> None:
        self._end.cancel()
        super().finish()

    def _cut(self) -> None:
        try:
            self.connection.shutdown(SHUT_RDWR)
        except OSError:
            return  # it is closed already

    def do_GET(self) -> None:
        """The page."""
        if self.path != "/" or not self.server.endpoint.page:
            self._answer(404, {"error": f"nothing is here; post a picture to {VERIFY}"})
        elif not self._allowed():
            self._answer(403, {"error": "this host is not answered"})
        else:
            self._send(200, "text/html; charset=utf-8", self.server.endpoint.page.encode())

    def do_OPTIONS(self) -> None:
        """What a browser asks before a page of another site may post."""
        self._send(204 if self._allowed() else 403, "text/plain", b"")

    def do_POST(self) -> None:
        """A picture."""
        try:
            if self.path != VERIFY:
                raise _RefusedError(404, f"nothing is here; post a picture to {VERIFY}")
            if not self._allowed():
                raise _RefusedError(403, "pages of this site may not ask here")
            self._answer(200, self.server.endpoint.verdict(self._body()))
        except _RefusedError as refused:
            self._answer(refused.status, {"error": refused.reason})

    def _body(self) -> bytes:
        limits, length = self.server.endpoint.limits, self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or len(length) > 18:
            raise _RefusedError(411, "say how long the picture is (Content-Length)")
        if not 0 < int(length) <= limits.size:
            reason = f"has {int(length):,} bytes; up to {limits.size:,} are checked" if int(length) else "is empty"
            raise _RefusedError(413 if int(length) else 400, f"the picture {reason}")
        data, end = bytearray(), time.monotonic() + limits.seconds
        while len(data) < int(length):
            try:
                piece = self.rfile.read1(min(1 << 16, int(length) - len(data)))
            except TimeoutError:
                piece = b""
            if not piece or time.monotonic() > end:
                raise _RefusedError(408, f"the picture did not arrive within {limits.seconds:g} seconds")
            data += piece
        return _picture_in(bytes(data), self.headers.get("Content-Type", ""))

    def _allowed(self) -> bool:
        return self.server.endpoint.allows(self.headers.get("Host", ""), self.headers.get("Origin"))

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        origin = self.headers.get("Origin")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Vary", "Origin")
        if status == 503:
            self.send_header("Retry-After", "1")
        if origin and self._allowed():
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "POST")
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
            self.send_header("Access-Control-Allow-Private-Network", "true")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is logged: who asks stays private."""
