"""Asking a time-stamp server (RFC 3161): once whether it is one, then through a relay for every signature.

Left to itself the C2PA library waits for the server without limit and says little when an answer is wrong. So it asks
a relay in this process, which asks the server, waits so long and no longer, and keeps what went wrong.
"""

from __future__ import annotations

import http.client
import secrets
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from limner.errors import PapersError

_SECONDS = 15.0
_LARGEST = 1 << 20
_REMEDY = "nothing was written; try again later, take another server, or leave --timestamp out"
_SHA256 = bytes.fromhex("300d06096086480165030402010500")


def check_server(url: str, seconds: float = _SECONDS) -> None:
    """Ask the server at `url` for a time-stamp of nothing in particular, and look at its answer.

    Raises:
        PapersError: it cannot be reached within `seconds`, or does not answer as RFC 3161 says.
    """
    _ask(url, _request(), seconds)


class TimestampRelay:
    """Passes the questions of the C2PA library on to the server at `server`, from this machine alone.

    Attributes:
        fault: why the last question that failed did; None while none has.
    """

    def __init__(self, server: str, seconds: float = _SECONDS) -> None:
        self.fault: PapersError | None = None
        # Nobody else on this machine knows the path, so nobody else asks the server in the artist's name.
        path = f"/{secrets.token_urlsafe(16)}"
        relay = self

        class Handler(BaseHTTPRequestHandler):
            timeout = seconds

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if self.path != path or not length.isdecimal() or int(length) > _LARGEST:
                    self.send_error(404)
                    return
                try:
                    answer = _ask(server, self.rfile.read(int(length)), seconds)
                except PapersError as error:
                    relay.fault = error
                    self.send_error(502)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing: what matters is in `fault`."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}{path}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop passing on."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _ask(url: str, query: bytes, seconds: float) -> bytes:
    """The server's answer to a TimeStampReq: a TimeStampResp that grants one."""
    connection, target = _connection(url, seconds)
    try:
        connection.request("POST", target, query, {"Content-Type": "application/timestamp-query"})
        with connection.getresponse() as response:
            body = _read(response, seconds)
    except TimeoutError as error:
        raise PapersError(url, f"did not answer within {seconds:g} seconds", _REMEDY) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PapersError(url, f"cannot be reached ({error or type(error).__name__})", _REMEDY) from error
    finally:
        connection.close()
    if response.status != 200:
        raise PapersError(url, f"answers {response.status} {response.reason}", _REMEDY)
    if not _is_granted(body):
        raise PapersError(url, "does not answer with a time-stamp", _REMEDY)
    return body


def _read(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """The whole answer; a server that sends it byte by byte has no more time than one that sends it at once."""
    body, end = b"", time.monotonic() + seconds
    while len(body) <= _LARGEST and (piece := response.read1(1 << 16)):
        body += piece
        if time.monotonic() > end:
            raise TimeoutError
    return body


def _connection(url: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    try:
        parsed = urlsplit(url)
        host, port = parsed.hostname, parsed.port
    except ValueError:
        host, port = None, None
    if not host or parsed.scheme not in ("http", "https"):
        raise PapersError(url, "is no address of a time-stamp server", "give one such as http://timestamp.example.org")
    kind = http.client.HTTPSConnection if parsed.scheme == "https" else http.client.HTTPConnection
    target = (parsed.path or "/") + (f"?{parsed.query}" if parsed.query else "")
    return kind(host, port, timeout=seconds), target


def _request() -> bytes:
    """A TimeStampReq (RFC 3161, 2.4.1): version 1, the imprint of random bytes, a nonce, certificates wanted."""
    imprint = _der(0x30, _SHA256 + _der(0x04, sha256(secrets.token_bytes(32)).digest()))
    nonce = _der(0x02, b"\x01" + secrets.token_bytes(8))
    return _der(0x30, _der(0x02, b"\x01") + imprint + nonce + _der(0x01, b"\xff"))


def _der(tag: int, value: bytes) -> bytes:
    assert len(value) < 128, "longer values need a longer length"
    return bytes([tag, len(value)]) + value


def _is_granted(body: bytes) -> bool:
    """Whether this is a TimeStampResp whose status is granted (0) or granted with changes (1), with a token."""
    outer = _inner(body, 0x30)
    status = _inner(outer, 0x30) if outer else None
    if not outer or not status or status[:2] != b"\x02\x01" or status[2:3] not in (b"\x00", b"\x01"):
        return False
    return len(outer) > len(status) + 4


def _inner(data: bytes, tag: int) -> bytes | None:
    """The contents of the DER value at the start of `data`; None where it is another, or cut off."""
    if len(data) < 2 or data[0] != tag:
        return None
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    return data[start : start + length] if 0 < length <= len(data) - start else None
