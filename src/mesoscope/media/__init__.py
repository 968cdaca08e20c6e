"""The only decoder of pixels: files, folders and bytes in, upright RGB uint8 (H, W, 3) out.

`find_inputs` turns what was typed into inputs, `open_media` (or `open_picture`, `open_video`) decodes one, and
`sha256` names its bytes. Whatever cannot be read is a `MediaError` with a sentence; whatever is too large, a
`MediaTooLarge`. FFmpeg is loaded when the first file comes that is no picture.
"""

from __future__ import annotations

from mesoscope.media.inputs import MEDIA_SUFFIXES, PICTURE_SUFFIXES, STDIN, VIDEO_SUFFIXES, Input, find_inputs
from mesoscope.media.limits import DEFAULT_LIMITS, MediaLimits
from mesoscope.media.picture import Picture, open_picture
from mesoscope.media.sniff import open_media, sniff
from mesoscope.media.source import Source, sha256
from mesoscope.media.video import Frame, Video, open_video

__all__ = [
    "DEFAULT_LIMITS",
    "MEDIA_SUFFIXES",
    "PICTURE_SUFFIXES",
    "STDIN",
    "VIDEO_SUFFIXES",
    "Frame",
    "Input",
    "MediaLimits",
    "Picture",
    "Source",
    "Video",
    "find_inputs",
    "open_media",
    "open_picture",
    "open_video",
    "sha256",
    "sniff",
]
