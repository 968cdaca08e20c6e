"""What a file is by its first bytes. File names are not asked: they are often wrong, and sometimes on purpose."""

from __future__ import annotations

import re

HEAD = 64
"""How many first bytes `picture_format` and its siblings want to see."""

_PREFIXES: dict[bytes, str] = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",  # BigTIFF
    b"MM\x00+": "TIFF",
    b"qoif": "QOI",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
_PNM = re.compile(rb"P[1-6fF]\s*(#|\s\d|\d)")

_UNREADABLE: dict[bytes, str] = {
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"8BPS": "a Photoshop document",
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"<svg": "an SVG drawing",
    b"PK\x03\x04": "a ZIP archive or an office document",
}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"}
_VIDEO_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}


def picture_format(head: bytes) -> str | None:
    """Pillow's name of the picture format, or None. Formats beyond these are never handed to a decoder."""
    for prefix, name in _PREFIXES.items():
        if head.startswith(prefix):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if _brands(head) & {b"avif", b"avis"}:
        return "AVIF"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return "PPM" if _PNM.match(head) else None


def unreadable_name(head: bytes) -> str | None:
    """A name for what is recognised but not read here, or None.

    HEIC must be caught before FFmpeg sees it: that would take one tile of the picture for a video.
    """
    for prefix, name in _UNREADABLE.items():
        if head.startswith(prefix):
            return name
    if _brands(head) & _HEIF_BRANDS and not picture_format(head):
        return "a HEIC/HEIF picture"
    if head[:4] in (b"II*\x00", b"MM\x00*") and head[8:10] == b"CR":
        return "a camera raw picture"
    return None


def png_size(head: bytes) -> tuple[int, int] | None:
    """Width and height from a PNG's first bytes, or None for another format.

    Pillow would first read on to the pixels, and name a bomb without any merely incomplete.
    """
    if not head.startswith(b"\x89PNG") or head[12:16] != b"IHDR" or len(head) < 24:
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def video_name(head: bytes) -> str | None:
    """A name for the container if the first bytes look like a video's, or None (which proves nothing)."""
    if head[4:8] in _VIDEO_BOXES:
        return "MP4 or MOV"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "Matroska or WebM"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    return "FLV" if head.startswith(b"FLV\x01") else None


def _brands(head: bytes) -> set[bytes]:
    """Brands of an ISO media file: the major one and those it says it is compatible with."""
    if head[4:8] != b"ftyp":
        return set()
    box = head[8 : min(len(head), int.from_bytes(head[:4], "big"))]
    return {box[:4]} | {box[i : i + 4] for i in range(8, len(box) - 3, 4)}
