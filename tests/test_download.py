"""A publisher on 127.0.0.1 that behaves, and one for each way of not behaving."""

import contextlib
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mesoscope import download
from mesoscope.download import DOWNLOADS, Download, pull, user_model_directory
from mesoscope.errors import DownloadError, UsageError

CONTENT = bytes(range(256)) * 1200  # several chunks


class Publisher(BaseHTTPRequestHandler):
    def do_GET(self):
        behaviour = self.server.behaviour
        self.server.ranges.append(self.headers.get("Range"))
        if behaviour == "missing":
            return self.send_error(404, "Not Found")
        if behaviour == "redirect to http":
            self.send_response(302)
            self.send_header("Location", "http://example.org/file")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        body, begun = self.server.content, 0
        if behaviour == "resumes" and (match := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))):
            begun = int(match[1])
        self.send_response(206 if begun else 200)
        if begun:
            self.send_header("Content-Range", f"bytes {begun}-{len(body) - 1}/{len(body)}")
        if behaviour != "endless":
            self.send_header("Content-Length", str(len(body) - begun))
        self.end_headers()
        sent = body[begun:]
        if behaviour == "breaks off":
            sent = sent[:150_000]
        if behaviour == "endless":
            sent *= 2
        with contextlib.suppress(ConnectionError):  # the client may have seen enough
            self.wfile.write(sent)
        return None

    def log_message(self, format, *args):
        pass


@pytest.fixture
def publisher():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.behaviour, server.content, server.ranges = "resumes", CONTENT, []
    server.url = f"http://127.0.0.1:{server.server_port}/file"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def thing(publisher, monkeypatch):
    entry = Download(
        "thing", publisher.url, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "thing.onnx", "Apache-2.0", "us"
    )
    monkeypatch.setitem(DOWNLOADS, "thing", entry)
    return entry


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_a_good_download(thing, tmp_path):
    told = []
    path = pull("thing", tmp_path / "new" / "models", on_progress=lambda done, total: told.append((done, total)))
    assert path == tmp_path / "new" / "models" / "thing.onnx"
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["thing.onnx"]
    assert len(told) > 1
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_what_is_there_and_right_is_not_fetched_again(thing, publisher, tmp_path):
    pull("thing", tmp_path)
    pull("thing", tmp_path)
    assert len(publisher.ranges) == 1


def test_what_is_there_and_wrong_is_replaced(thing, tmp_path):
    (tmp_path / "thing.onnx").write_bytes(b"another version")
    assert pull("thing", tmp_path).read_bytes() == CONTENT


def test_a_wrong_hash_keeps_nothing_and_says_both(thing, publisher, tmp_path):
    publisher.content = CONTENT[:-1] + b"x"
    with pytest.raises(DownloadError) as caught:
        pull("thing", tmp_path)
    assert thing.sha256 in str(caught.value)
    assert hashlib.sha256(publisher.content).hexdigest() in str(caught.value)
    assert names(tmp_path) == []


def test_a_wrong_hash_leaves_the_old_file(thing, publisher, tmp_path):
    (tmp_path / "thing.onnx").write_bytes(b"another version")
    publisher.content = CONTENT[::-1]
    with pytest.raises(DownloadError, match="expected sha256"):
        pull("thing", tmp_path)
    assert (tmp_path / "thing.onnx").read_bytes() == b"another version"
    assert names(tmp_path) == ["thing.onnx"]


def test_an_interrupted_download_is_resumed(thing, publisher, tmp_path):
    publisher.behaviour = "breaks off"
    with pytest.raises(DownloadError, match=r"broke off.*resumes it"):
        pull("thing", tmp_path)
    assert names(tmp_path) == ["thing.onnx.part"]
    assert (tmp_path / "thing.onnx.part").stat().st_size == 150_000
    publisher.behaviour = "resumes"
    told = []
    path = pull("thing", tmp_path, on_progress=lambda done, total: told.append((done, total)))
    assert publisher.ranges == [None, "bytes=150000-"]
    assert path.read_bytes() == CONTENT
    assert told[0][0] > 150_000
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert names(tmp_path) == ["thing.onnx"]


def test_a_server_that_cannot_resume_starts_over(thing, publisher, tmp_path):
    (tmp_path / "thing.onnx.part").write_bytes(CONTENT[:100_000])
    publisher.behaviour = "sends everything"
    assert pull("thing", tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == ["bytes=100000-"]


def test_a_whole_part_is_used_without_asking(thing, publisher, tmp_path):
    (tmp_path / "thing.onnx.part").write_bytes(CONTENT)
    assert pull("thing", tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == []


def test_a_part_of_something_else_is_found_out_and_not_kept(thing, tmp_path):
    (tmp_path / "thing.onnx.part").write_bytes(b"x" * 1000)
    with pytest.raises(DownloadError, match="expected sha256"):
        pull("thing", tmp_path)
    assert names(tmp_path) == []
    assert pull("thing", tmp_path).read_bytes() == CONTENT


def test_a_part_that_is_too_long_starts_over(thing, publisher, tmp_path):
    (tmp_path / "thing.onnx.part").write_bytes(b"x" * len(CONTENT))
    assert pull("thing", tmp_path).read_bytes() == CONTENT
    assert publisher.ranges == [None]


@pytest.mark.parametrize("behaviour", ["sends everything", "endless"])
def test_too_much_is_cut_off(thing, publisher, tmp_path, behaviour):
    publisher.content = CONTENT + b"more"
    publisher.behaviour = behaviour
    with pytest.raises(DownloadError, match="sends more than the 307,200 bytes"):
        pull("thing", tmp_path)
    assert names(tmp_path) == []


def test_not_found_is_said_with_the_address(thing, publisher, tmp_path):
    publisher.behaviour = "missing"
    with pytest.raises(DownloadError, match=f"{re.escape(publisher.url)} answered 404"):
        pull("thing", tmp_path)
    assert names(tmp_path) == []


def test_a_refused_connection(thing, tmp_path):
    with pytest.raises(DownloadError, match=r"cannot be reached: .*refused"):
        pull("thing", tmp_path, url="http://127.0.0.1:1/file")


def test_a_silent_server(thing, tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(download, "TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match="timed out"):
            pull("thing", tmp_path, url=address)


def test_a_mirror(thing, publisher, tmp_path, monkeypatch):
    monkeypatch.setitem(
        DOWNLOADS, "thing", Download("thing", "https://example.org", thing.sha256, thing.size, "t.onnx", "", "")
    )
    assert pull("thing", tmp_path, url=publisher.url).read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["http://example.org/x", "file:///etc/passwd", "ftp://example.org/x", "x"])
def test_only_https_is_fetched(thing, tmp_path, url):
    with pytest.raises(UsageError, match="not an https address"):
        pull("thing", tmp_path, url=url)
    assert names(tmp_path) == []


def test_a_redirect_cannot_lead_off_https(thing, publisher, tmp_path):
    publisher.behaviour = "redirect to http"
    with pytest.raises(UsageError, match=r"http://example\.org/file is not an https address"):
        pull("thing", tmp_path)


def test_a_directory_that_cannot_be_made(thing, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be kept in"):
        pull("thing", tmp_path / "file" / "models")


def test_an_unknown_name_lists_the_known(tmp_path):
    with pytest.raises(UsageError, match="'haar' can be pulled; known: yunet"):
        pull("haar", tmp_path)


def test_where_models_live(thing, tmp_path, monkeypatch):
    monkeypatch.setenv("MESOSCOPE_HOME", str(tmp_path))
    assert user_model_directory() == tmp_path / "models"
    assert pull("thing") == tmp_path / "models" / "thing.onnx"
    monkeypatch.delenv("MESOSCOPE_HOME")
    assert user_model_directory().name == "models"
    assert "mesoscope" in user_model_directory().parts


def test_what_can_be_pulled_is_pinned():
    for name, entry in DOWNLOADS.items():
        assert entry.name == name
        assert entry.url.startswith("https://")
        assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
        assert entry.size > 0
        assert entry.licence
        assert entry.publisher
        assert "/" not in entry.filename
