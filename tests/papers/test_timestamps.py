"""Time-stamp servers: a real one (RFC 3161, by openssl) serves; others are one clear error each."""

from __future__ import annotations

import datetime as dt
import http.client
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from limner.errors import PapersError
from limner.ledger import Ledger
from limner.papers import open_publisher, verify
from limner.papers.identity.timestamp import TimestampRelay, check_server
from limner.workspace import Workspace
from papers.test_identities import buy
from published_made import picture, provenance, publisher

GRANTED_GARBAGE = bytes.fromhex("30 09 3003 020100 3002 0500".replace(" ", ""))
CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/bought.pem
certs = {folder}/bought.pem
signer_key = {folder}/bought.key
signer_digest = sha256
digests = sha256, sha384, sha512
default_policy = 1.2.3.4.1
ess_cert_id_alg = sha256
"""


@contextmanager
def server(answer: Callable[[bytes], tuple[int, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/tsa"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def refused(workspace: Workspace, url: str, reason: str) -> None:
    workspace.make(workspace.root)
    with pytest.raises(PapersError) as caught, publisher(workspace, timestamp_url=url) as ready:
        ready.publish(picture(), workspace.root / "work.png", provenance())
    assert reason in str(caught.value)
    assert url in caught.value.value
    assert "\n" not in str(caught.value)
    assert not list(workspace.root.glob("*work*"))
    assert len(Ledger.open(workspace.ledger)) == 0


def test_a_server_that_is_not_there(workspace: Workspace) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        refused(workspace, url, "cannot be reached (")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "timestamp.example.org", "http://", "http://x:99999/", "http://["])
def test_an_address_that_is_none(workspace: Workspace, url: str) -> None:
    refused(workspace, url, "is no address of a time-stamp server")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"<html>hello", "does not answer with a time-stamp"),
        (200, b"", "does not answer with a time-stamp"),
        (200, bytes.fromhex("30053003020102"), "does not answer with a time-stamp"),  # rejected, in proper form
        (200, b"\x30\x84\xff\xff\xff\xff", "does not answer with a time-stamp"),
        (404, b"nothing here", "answers 404"),
        (200, GRANTED_GARBAGE, "gave no time-stamp"),
    ],
)
def test_a_server_that_answers_otherwise(workspace: Workspace, status: int, body: bytes, reason: str) -> None:
    with server(lambda query: (status, body)) as url:
        refused(workspace, url, reason)


def test_a_server_that_stops_in_between(workspace: Workspace) -> None:
    """It answers the first question and not the one that matters."""
    answers = iter([GRANTED_GARBAGE])
    with server(lambda query: (200, next(answers, b""))) as url:
        refused(workspace, url, "does not answer with a time-stamp")


def test_a_server_that_grows_slow_in_between(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers the first question, and the one that matters too late, or a byte now and then."""
    monkeypatch.setattr("limner.papers.identity.timestamp.TimestampRelay.__init__.__defaults__", (0.3,))
    gone, answers = threading.Event(), iter([GRANTED_GARBAGE])

    def answer(query: bytes) -> tuple[int, bytes]:
        if (said := next(answers, None)) is None:
            gone.wait(5)
        return 200, said or b""

    with server(answer) as url:
        began = time.monotonic()
        refused(workspace, url, "did not answer within 0.3 seconds")
        assert time.monotonic() - began < 4
        gone.set()


def test_the_relay_passes_on_nothing_else() -> None:
    asked: list[bytes] = []

    def answer(query: bytes) -> tuple[int, bytes]:
        asked.append(query)
        return 200, GRANTED_GARBAGE

    with server(answer) as url, closing(TimestampRelay(url)) as relay:
        place = urlsplit(relay.url)
        for path, body in (("/", b"x"), ("/tsa", b"x"), (place.path, b"x" * (1 << 21))):
            with closing(http.client.HTTPConnection(place.netloc, timeout=5)) as stranger:
                stranger.putrequest("POST", path)
                stranger.putheader("Content-Length", str(len(body)))
                stranger.endheaders()
                with stranger.getresponse() as response:
                    assert response.status == 404
    assert asked == []


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(PapersError, match=r"did not answer within 0\.2 seconds"):
            check_server(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.2)
        assert time.monotonic() - began < 5


def authority(folder: Path) -> None:
    """Key and certificate of a time-stamp authority, and what openssl needs to be one."""
    buy(folder, rsa.generate_private_key(65537, 2048), usage=ExtendedKeyUsageOID.TIME_STAMPING)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))


def stamp(folder: Path, query: bytes) -> bytes:
    (folder / "query").write_bytes(query)
    command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return (folder / "reply").read_bytes()


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to be a time-stamp authority")
@pytest.mark.parametrize("kind", ["png", "avif"])
def test_a_time_stamp_is_in_the_papers(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    authority(tmp_path)
    with (
        server(lambda query: (200, stamp(tmp_path, query))) as url,
        publisher(workspace, timestamp_url=url) as ready,
    ):
        path = ready.publish(picture(), workspace.root / f"work.{kind}", provenance()).path
    verdict = verify(path)
    assert verdict.genuine, verdict.codes
    assert verdict.signer is not None
    assert verdict.signer.time_stamp is not None
    assert verdict.signer.time_stamp[:10] == f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    assert "time-stamp of" in verdict.layers[0].holds


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to be a time-stamp authority")
def test_only_a_trusted_time_stamp_outlives_the_certificate(workspace: Workspace, tmp_path: Path) -> None:
    tsa = tmp_path / "tsa"
    tsa.mkdir()
    authority(tsa)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, key_file = buy(tmp_path, key, ends=dt.timedelta(seconds=3))
    with (
        server(lambda query: (200, stamp(tsa, query))) as url,
        open_publisher(workspace, certificate=certificate, key=key_file, timestamp=url) as ready,
    ):
        path = ready.publish(picture(), tmp_path / "work.png", provenance()).path
    time.sleep(4.2)
    untrusted = verify(path, anchors=[tmp_path / "root.pem"])
    trusted = verify(path, anchors=[tmp_path / "root.pem", tsa / "root.pem"])
    assert (untrusted.state, trusted.state) == ("invalid", "valid")
    assert "no trusted time-stamp" in untrusted.summary
    assert "Its certificate ended on" in trusted.layers[0].proves
    assert "signed before" in trusted.layers[0].proves
    assert trusted.signer is not None
    assert trusted.signer.time_stamp_trusted


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to be a time-stamp authority")
def test_a_changed_time_stamp_is_found(workspace: Workspace, tmp_path: Path) -> None:
    authority(tmp_path)
    with server(lambda query: (200, stamp(tmp_path, query))) as url, publisher(workspace, timestamp_url=url) as ready:
        path = ready.publish(picture(), workspace.root / "work.webp", provenance()).path
    data = bytearray(path.read_bytes())
    data[data.index(b"cpad", data.index(b"sigTst2")) - 20] ^= 1  # in the server's own signature, which comes last
    path.write_bytes(data)
    assert verify(path).tampered == "its time-stamp (it is there and does not fit)"
