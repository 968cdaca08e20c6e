"""Opening a video file: which containers, which stream, and nothing but the file itself."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from mesoscope.errors import MediaError
from mesoscope.media.picture import NOT_MEDIA
from mesoscope.media.signature import HEAD, unreadable_name, video_name
from mesoscope.media.source import Source, head_of, opened

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_OPTIONS = {
    "format_whitelist": "mov,matroska,avi,mpeg,mpegts,flv,asf,ogg,mxf,ivf",
    "protocol_whitelist": "fd",
}


def open_container(source: Source) -> InputContainer:
    """Open a video's container; the caller closes it.

    Raises:
        MediaError: it is none of the containers on the list, or too damaged.
    """
    from av.error import FFmpegError  # noqa: PLC0415 - keeps FFmpeg out of runs that see pictures only

    head = head_of(source, HEAD)
    if unreadable := unreadable_name(head):
        raise MediaError(f"The file is {unreadable}, which cannot be read; convert it to JPEG or PNG.")
    try:
        try:
            return _open(source)
        except UnicodeDecodeError:  # a title in Latin-1; newer versions of PyAV do without this
            return _open(source, metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        if name := video_name(head):
            message = f"The {name} video is damaged or incomplete: its table of contents cannot be read."
            raise MediaError(message) from error
        raise MediaError(NOT_MEDIA) from error


def _open(source: Source, metadata_errors: str | None = None) -> InputContainer:
    """FFmpeg gets a descriptor or bytes, never a name: it would judge by the suffix and read addresses into it."""
    import av  # noqa: PLC0415

    more: dict[str, Any] = {} if metadata_errors is None else {"metadata_errors": metadata_errors}
    container: InputContainer
    if isinstance(source, bytes):
        container = av.open(io.BytesIO(source), mode="r", options=dict(_OPTIONS), **more)
    else:
        with opened(source) as file:  # FFmpeg duplicates the descriptor
            container = av.open("fd:", mode="r", options={**_OPTIONS, "fd": str(file.fileno())}, **more)
    return container


def video_stream(container: InputContainer) -> VideoStream:
    """The stream to judge: FFmpeg's choice among those that are no album covers or thumbnails.

    Raises:
        MediaError: there is none, or its codec is not known.
    """
    from av.stream import Disposition  # noqa: PLC0415

    stills = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails  # album covers
    streams = [stream for stream in container.streams.video if not stream.disposition & stills]
    if not streams:
        raise MediaError("The file has no video stream (sound only?).")
    best = container.streams.best("video")
    stream = next((stream for stream in streams if best is not None and stream.index == best.index), streams[0])
    if stream.codec_context is None:
        raise MediaError(unknown_codec(stream))
    return stream


def unknown_codec(stream: VideoStream) -> str:
    """The sentence for a codec that FFmpeg was not built with."""
    tag = "" if stream.codec_context is None else stream.codec_context.codec_tag.strip("\0")
    return f"The video uses a codec that cannot be decoded here{f' ({tag})' if tag.isprintable() and tag else ''}."
