"""Names of files for libraries that take UTF-8 only and read more into a name than a path."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path


class PlainName:
    """A name by which FFmpeg opens a file, or a folder, and nothing else.

    FFmpeg takes a relative name with a colon for a protocol and one with a percent sign for a series of pictures, and
    OpenCV ends the program at a name that is no UTF-8. So the name is absolute, and where that is not enough it is that
    of a temporary link, which goes with this object.

    Attributes:
        text: the name.

    Raises:
        OSError: a link is needed and cannot be made.
    """

    def __init__(self, path: Path) -> None:
        target = path.absolute()
        self.text = os.fspath(target)
        try:
            self.text.encode()
        except UnicodeEncodeError:
            plain = False
        else:
            plain = "%" not in self.text
        if not plain:
            folder = tempfile.mkdtemp(prefix="understudy-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            ending = target.suffix if target.suffix.isascii() and "%" not in target.suffix else ""
            self.text = os.path.join(folder, f"link{ending}")  # noqa: PTH118
            Path(self.text).symlink_to(target, target_is_directory=target.is_dir())
