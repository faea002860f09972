"""Asking a time-stamp server (RFC 3161) whether it is one, before anything is signed.

The C2PA library asks it again for every signature; it waits without limit and says little when an answer is wrong.
"""

from __future__ import annotations

import http.client
import secrets
from hashlib import sha256
from urllib.parse import urlsplit

from limner.errors import PapersError

__all__ = ["check_server"]

_SECONDS = 15.0
_LARGEST = 1 << 20
_REMEDY = "nothing was written; try again later, take another server, or leave --timestamp out"
_SHA256 = bytes.fromhex("300d06096086480165030402010500")


def check_server(url: str, seconds: float = _SECONDS) -> None:
    """Ask the server at `url` for a time-stamp of nothing in particular, and look at its answer.

    Raises:
        PapersError: it cannot be reached within `seconds`, or does not answer as RFC 3161 says.
    """
    connection, target = _connection(url, seconds)
    try:
        connection.request("POST", target, _request(), {"Content-Type": "application/timestamp-query"})
        response = connection.getresponse()
        body = response.read(_LARGEST)
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
