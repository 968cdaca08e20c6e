"""Every error the product raises on purpose, as one tree.

* MesoscopeError
  * UsageError            the caller asked for something that cannot be (exit code 2)
    * ManifestError       a manifest is missing, damaged, or breaks its schema (names row and column)
  * MediaError            a file cannot be read as a picture or a video
    * MediaTooLarge       over the limits on bytes or pixels
  * BundleError           a bundle is missing, damaged, unsafe or of another schema
    * BundleNotFound
    * BundleIntegrityError
  * NotCalibrated         a false-positive budget was asked of a bundle that has none
  * EngineError           an inference session cannot be opened or run
  * DownloadError         a download failed or has the wrong hash
  * ExtraMissing          a command needs an extra that is not installed

Every message is a sentence a person understands; where there is something to do about it, it says so.
"""

from __future__ import annotations


class MesoscopeError(Exception):
    """Base of all errors raised on purpose; its text is fit to be shown to a user."""


class UsageError(MesoscopeError):
    """The request itself is wrong: unknown name, contradicting options, nothing to do."""


class ManifestError(UsageError):
    """A manifest is missing, unreadable, or breaks its schema; the message names the row and the column."""


class MediaError(MesoscopeError):
    """A file cannot be read as a picture or a video."""


class MediaTooLarge(MediaError):
    """A file is over the limits on bytes or pixels (see `mesoscope.media.MediaLimits`)."""


class BundleError(MesoscopeError):
    """A bundle is damaged, incomplete, unsafe, or of a schema this version cannot read."""


class BundleNotFound(BundleError):
    """No bundle of that name, and no directory at that path."""


class BundleIntegrityError(BundleError):
    """A file of a bundle does not have the sha256 that bundle.json states."""


class NotCalibrated(UsageError):
    """A false-positive budget was asked of a bundle that has no threshold for it."""


class EngineError(MesoscopeError):
    """An inference session cannot be opened, or its outputs break the contract."""


class DownloadError(MesoscopeError):
    """A download failed, or what came back does not have the pinned sha256."""


class ExtraMissing(UsageError):
    """A command needs an optional part of the installation."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the '{extra}' extra: pip install 'mesoscope[{extra}]'")
        self.extra = extra
