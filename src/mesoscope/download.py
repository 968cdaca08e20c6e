"""Fetching what is not part of the package, from its publisher, checked against a pinned sha256.

Nothing is fetched unless a user asks for it by name (`mesoscope bundle pull NAME`). A file is visible under
its name only when it is whole and right: bytes go to ``NAME.part`` beside it, the hash is checked, and the
file is renamed. An interrupted download is resumed where the server allows it.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import platformdirs

from mesoscope.errors import DownloadError, UsageError

TIMEOUT_S = 30.0
"""Seconds without a byte after which a server is given up."""
CHUNK = 1 << 16
Progress = Callable[[int, int | None], None]
"""Called with (bytes done, bytes in all or None where the server does not say)."""


@dataclass(frozen=True, slots=True)
class Download:
    """Something that can be fetched.

    Attributes:
        name: what users call it.
        url: at its publisher, of exactly these bytes.
        sha256: of the file, in hexadecimal.
        size: of the file in bytes; a server that sends more is cut off.
        filename: under which it is kept.
        licence: of the file, as an SPDX identifier.
        publisher: who publishes it, for people.
    """

    name: str
    url: str
    sha256: str
    size: int
    filename: str
    licence: str
    publisher: str


DOWNLOADS: dict[str, Download] = {
    "yunet": Download(
        name="yunet",
        url=(
            "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/"
            "dca340aa082c71081a68d17db8e58b33a58a914b/onnx/yunet_n_dynamic.onnx"
        ),
        sha256="104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12",
        size=322_906,
        filename="yunet_n_dynamic.onnx",
        licence="Apache-2.0",
        publisher="Shiqi Yu and others, github.com/ShiqiYu/libfacedetection.train",
    ),
}


def user_model_directory() -> Path:
    """Where pulled models live: ``$MESOSCOPE_HOME/models``, or the platform's data directory."""
    home = os.environ.get("MESOSCOPE_HOME")
    base = Path(home) if home else Path(platformdirs.user_data_dir("mesoscope", appauthor=False))
    return base / "models"


def find_download(name: str) -> Download:
    """An entry of `DOWNLOADS`.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in DOWNLOADS:
        raise UsageError(f"nothing called {name!r} can be pulled; known: {', '.join(sorted(DOWNLOADS))}")
    return DOWNLOADS[name]


def pull(
    name: str, directory: Path | None = None, *, url: str | None = None, on_progress: Progress | None = None
) -> Path:
    """Fetch something by name, unless it is already there and right.

    Args:
        name: in `DOWNLOADS`.
        directory: where to keep it (made where absent); None for `user_model_directory`.
        url: a mirror of the same bytes; https, or http from 127.0.0.1.
        on_progress: told after every chunk.

    Returns:
        The file, whose sha256 is the pinned one.

    Raises:
        UsageError: nothing of that name, or a URL that is not https.
        DownloadError: the server cannot be reached, refuses, sends too much or something else, or the
            directory cannot be written.
    """
    wanted = find_download(name)
    address = _checked(url or wanted.url)
    directory = user_model_directory() if directory is None else directory
    target = directory / wanted.filename
    try:
        if target.is_file() and _sha256(target) == wanted.sha256:
            return target
        directory.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        if not (part.is_file() and _sha256(part) == wanted.sha256):
            _fetch(wanted, address, part, on_progress)
        _verify(wanted, address, part)
        part.replace(target)
    except OSError as error:
        raise DownloadError(f"{name} cannot be kept in {directory}: {error.strerror or error}") from None
    return target


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1"):
        return url
    raise UsageError(f"{url} is not an https address; files are fetched over https alone")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where a download may start from."""

    def redirect_request(  # noqa: PLR0917 - as the base class has it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        return super().redirect_request(req, fp, code, msg, headers, _checked(newurl))


def _fetch(wanted: Download, url: str, part: Path, on_progress: Progress | None) -> None:
    """Write the bytes to `part`, going on where an earlier attempt stopped.

    Raises:
        DownloadError: what `part` holds stays there for the next attempt, unless it is too much.
    """
    begun = part.stat().st_size if part.is_file() else 0
    if begun >= wanted.size:  # of another version, or already found wrong
        part.unlink()
        begun = 0
    request = urllib.request.Request(url, headers={"User-Agent": "mesoscope"})  # noqa: S310 - scheme is checked
    if begun:
        request.add_header("Range", f"bytes={begun}-")
    opener = urllib.request.build_opener(
        _SafeRedirects, urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            resumed = begun > 0 and _goes_on_at(response, begun)
            with part.open("ab" if resumed else "wb") as file:
                _copy(wanted, response, file, begun if resumed else 0, on_progress)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answered {error.code} {error.reason}; {_instead(wanted)}") from None
    except urllib.error.URLError as error:
        raise DownloadError(f"{url} cannot be reached: {error.reason}; {_instead(wanted)}") from None
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise DownloadError(
            f"the download of {url} broke off ({error or type(error).__name__}); the same command resumes it"
        ) from None
    except _TooLarge:
        part.unlink(missing_ok=True)
        raise DownloadError(
            f"{url} sends more than the {wanted.size:,} bytes that {wanted.name} has; nothing was kept"
        ) from None


class _TooLarge(Exception):
    """The server sends more than the file has."""


def _goes_on_at(response: http.client.HTTPResponse, begun: int) -> bool:
    """Whether the server does what `Range` asked; many send everything instead."""
    return response.status == http.client.PARTIAL_CONTENT and response.headers.get("Content-Range", "").startswith(
        f"bytes {begun}-"
    )


def _copy(
    wanted: Download, response: http.client.HTTPResponse, file: IO[bytes], done: int, on_progress: Progress | None
) -> None:
    announced = response.headers.get("Content-Length")
    total = done + int(announced) if announced and announced.isdigit() else None
    if total is not None and total > wanted.size:
        raise _TooLarge
    while chunk := response.read(CHUNK):
        done += len(chunk)
        if done > wanted.size:
            raise _TooLarge
        file.write(chunk)
        if on_progress is not None:
            on_progress(done, total)
    if total is not None and done < total:
        raise http.client.IncompleteRead(b"", total - done)


def _verify(wanted: Download, url: str, part: Path) -> None:
    found = _sha256(part)
    if found != wanted.sha256:
        part.unlink()
        raise DownloadError(
            f"{url} is not the {wanted.name} this version knows: expected sha256 {wanted.sha256}, "
            f"found {found}; nothing was kept"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _instead(wanted: Download) -> str:
    return f"download {wanted.filename} elsewhere and name it, or try again later"
