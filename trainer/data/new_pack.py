"""Making a pack: a folder that appears whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.files import partial_path, remove_left_behind
from engine.core.geometry import landmark_box
from engine.core.texts import read_json
from engine.formats.packs import ANNOTATIONS


@contextmanager
def new_pack(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside `out` to put pictures and annotations into, and move it into place.

    If the body fails, nothing is left behind. Missing folders above `out` are made. Several programs may make the same
    pack at the same time: the first one that is done counts. What killed programs left beside `out` is removed.

    Raises:
        PackError: `out` exists and is not an empty folder, now or when the pack is moved there; or it has no name.
        OSError: the folder cannot be made or moved.
    """
    if not out.name:
        raise PackError(f"{out} is no name for a pack", "a pack is a folder of its own", "give --out a new name")
    _refuse_taken(out)
    remove_left_behind(out.parent)
    temporary = partial_path(out)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        _refuse_taken(out)
        if out.is_dir():
            out.rmdir()  # not every system moves a folder onto an empty one
        temporary.replace(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refuse_taken(out: Path) -> None:
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise PackError(
            f"{out} already exists",
            "it holds a pack or other files, which a new pack would replace",
            "choose another --out, or an empty folder",
        )


def write_annotations(folder: Path, arrays: Mapping[str, NDArray], meta: Mapping[str, Any]) -> None:
    """Write `annotations.npz` and `meta.json` of a pack; `OSError` if they cannot be written.

    The arrays are of equal length and without Python objects, `image` with paths below `folder` among them. What else
    is to be known is in `meta`: markup, labels, licence, origin.
    """
    np.savez_compressed(folder / ANNOTATIONS, allow_pickle=False, **arrays)
    text = json.dumps(dict(meta), indent=1, ensure_ascii=False)
    (folder / "meta.json").write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def write_relabelled(
    folder: Path, source: Path, arrays: Mapping[str, NDArray], meta: Mapping[str, Any], **made_from: str
) -> None:
    """Write a pack of the pictures of the pack `source` with other labels; `OSError` if it cannot be written.

    It gets the pictures that `arrays` names, each once, the array `bbox`, and in its `meta` what is known of `source`.
    """
    about = {"pack": source.resolve().name, **made_from, **_read_meta(source)}
    common = {"count": len(arrays["image"]), "coords": "0-based pixel centres", "made_from": about}
    write_annotations(folder, {**arrays, "bbox": boxes_of(arrays["landmarks"])}, {**meta, **common})
    for name in dict.fromkeys(arrays["image"].tolist()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def boxes_of(faces: Iterable[NDArray[np.floating]]) -> NDArray[np.float32]:
    """Return a pack's array `bbox` `[N, 4]`, x0, y0, x1, y1, of the landmarks `[K, 2]` of N faces in pixels."""
    return np.array([(box.x0, box.y0, box.x1, box.y1) for box in map(landmark_box, faces)], np.float32)


def _read_meta(folder: Path) -> dict[str, Any]:
    """Return what a pack says about itself; nothing where that cannot be read."""
    try:
        values = read_json(folder / "meta.json")
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
