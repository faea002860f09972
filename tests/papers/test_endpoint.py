"""Checking over HTTP: a verdict for a picture, and nothing for whoever asks too much or from elsewhere."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from limner.errors import PapersError
from limner.papers import Verdict
from limner.papers.evidence.pages import verify_page
from limner.papers.verify.checking import open_checker
from limner.papers.verify.endpoint import Endpoint, Limits, check_origin
from limner.workspace import Workspace
from published_made import ARTIST, publish

MUSEUM = "https://museum.example"


def nothing(data: bytes, path: Path) -> Verdict:
    return Verdict(str(path), "none", f"{len(data)} bytes")


@contextmanager
def running(check: Callable[[bytes, Path], Verdict] = nothing, **options: Any) -> Iterator[Endpoint]:
    with Endpoint(check, **options) as endpoint:
        yield endpoint


def ask(
    endpoint: Endpoint, method: str = "POST", path: str = "/verify", body: bytes | None = b"x", **headers: str
) -> Any:
    """Status, headers and body of an answer."""
    place = endpoint.url.split("/")[2]
    with closing(http.client.HTTPConnection(place, timeout=10)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as response:
            return response.status, dict(response.headers), response.read()


def test_a_posted_picture_gets_its_verdict(workspace: Workspace) -> None:
    data = publish(workspace).path.read_bytes()
    with closing(open_checker(workspace)) as checker, running(checker.check_bytes) as endpoint:
        status, headers, body = ask(endpoint, body=data)
        assert (status, headers["Content-Type"]) == (200, "application/json")
        told = json.loads(body)
        assert told["checked"]["digest"] == f"sha256:{sha256(data).hexdigest()}"
        assert (told["state"], told["signer"]["name"], told["signer"]["trust"]) == ("valid", ARTIST, "own")
        assert told["summary"] == checker.check_bytes(data, Path("picture")).summary
        assert str(workspace.root) not in body.decode()
        assert json.loads(ask(endpoint, body=b"hello")[2])["state"] == "unreadable"


def form(*files: tuple[str, bytes], field: str = "") -> tuple[bytes, str]:
    """A web form as browsers and curl -F send it, and its content type."""
    mark = b"----limner-7d1"
    parts = [f'Content-Disposition: form-data; name="note"\r\n\r\n{field}'.encode()] if field else []
    for name, data in files:
        head = f'Content-Disposition: form-data; name="picture"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
        parts.append(head.encode() + data)
    body = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + mark + b"--\r\n"
    return body, f"multipart/form-data; boundary={mark.decode()}"


def test_a_picture_in_a_web_form_is_judged_by_its_own_bytes(workspace: Workspace) -> None:
    data = publish(workspace).path.read_bytes()
    with closing(open_checker(workspace)) as checker, running(checker.check_bytes) as endpoint:
        for field in ("", "a note\r\n\r\nwith lines"):
            body, kind = form(("work.png", data), field=field)
            status, _, answer = ask(endpoint, body=body, Content_Type=kind)
            told = json.loads(answer)
            assert (status, told["state"]) == (200, "valid")
            assert told["checked"]["digest"] == f"sha256:{sha256(data).hexdigest()}"
        for files in ((), (("a.png", data), ("b.png", data)), (("a.png", b""),)):
            body, kind = form(*files, field="x")
            status, _, answer = ask(endpoint, body=body, Content_Type=kind)
            assert status == 400
            assert "state" not in json.loads(answer)
        status, _, answer = ask(endpoint, body=data, Content_Type="multipart/form-data")
        assert status == 400


def test_no_path_is_read_from_a_request(workspace: Workspace) -> None:
    path = publish(workspace).path
    with running() as endpoint:
        for method, place in (("GET", str(path)), ("GET", "/../" * 9), ("POST", f"/verify?path={path}"), ("GET", "/")):
            assert ask(endpoint, method, place)[0] == 404


def test_too_much_is_refused() -> None:
    with running(limits=Limits(size=1000, seconds=0.3)) as endpoint:
        assert ask(endpoint, body=b"x" * 1000)[0] == 200
        assert ask(endpoint, body=b"x" * 1001)[0] == 413
        assert ask(endpoint, body=b"")[0] == 400
        for length in ("-1", "1e3", "9" * 40, "１"):
            with socket.create_connection(("127.0.0.1", int(endpoint.url.split(":")[2].split("/")[0]))) as stranger:
                stranger.sendall(
                    f"POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()
                )
                assert b" 411 " in stranger.recv(100)


def test_who_sends_too_slowly_is_cut_off() -> None:
    with running(limits=Limits(seconds=0.3)) as endpoint:
        place = ("127.0.0.1", int(endpoint.url.split(":")[2].split("/")[0]))
        with socket.create_connection(place, timeout=10) as stranger:
            stranger.sendall(b"POST /verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nx")
            assert b" 408 " in stranger.recv(100)


def test_no_more_at_once_than_allowed() -> None:
    go, inside = threading.Event(), threading.Semaphore(0)

    def slow(data: bytes, path: Path) -> Verdict:
        inside.release()
        go.wait(10)
        return nothing(data, path)

    with running(slow, limits=Limits(checks=1, seconds=0.3)) as endpoint:
        began = time.monotonic()
        assert ask(endpoint)[0] == 504
        assert time.monotonic() - began < 5
        assert inside.acquire(timeout=5)
        status, headers, _ = ask(endpoint)  # the slow one still works
        assert (status, headers["Retry-After"]) == (503, "1")
        go.set()
        for _ in range(100):
            if ask(endpoint)[0] == 200:
                return
            time.sleep(0.02)
        raise AssertionError("the slot stays taken")


def test_only_pages_of_allowed_sites_may_ask() -> None:
    with running(origins=[MUSEUM], page="<p>page</p>") as endpoint:
        place = endpoint.url.split("/")[2]
        assert ask(endpoint, Origin=MUSEUM)[1]["Access-Control-Allow-Origin"] == MUSEUM
        assert ask(endpoint, "OPTIONS", body=None, Origin=MUSEUM)[0] == 204
        assert ask(endpoint, Origin=f"http://{place}")[0] == 200
        assert ask(endpoint, "GET", "/", None)[2] == b"<p>page</p>"
        for origin in ("https://evil.example", "null", f"{MUSEUM}.evil.example", "http://museum.example"):
            status, headers, _ = ask(endpoint, Origin=origin)
            assert (status, headers.get("Access-Control-Allow-Origin")) == (403, None)
        # A stranger's domain that was made to point at this machine.
        assert ask(endpoint, Host="evil.example", Origin="http://evil.example")[0] == 403
        assert ask(endpoint, "GET", "/", None, Host="evil.example")[0] == 403


@pytest.mark.parametrize(
    "origin", ["museum.example", "ftp://x", "https://", "https://a.b/path", "https://a b", "*", "https://a;b"]
)
def test_an_origin_that_is_none(origin: str) -> None:
    with pytest.raises(PapersError, match="is no origin of a web page"):
        check_origin(origin)


def test_a_taken_port_is_one_line() -> None:
    with running() as endpoint, pytest.raises(PapersError, match="cannot be listened at"):
        Endpoint(nothing, port=int(endpoint.url.split(":")[2].split("/")[0]))


def test_the_page_stands_alone() -> None:
    for endpoint, site in (("", "'self'"), ("https://check.museum.example/verify", "https://check.museum.example")):
        page = verify_page(endpoint)
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
        assert policy is not None
        assert "default-src 'none'" in policy[1]
        assert f"connect-src {site};" in policy[1]
        for tag in ("script", "style"):
            inside = page.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
            assert b64encode(sha256(inside.encode()).digest()).decode() in policy[1]
        assert not re.search(r'(src|href)="', page)
        assert "innerHTML" not in page


@pytest.mark.parametrize(
    "endpoint", ["museum", "javascript:alert(1)", "https://a/'x", 'https://a/"', "https://a/?b", "http://a;b/"]
)
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    with pytest.raises(PapersError, match="is no address of an endpoint"):
        verify_page(endpoint)
