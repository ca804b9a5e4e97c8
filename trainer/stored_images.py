"""Pictures of training faces that are read when they are asked for: there may be more than the memory holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.core.errors import PackError

COPIED_AT_ONCE = 256  # pictures


@dataclass(frozen=True)
class ImageFile:
    """Pictures `[count, 3, size, size]` uint8 that lie one after the other in a file, from the byte `start` on.

    The file is the one whose time of change was `changed`, in nanoseconds: another one in its place, such as that of a
    new start of `understudy data pack`, may hold the pictures in another order than their labels.

    They are read, not mapped into memory: a file that is cut off or out of reach gives an error, where a mapped one
    would end the process, and what is read counts as nobody's memory.
    """

    path: Path
    start: int
    count: int
    size: int
    changed: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the pictures with the numbers `rows` `[B]`.

        Raises:
            PackError: the file cannot be read any more, or is another one now.
        """
        images = torch.empty(len(rows), 3, self.size, self.size, dtype=torch.uint8)
        try:
            with self.path.open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_mtime_ns != self.changed:
                    raise OSError("it is not the file that it was")
                for row, image in zip(rows.tolist(), images.numpy(), strict=True):
                    file.seek(self.start + row * image.nbytes)
                    if file.readinto(image) != image.nbytes:
                        raise OSError("it is shorter than it was")
        except OSError as error:
            raise PackError(
                f"The crop cache {self.path} cannot be read any more ({error.strerror or error})",
                "it was removed or changed while it was in use, or its drive does not answer",
                "write it again with “understudy data pack” if need be, and start the same command again: it goes on",
            ) from error
        return images


class StoredImages:
    """Pictures `[N, 3, C, C]` uint8 RGB in several places, in any order, each of which is kept once.

    Args:
        parts: files, or tensors in memory.
        order: `[N]`, which pictures these are, counted through all parts; None for all.

    Attributes:
        parts, order: as above.
    """

    device = torch.device("cpu")

    def __init__(self, parts: Sequence[ImageFile | torch.Tensor], order: torch.Tensor | None = None) -> None:
        self.parts = parts
        self._ends = torch.tensor([len(part) for part in parts]).cumsum(0)
        self.order = torch.arange(int(self._ends[-1])) if order is None else order
        self._size = parts[0].size if isinstance(parts[0], ImageFile) else parts[0].shape[-1]

    def __len__(self) -> int:
        return len(self.order)

    @property
    def shape(self) -> tuple[int, ...]:
        """As of a tensor."""
        return len(self), 3, self._size, self._size

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return len(self) * 3 * self._size**2

    def __getitem__(self, rows: torch.Tensor | slice) -> torch.Tensor:
        """Return the pictures with the numbers `rows` `[B]`.

        Raises:
            PackError: a file cannot be read any more.
        """
        chosen = self.order[rows]
        places = torch.bucketize(chosen, self._ends, right=True)
        images = torch.empty(len(chosen), *self.shape[1:], dtype=torch.uint8)
        for place in places.unique().tolist():
            here, part = places == place, self.parts[place]
            images[here] = part[chosen[here] - (self._ends[place] - len(part))]
        return images

    def subset(self, rows: torch.Tensor) -> StoredImages:
        """Return the pictures with these numbers, in this order, without reading them."""
        return StoredImages(self.parts, self.order[rows])

    def to(self, device: torch.device) -> StoredImages | torch.Tensor:
        """Return the same pictures in the memory of a GPU; on a CPU they stay where they are."""
        if device.type == "cpu":
            return self
        images = torch.empty(self.shape, dtype=torch.uint8, device=device)
        for rows in torch.arange(len(self)).split(COPIED_AT_ONCE):
            images[rows] = self[rows].to(device)
        return images


Images = torch.Tensor | StoredImages
