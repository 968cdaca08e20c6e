"""Picture or video? Asked of the content, never of the name."""

from __future__ import annotations

from contextlib import closing

from mesoscope.media.container import open_container
from mesoscope.media.limits import DEFAULT_LIMITS, MediaLimits
from mesoscope.media.picture import Picture, open_picture
from mesoscope.media.signature import HEAD, picture_format
from mesoscope.media.source import Source, head_of
from mesoscope.media.video import Video, open_video
from mesoscope.types import Kind


def sniff(source: Source) -> Kind:
    """Tell pictures (animations too) by their first bytes; FFmpeg is asked about the rest.

    A file with sound only is said to be a video; `open_video` then says that it has no video stream.

    Raises:
        MediaError: missing, empty, unreadable, or neither a picture nor a video.
    """
    if picture_format(head_of(source, HEAD)) is not None:
        return "picture"
    with closing(open_container(source)):
        return "video"


def open_media(source: Source, limits: MediaLimits = DEFAULT_LIMITS) -> Picture | Video:
    """Open whatever it is.

    Raises:
        MediaTooLarge: over a limit.
        MediaError: as `open_picture` and `open_video`.
    """
    if picture_format(head_of(source, HEAD)) is not None:
        return open_picture(source, limits)
    return open_video(source, limits)
