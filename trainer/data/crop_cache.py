"""Faces cut out of a pack, kept in files, so that no training waits for pictures to be decoded.

Those of most packs are in one file. Those of a large one are in parts, which a list beside them names; their names
contain a digest of what they hold. A training reads the pictures when it needs them.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from engine.core.errors import PackError, RecordingError
from engine.core.files import open_regular, replaced
from engine.core.texts import parse_json, read_json, reason
from trainer.checkpoint import CHANGED, LARGEST
from trainer.recipes.schema import PackChoice
from trainer.stored_images import ImageFile
from trainer.tensor_files import save_tensors

FORMAT = "understudy-crops-1"
LIST = ".json"  # ending of the list of a large pack's parts
IMAGES = "images"
USUAL_SIZE = 192  # pixels a side of crops whose files do not name them
AGAIN = "write it again with “understudy data pack”"


@dataclass(frozen=True)
class CutFaces:
    """Faces of a pack, or of a part of it, before anything of a recipe is said about them.

    Attributes:
        images: `[N, 3, C, C]` uint8 RGB.
        points: `[N, K, 2]` float32 in [0, 1] of the crop; NaN without a label.
        visible, visible_weight: `[N, K]` float32, which points can be seen, 1 or 0, and how sure that is.
        sides: `[N]` float64, sides of the crops in pixels of the stored pictures.
        names: see `CropSet`.
        digest: hash of the labels, of which faces are left out, and of the files' names and sizes, of the whole pack or
            of one of its parts.
        eyes_open: see `Faces`; None for a pack of landmarks.
    """

    images: torch.Tensor | ImageFile
    points: torch.Tensor
    visible: torch.Tensor
    visible_weight: torch.Tensor
    sides: torch.Tensor
    names: tuple[str, ...]
    digest: str
    eyes_open: torch.Tensor | None = None


def cache_path(data: Path, choice: PackChoice, size: int = USUAL_SIZE) -> Path:
    """Return the file below `data` that keeps the faces of a choice as crops of `size` pixels, whatever its weights."""
    return data / f"{_stem(choice)}{'' if size == USUAL_SIZE else f'.{size}'}.safetensors"


def cached_sizes(data: Path, choice: PackChoice) -> list[int]:
    """Return the pixels a side of the crops of a choice that lie below `data`, by the names of their files."""
    form = re.compile(rf"{re.escape(_stem(choice))}(?:\.(\d+))?(?:\.safetensors|\{LIST})")
    found = (form.fullmatch(path.name) for path in data.glob(f"{glob.escape(_stem(choice))}.*"))
    return sorted({int(match[1] or USUAL_SIZE) for match in found if match})


def part_path(path: Path, digest: str, start: int, count: int) -> Path:
    """Return the file beside `path` for some faces of a large pack, from one on; the digest is that of `CutFaces`."""
    content = hashlib.sha256(f"{digest} {start} {count}".encode()).hexdigest()[:16]
    return path.with_suffix(f".part-{content}.safetensors")


def whole_digest(digests: Iterable[str]) -> str:
    """Return the digest of a pack of parts with these digests, each of which may come several times in a row."""
    different = list(dict.fromkeys(digests))
    return different[0] if len(different) == 1 else hashlib.sha256("".join(different).encode()).hexdigest()


def write_list(path: Path, parts: Sequence[Path]) -> None:
    """Let the faces of a large pack, whose file would be `path`, be those in parts beside it, and no others.

    Raises:
        RecordingError: the list cannot be written.
    """
    with _failure_named(path), replaced(path.with_suffix(LIST)) as temporary:
        temporary.write_text(json.dumps([part.name for part in parts], indent=1), encoding="utf-8")
    for other in {path, *path.parent.glob(f"{glob.escape(path.stem)}.part-*.safetensors")} - set(parts):
        other.unlink(missing_ok=True)


def _stem(choice: PackChoice) -> str:
    return f"{choice.name}.{choice.split or 'whole'}.{choice.labels}"


def write_cache(path: Path, choice: PackChoice, cut: CutFaces, crop_scale: float) -> None:
    """Write faces; the file appears whole or not at all.

    Raises:
        RecordingError: it cannot be written.
    """
    tensors = {name: value.contiguous() for name, value in vars(cut).items() if isinstance(value, torch.Tensor)}
    identity = _identity(choice, crop_scale, tensors["images"].shape[-1])
    metadata = {**identity, "names": json.dumps(cut.names), "digest": cut.digest}
    with _failure_named(path), replaced(path) as temporary:
        save_tensors(tensors, temporary, metadata)


@contextmanager
def _failure_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise RecordingError(
            f"The crop cache {path} cannot be written ({reason(error)})",
            "the folder forbids writing or the disk is full",
            "make room, or choose another place with --out; what is finished stays",
        ) from error


def read_cache(data: Path, choice: PackChoice, crop_scale: float, crop_size: int) -> list[CutFaces]:
    """Read the faces that lie below `data`, one part of them after the other, without their pictures; none without any.

    Raises:
        PackError: a file is damaged, or holds other faces or other crops than asked for.
    """
    return [read_part(path, choice, crop_scale, crop_size) for path in cache_files(data, choice, crop_size)]


def cache_files(data: Path, choice: PackChoice, crop_size: int) -> list[Path]:
    """Return the files below `data` that keep the faces of a choice, those of a large pack in their order; or none.

    Raises:
        PackError: the list of a large pack's parts is damaged.
    """
    path = cache_path(data, choice, crop_size)
    listed = path.with_suffix(LIST)
    if not listed.is_file():
        return [path] if path.is_file() else []
    try:
        names = read_json(listed)
        if not isinstance(names, list) or not names or not all(Path(str(name)).name == name for name in names):
            raise ValueError("it lists no names of files")
    except (OSError, ValueError) as error:
        raise PackError(
            f"The list {listed} of a crop cache cannot be read ({reason(error)})", "it was cut off or damaged", AGAIN
        ) from error
    return [data / name for name in names]


def read_part(path: Path, choice: PackChoice, crop_scale: float, crop_size: int) -> CutFaces:
    """Read the faces in a file, without their pictures.

    Raises:
        PackError: the file is damaged, or holds other faces or other crops than asked for.
    """
    try:
        with open_regular(path, LARGEST) as stream, safe_open(path, framework="pt") as file:
            found = file.metadata() or {}
            tensors = {name: file.get_tensor(name).clone() for name in file.keys() if name != IMAGES}  # noqa: SIM118
            stored = file.get_slice(IMAGES)
            shape, kind = stored.get_shape(), stored.get_dtype()
            # The file begins with the length of its header, which says where after it a tensor lies.
            length = int.from_bytes(stream.read(8), "little")
            start = 8 + length + json.loads(stream.read(length))[IMAGES]["data_offsets"][0]
            changed = os.fstat(stream.fileno()).st_mtime_ns
    except (OSError, SafetensorError, ValueError, MemoryError) as error:
        raise PackError(
            f"The crop cache {path} cannot be read ({reason(error)})", "it was cut off or damaged", AGAIN
        ) from error
    wanted = _identity(choice, crop_scale, crop_size)
    wrong = [
        f"{name} {found.get(name)} instead of {value}" for name, value in wanted.items() if found.get(name) != value
    ]
    if wrong:
        raise PackError(
            f"The crop cache {path} does not fit ({', '.join(wrong)})",
            "it was written by another version of this program, or renamed",
            AGAIN,
        )
    try:
        names = tuple(parse_json(found["names"]))
        if kind != "U8" or shape != [len(names), 3, crop_size, crop_size]:
            raise ValueError(f"its pictures are {kind} of the shape {shape}")
        others = [name for name in names if not name.startswith(f"{Path(choice.name).name}/")]
        if others:
            raise PackError(
                f"The crop cache {path} calls a face {others[0]}, not by the name of its pack",
                "a former version named the faces of a link after the folder that the link leads to, so that faces "
                "for validation were learned from",
                AGAIN,
            )
        images = ImageFile(path, start, len(names), crop_size, changed)
        return CutFaces(images, **tensors, names=names, digest=found["digest"])
    except CHANGED as error:
        raise PackError(
            f"The crop cache {path} is damaged ({reason(error)})", "it was changed after it was written", AGAIN
        ) from error


def _identity(choice: PackChoice, crop_scale: float, crop_size: int) -> dict[str, str]:
    """Return what a file must agree in with what is asked for."""
    return {
        "format": FORMAT,
        "crop_scale": str(crop_scale),
        "crop_size": str(crop_size),
        "pack": choice.name,
        "split": choice.split or "",
        "labels": choice.labels,
    }
