"""What the self-test tries, each in a process of its own, see `app.cli.self_test`.

A check returns what works, in a few words, and a sentence for each thing that does not.
"""

from __future__ import annotations

import ctypes
import os
import re
import tempfile
from importlib import import_module
from pathlib import Path

from engine.core.manifest import is_library, problems, read_manifest
from engine.core.paths import ASSETS, asset_path
from engine.core.processes import is_bundled

Result = tuple[str, list[str]]

# What the program imports of others.
MODULES = (
    "ai_edge_litert.interpreter", "cv2", "cv2_enumerate_cameras", "numpy", "PIL.ImageFont", "platformdirs", "tomli_w",
    "websockets", "ssl", "PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets",
)  # fmt: skip
MISSING = re.compile(r"([^\s:/]+): cannot open shared object file")
LARGEST_NME = 10.0  # percent of the eye distance: beyond it a model has not found the face
FRAME = 30  # of the sample
FRAMES = 20  # of the recording
LARGEST_DIFFERENCE = 12.0  # grey levels between a frame and what is read back, on average: MPEG-4 is lossy
FIRST_PICTURE = 60.0  # seconds
END = 20.0


def libraries() -> Result:
    """Load every library of the bundle that is intact; elsewhere import the packages that are needed."""
    folder = ASSETS.parent
    entries = read_manifest(folder) if is_bundled() else {}
    damaged = problems(folder, entries)
    names = [name for name in entries if is_library(name) and name not in damaged and not _is_idle(name)]
    refusals = {name: reason for name in names if (reason := _refusal(folder / name))}
    wrong = _sentences(refusals)
    for name in MODULES:
        try:
            import_module(name)
        except ImportError as error:
            if not refusals:  # otherwise it is said above
                wrong.append(f"The package {name} does not load ({error.msg}).")
    return f"{len(names) + len(MODULES)} load", wrong


def _is_idle(name: str) -> bool:
    """Whether a library is for Wayland, and this is no such desktop, which would have what it needs."""
    return "wayland" in name.lower() and not os.environ.get("WAYLAND_DISPLAY")


def _refusal(file: Path) -> str:
    """Return why a library does not load, in the loader's words; "" if it does."""
    try:
        ctypes.CDLL(str(file))
    except OSError as error:
        return str(error.__cause__ or error)  # the bundle puts words of its own before the loader's
    return ""


def _sentences(refusals: dict[str, str]) -> list[str]:
    """Return a sentence for each library that the system lacks, and for each that does not load for another reason."""
    from app.cli.display import debian_package

    lacking: dict[str, list[str]] = {}
    wrong = []
    for name, reason in refusals.items():
        file, found = Path(name).name, MISSING.match(reason)
        if found is None:
            wrong.append(f"{file} does not load ({reason}).")
        else:
            lacking.setdefault(found[1], []).append(file)
    for library, users in lacking.items():
        many = f" and {len(users) - 1} others" if len(users) > 1 else ""
        wrong.append(
            f"{library} is missing, and {users[0]}{many} cannot load without it. If it belongs to the system, run "
            f"“sudo apt-get install {debian_package(library)}” on Debian and Ubuntu."
        )
    return wrong


def sample() -> Result:
    """Compute a frame of the sample."""
    from engine.sources.sample import SampleClip

    picture, truth = SampleClip().frame(FRAME)
    return f"a frame of {picture.shape[1]} x {picture.shape[0]} pixels with {len(truth.points)} points", []


def models() -> Result:
    """Run every shipped model on a frame of the sample, and compare its landmarks with ground truth."""
    from engine.core.errors import UnderstudyError
    from engine.inference.detector import make_detector
    from engine.inference.library import ModelLibrary
    from engine.inference.pipeline import Pipeline
    from engine.sources.sample import SampleSource

    library, wrong = ModelLibrary((asset_path("models"),)), []
    source = SampleSource()
    source.seek(FRAME)
    frame = source.read()
    entries = library.entries()
    if not entries:
        wrong.append("No model was found.")
    for entry in entries:
        try:
            pipeline = Pipeline(make_detector(), library.load(str(entry.path)))
            found = pipeline.process(frame)
        except UnderstudyError as error:
            wrong.append(str(error))
            continue
        if found.nme is None or not found.nme < LARGEST_NME:
            wrong.append(f"The model {entry.name} does not find the face of the sample (NME: {found.nme} %).")
    return f"{len(entries)} find the face of the sample", wrong


def filters() -> Result:
    """Load every shipped filter."""
    from engine.filters.library import SHIPPED, FilterLibrary

    entries = FilterLibrary((SHIPPED,)).entries()
    wrong = [str(entry.error) for entry in entries if entry.error is not None]
    return f"{len(entries)} load", wrong if entries else ["No filter was found."]


def recording() -> Result:
    """Record frames of the sample, and read them again."""
    import cv2
    import numpy as np

    from engine.output.video_writer import CODECS, VideoRecorder
    from engine.sources.sample import SampleClip

    clip, wrong = SampleClip(), []
    pictures = [cv2.cvtColor(clip.frame(number)[0], cv2.COLOR_RGB2BGR) for number in range(FRAMES)]
    height, width = pictures[0].shape[:2]
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        for ending in CODECS:
            path = Path(folder, f"recording{ending}")
            with VideoRecorder(path, 30.0, (width, height)) as recorder:
                for picture in pictures:
                    recorder.write(picture)
            capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG if ending == ".mp4" else cv2.CAP_ANY)
            read = [capture.read()[1] for _ in pictures]
            capture.release()
            if any(picture is None for picture in read):
                wrong.append(f"A recording as {ending} cannot be read again.")
                continue
            differences = (
                np.abs(np.subtract(*pair, dtype=np.float32)).mean() for pair in zip(pictures, read, strict=True)
            )
            if (largest := max(differences)) > LARGEST_DIFFERENCE:
                wrong.append(f"A recording as {ending} differs from its frames by {largest:.0f} grey levels.")
    return f"{FRAMES} frames written and read as {', '.join(CODECS)}", wrong


def window() -> Result:
    """Open the window on no display, let it show the sample, and close it."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from app.cli.display import require_libraries

    require_libraries()
    from app.app import try_window

    with tempfile.TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True) as folder:
        shown, gone = try_window(Path(folder, "settings.toml"), FIRST_PICTURE, END)
    wrong = [] if shown else [f"The window showed no picture of the sample within {FIRST_PICTURE:g} s."]
    return "opened, showed the sample, closed", wrong + ([] if gone else ["The window did not close."])
