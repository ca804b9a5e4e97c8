"""What can be played of the clipboard: a picture, or a file that was copied."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from engine.core.errors import SourceError


class PastedPictures:
    """Keeps pictures that were pasted as long as the program runs.

    Args:
        name: what a pasted picture is called as a source.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: TemporaryDirectory[str] | None = None
        self._count = 0

    def keep(self, image: QImage) -> str:
        """Save a picture and return it as `open_source` takes it; may take a moment.

        Raises:
            SourceError: it cannot be saved.
        """
        try:
            if self._folder is None:
                self._folder = TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True)
            self._count += 1
            # A folder of one picture: its name is what the source is called.
            folder = Path(self._folder.name, str(self._count), self._name)
            folder.mkdir(parents=True)
        except OSError as error:
            raise _unsaved(str(error.strerror)) from error
        if not image.save(str(folder / "1.png")):
            raise _unsaved("the picture could not be written")
        return str(folder)

    def owns(self, source: str | None) -> bool:
        """Tell whether a source is a pasted picture, which is gone when the program ends."""
        return source is not None and self._folder is not None and source.startswith(self._folder.name)


def copied_file(clipboard: QMimeData) -> str | None:
    """Return the first file that was copied, as such, as a link or as the text of its path; None if there is none."""
    urls = list(clipboard.urls())
    lines = clipboard.text().strip().splitlines()
    if lines:
        text = lines[0].strip().strip("\"'")
        urls.append(QUrl(text) if text.startswith("file:") else QUrl.fromLocalFile(text))
    paths = [path for path in map(QUrl.toLocalFile, urls) if path and Path(path).is_absolute()]
    return next(filter(_exists, paths), None)


def copied_picture(clipboard: QMimeData) -> QImage | None:
    """Return the picture that was copied; None if there is none."""
    image = clipboard.imageData() if clipboard.hasImage() else None
    return image if isinstance(image, QImage) and not image.isNull() else None


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # names that no file can have
        return False


def _unsaved(why: str) -> SourceError:
    return SourceError(
        f"The pasted picture could not be kept ({why})",
        "the folder for temporary files is full or locked",
        "free some space, or save the picture as a file and open that",
    )
