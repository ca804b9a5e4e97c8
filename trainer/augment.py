"""Augmentation of whole batches on the device; a pure function of the crops and a random generator.

One affine sampling turns, scales, moves and mirrors; colour, blur, noise and a rectangle of something else follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from torch.nn import functional

from engine.core.errors import UsageError
from engine.core.records import Range, check_fields
from trainer.on_device import constant, sent
from trainer.stored_images import Images, StoredImages

# Grey value of a pixel from R, G, B (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)
# Normal numbers; the noise of a picture is an excerpt of them, because drawing new ones costs more than all the rest.
NOISE_TABLE = 1 << 22
SMALLEST_SCALE, LARGEST_SCALE = 0.1, 10.0  # of a window, see `Augmentation.scale`
Fraction = Annotated[float, Range(0, 1)]
Turn = Annotated[float, Range(0, 180)]  # degrees


@dataclass(frozen=True)
class Augmentation:
    """Ranges and shares of the random changes.

    Attributes:
        large_turn, large_turn_share: degrees of the wide range of rotation, share of faces that get it.
        small_turn: degrees for all others.
        scale: smallest and largest size of the window relative to the model's crop.
        shift: largest move of the window as a share of its side.
        colour: strength of brightness, contrast, saturation and channel gains, 0 for none.
        grey_share, blur_share, noise_share, cover_share: share of faces changed in this way.
        no_face_share: share of windows that show no whole face: a magnified scrap of it, or a place beside it, in one
            corner of which up to two fifths of the landmark box may still be seen. Their confidence is 0.

    Raises:
        UsageError: a number is out of its range.
    """

    large_turn: Turn = 35.0
    large_turn_share: Fraction = 0.5
    small_turn: Turn = 10.0
    scale: tuple[float, float] = (0.85, 1.2)
    shift: Fraction = 0.07
    colour: Fraction = 0.35
    grey_share: Fraction = 0.1
    blur_share: Fraction = 0.15
    noise_share: Fraction = 0.3
    cover_share: Fraction = 0.4
    no_face_share: Fraction = 0.04

    def __post_init__(self) -> None:
        check_fields(self)
        smallest, largest = self.scale
        if not SMALLEST_SCALE <= smallest <= largest <= LARGEST_SCALE:
            raise UsageError(
                f"Windows cannot have sizes from {smallest:g} to {largest:g}",
                f"the smallest comes first, and both lie between {SMALLEST_SCALE:g} and {LARGEST_SCALE:g}",
                "set augmentation.scale=[0.85, 1.2]",
            )


@dataclass(frozen=True)
class BatchShard:
    """The consecutive rows of every batch that process `rank`, from 0, of several takes."""

    rank: int = 0
    processes: int = 1

    @property
    def whole(self) -> bool:
        """Whether this is the whole batch."""
        return self.processes == 1

    def rows(self, batch: int) -> torch.Tensor:
        """Return the numbers of this shard's rows in a batch of `batch` rows."""
        return torch.arange(batch).tensor_split(self.processes)[self.rank]

    def rows_with_neighbours(self, batch: int, views: int) -> torch.Tensor:
        """Return the same rows, led by the `views` rows before them unless they are the whole batch.

        Augmentation covers a part of a picture by that of the face before, so a shard needs its views too.
        """
        rows = self.rows(batch)
        return rows if self.whole else torch.cat([(rows[:1] - torch.arange(views, 0, -1)) % batch, rows])


@dataclass(frozen=True)
class Batch:
    """What the loss needs of a batch.

    Attributes:
        images: `[B, 3, S, S]` float32 RGB, 0..255.
        points: `[B, K, 2]` in [0, 1] of the window; where `labelled` is 0 the values mean nothing.
        labelled: `[B, K]` float, 1 where the point has a label inside the window.
        visible, visible_weight, teachers, teacher_confidence, eyes_open: as those of `Faces`, but in [0, 1] of the
            window.
        no_face: `[B]` bool, windows that are to be taken for none, see `Augmentation.no_face_share`.
        to_crop: `[B, 2, 3]`, from the window to the stored crop, both in [-1, 1]; of a mirrored window with a negative
            determinant, and moved so that labels come to lie where those of the crop do.
        teacher_maps: of each live teacher that has heatmaps, these, `[B, K, H, W]` >= 0; NaN where it says nothing.
    """

    images: torch.Tensor
    points: torch.Tensor
    labelled: torch.Tensor
    visible: torch.Tensor
    visible_weight: torch.Tensor
    teachers: torch.Tensor
    teacher_confidence: torch.Tensor
    eyes_open: torch.Tensor
    no_face: torch.Tensor
    to_crop: torch.Tensor
    teacher_maps: tuple[torch.Tensor, ...] = ()


@dataclass(frozen=True)
class Faces:
    """Labelled crops before augmentation.

    Attributes:
        images: `[B, 3, C, C]` uint8 RGB; of all faces of a training, they may lie in files.
        points: `[B, K, 2]` in [0, 1] of the crop; NaN without a label.
        visible, visible_weight: `[B, K]`, target of the confidence and weight of that target.
        label_shift: `[B]`, how far labels lie to the right of what they mark, in crop sides (see `PackChoice`).
        teachers: `[B, T, K, 2]` in [0, 1] of the crop, what T teachers predict; NaN where they say nothing.
        teacher_confidence: `[B, T, K]` in [0, 1], the teachers' confidence.
        eyes_open: `[B]`, 1 for a face of which only that is known that its eyes are open, 0 closed; else NaN.
    """

    images: Images
    points: torch.Tensor
    visible: torch.Tensor
    visible_weight: torch.Tensor
    label_shift: torch.Tensor
    teachers: torch.Tensor
    teacher_confidence: torch.Tensor
    eyes_open: torch.Tensor

    def select(self, indices: torch.Tensor) -> Faces:
        """Return the faces with these indices, in this order, their images in memory."""
        rows = indices if isinstance(self.images, StoredImages) else sent(indices, self.images.device)
        return Faces(**{name: tensor[rows] for name, tensor in vars(self).items()})

    def subset(self, indices: torch.Tensor) -> Faces:
        """Return the same; images stay in their files."""
        images = self.images.subset(indices) if isinstance(self.images, StoredImages) else self.images[indices]
        labels = {name: tensor[indices] for name, tensor in vars(self).items() if name != "images"}
        return Faces(images, **labels)

    def to(self, device: torch.device) -> Faces:
        """Return the same faces on another device."""
        images = self.images.to(device) if isinstance(self.images, StoredImages) else sent(self.images, device)
        labels = {name: sent(tensor, device) for name, tensor in vars(self).items() if name != "images"}
        return Faces(images, **labels)


def central_window(faces: Faces, ratio: float, size: int) -> Batch:
    """Cut the upright central window of `ratio` times the crop's side, without any random change."""
    matrix = torch.zeros(len(faces.images), 2, 3, device=faces.images.device)
    matrix[:, 0, 0] = matrix[:, 1, 1] = ratio
    return _label(sample_windows(faces.images, matrix, size), faces, matrix)


def sample_windows(images: Images, matrix: torch.Tensor, size: int) -> torch.Tensor:
    """Sample `[B, 3, size, size]` float pixels; `matrix` `[B, 2, 3]` maps window to crop, both in [-1, 1]."""
    grid = functional.affine_grid(matrix, [len(images), 3, size, size], align_corners=False)
    return functional.grid_sample(images[:].float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _label(pixels: torch.Tensor, faces: Faces, matrix: torch.Tensor) -> Batch:
    """Move the labels of `faces` into the windows and mark what lies outside."""
    has_label = faces.points.isfinite().all(-1)
    moved = _move(torch.where(has_label[..., None], faces.points, 0.5), matrix)
    inside = ((moved > 0) & (moved < 1)).all(-1)
    # A labelled point outside the window cannot be seen in it, whatever the pack's flag says.
    outside = has_label & ~inside
    return Batch(
        images=pixels,
        points=moved,
        labelled=(has_label & inside).float(),
        visible=faces.visible.masked_fill(outside, 0.0),
        visible_weight=faces.visible_weight.masked_fill(outside, 1.0),
        teachers=_move(faces.teachers.flatten(1, 2), matrix).unflatten(1, faces.teachers.shape[1:3]),
        teacher_confidence=faces.teacher_confidence,
        eyes_open=faces.eyes_open,
        no_face=torch.zeros(len(pixels), dtype=torch.bool, device=pixels.device),
        to_crop=matrix,
    )


def _move(points: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Move points `[B, N, 2]` in [0, 1] of the crop into [0, 1] of the windows that `matrix` `[B, 2, 3]` reads."""
    # Windows are turned and scaled squares, so the inverse of the linear part is its transpose over the scale squared.
    scale_squared = matrix[:, :2, :2].square().sum((1, 2), keepdim=True) / 2
    centred = points * 2 - 1 - matrix[:, None, :, 2]
    return centred @ (matrix[:, :2, :2] / scale_squared) / 2 + 0.5


def mirror_points(points: torch.Tensor, order: torch.Tensor, label_shift: torch.Tensor) -> torch.Tensor:
    """Return the points `[B, ..., K, 2]` of mirrored pictures, all coordinates in [0, 1] of the crop.

    What is marked goes to the mirrored place, by the scheme's mirror permutation `order` `[K]`; its label stays as far
    to the right of it as it was (`label_shift` `[B]`, see `Faces`).
    """
    shift = label_shift.reshape(-1, *[1] * (points.ndim - 2))
    reflected = points[..., order, :]
    return torch.stack([1 - reflected[..., 0] + 2 * shift, reflected[..., 1]], -1)


class Augmenter:
    """Draws the random changes for one batch after another.

    `mirror` is the scheme's mirror permutation, `window_ratio` the side of the model's crop as a share of the stored
    crop's, `size` the side of the model's input in pixels, `views` the number of rows in a row that are of one face.
    """

    def __init__(
        self, settings: Augmentation, mirror: tuple[int, ...], window_ratio: float, size: int, views: int = 1
    ) -> None:
        self._settings = settings
        self._mirror = mirror
        self._window_ratio = window_ratio
        self._size = size
        self._views = views
        numbers = max(NOISE_TABLE, 4 * size**2)  # more than a picture has, so that excerpts differ
        self._noise = torch.randn(numbers, generator=torch.Generator().manual_seed(0))

    def __call__(self, faces: Faces, generator: torch.Generator) -> Batch:
        """Return the augmented batch; the same faces and generator state give the same batch."""
        count = len(faces.images)
        return self._augment(faces, _Draw(count, torch.arange(count), faces.images.device, generator))

    def shard(self, faces: Faces, batch: int, shard: BatchShard, generator: torch.Generator) -> Batch:
        """Return a shard's rows of the augmented batch of `batch` rows; a row changes in the same way in any shard.

        The faces are the rows `shard.rows_with_neighbours(batch, views)`; the generator's state decides the changes of
        all.
        """
        rows = shard.rows_with_neighbours(batch, self._views)
        augmented = self._augment(faces, _Draw(batch, rows, faces.images.device, generator))
        if shard.whole:
            return augmented
        return Batch(**{name: part[self._views :] for name, part in vars(augmented).items() if name != "teacher_maps"})

    def _augment(self, faces: Faces, draw: _Draw) -> Batch:
        mirrored = draw.chance(0.5)
        matrix, no_face = self._windows(draw)
        source = matrix.clone()
        source[:, 0] *= torch.where(mirrored, -1, 1)[:, None]
        pixels = sample_windows(faces.images, source, self._size)
        batch = _label(pixels, self._mirror_labels(faces, mirrored), matrix)
        pixels = self._recolour(pixels, draw)
        pixels = self._blur(pixels, draw)
        pixels, covered = self._cover(pixels, batch, draw)
        pixels = self._add_noise(pixels, draw)
        hidden = covered | no_face[:, None]
        source[:, 0, 2] += torch.where(mirrored, 4 * faces.label_shift, 0)
        return replace(
            batch,
            images=pixels.clamp(0, 255),
            labelled=batch.labelled * (~no_face)[:, None],
            visible=batch.visible.masked_fill(hidden, 0.0),
            visible_weight=batch.visible_weight.masked_fill(hidden, 1.0),
            teachers=batch.teachers.masked_fill(no_face[:, None, None, None], math.nan),
            eyes_open=batch.eyes_open.masked_fill(no_face, math.nan),
            no_face=no_face,
            to_crop=source,
        )

    def _mirror_labels(self, faces: Faces, mirrored: torch.Tensor) -> Faces:
        order = constant(self._mirror, mirrored.device)
        changed = {
            "points": mirror_points(faces.points, order, faces.label_shift),
            "visible": faces.visible[:, order],
            "visible_weight": faces.visible_weight[:, order],
            "teachers": mirror_points(faces.teachers, order, faces.label_shift),
            "teacher_confidence": faces.teacher_confidence[..., order],
        }
        masks = {name: mirrored.reshape(-1, *[1] * (values.ndim - 1)) for name, values in changed.items()}
        return replace(
            faces, **{name: torch.where(masks[name], values, getattr(faces, name)) for name, values in changed.items()}
        )

    def _windows(self, draw: _Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the matrices `[B, 2, 3]` from window to crop and which windows `[B]` are to be taken for no face."""
        settings = self._settings
        large = draw.chance(settings.large_turn_share)
        degrees = torch.where(large, settings.large_turn, settings.small_turn) * draw.uniform(-1, 1)
        scale = self._window_ratio * draw.uniform(*settings.scale)
        shift = draw.uniform(-1, 1, 2) * (2 * settings.shift) * scale[:, None]

        no_face = draw.chance(settings.no_face_share)
        scrap = draw.chance(0.5)
        scale = torch.where(no_face & scrap, scale * draw.uniform(0.12, 0.3), scale)
        direction = functional.normalize(draw.uniform(-1, 1, 2), dim=1)
        away = direction * draw.uniform(1.4, 2.0)[:, None] * self._window_ratio
        shift = torch.where(no_face[:, None], torch.where(scrap[:, None], draw.uniform(-0.6, 0.6, 2), away), shift)

        angle = degrees * (math.pi / 180)
        cosine, sine = scale * torch.cos(angle), scale * torch.sin(angle)
        first = torch.stack([cosine, -sine, shift[:, 0]], 1)
        second = torch.stack([sine, cosine, shift[:, 1]], 1)
        return torch.stack([first, second], 1), no_face

    def _recolour(self, pixels: torch.Tensor, draw: _Draw) -> torch.Tensor:
        strength = self._settings.colour
        gain = (1 + strength * draw.uniform(-1, 1, 1)) * (1 + 0.4 * strength * draw.uniform(-1, 1, 3))
        contrast = 1 + strength * draw.uniform(-1, 1, 1)
        saturation = 1 + strength * draw.uniform(-1, 1, 1)
        saturation = torch.where(draw.chance(self._settings.grey_share)[:, None], 0.0, saturation)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        grey = (pixels * constant(LUMA, pixels.device).reshape(1, 3, 1, 1)).sum(1, keepdim=True)
        pixels = torch.lerp(grey, pixels, saturation[..., None, None])
        pixels = (pixels - mean) * contrast[..., None, None] + mean
        pixels = (pixels * gain[..., None, None]).clamp_(0, 255)
        gamma = torch.exp(2 * strength * draw.uniform(-1, 1, 1))[..., None, None]
        return (pixels / 255).pow_(gamma) * 255

    def _blur(self, pixels: torch.Tensor, draw: _Draw) -> torch.Tensor:
        """Shrink some pictures to a third or half and back, as small and compressed faces look."""
        chosen = draw.toss(self._settings.blur_share)
        small = draw.toss(0.5)
        for share, factor in ((small, 3), (~small, 2)):
            indices = sent((chosen & share).nonzero()[:, 0], pixels.device)
            if len(indices):
                shrunk = functional.interpolate(pixels[indices], size=self._size // factor, mode="area")
                pixels[indices] = functional.interpolate(shrunk, size=self._size, mode="bilinear", align_corners=False)
        return pixels

    def _cover(self, pixels: torch.Tensor, batch: Batch, draw: _Draw) -> tuple[torch.Tensor, torch.Tensor]:
        """Cover faces by a rectangle of another face's picture or one colour; also return the labels `[B, K]` it hides.

        In a batch of a single face, that other picture is its own.
        """
        chosen = draw.chance(self._settings.cover_share)
        size, centre = draw.uniform(0.1, 0.45, 2), draw.uniform(0.05, 0.95, 2)
        low, high = centre - size / 2, centre + size / 2
        inside = ((batch.points > low[:, None]) & (batch.points < high[:, None])).all(-1)
        covered = chosen[:, None] & inside & (batch.labelled > 0)  # nobody knows where points without a label are

        place = (torch.arange(self._size, device=pixels.device) + 0.5) / self._size
        columns = (place > low[:, :1]) & (place < high[:, :1])
        rows = (place > low[:, 1:]) & (place < high[:, 1:])
        mask = (chosen[:, None, None] & rows[:, :, None] & columns[:, None, :])[:, None]
        flat = draw.uniform(0, 255, 3)[..., None, None].expand_as(pixels)
        filling = torch.where(draw.chance(0.5)[:, None, None, None], flat, pixels.roll(self._views, 0).flip(2))
        return torch.where(mask, filling, pixels), covered

    def _add_noise(self, pixels: torch.Tensor, draw: _Draw) -> torch.Tensor:
        chosen = draw.chance(self._settings.noise_share)
        deviation = torch.where(chosen, draw.uniform(2, 14), 0.0)
        self._noise = self._noise.to(pixels.device)
        excerpts = self._noise.unfold(0, pixels[0].numel(), 1)
        return pixels + excerpts[draw.below(len(excerpts))].view_as(pixels) * deviation[:, None, None, None]


class _Draw:
    """Random numbers for some rows of a batch. They are drawn on the CPU, so a run repeats on any device.

    They are drawn for the whole batch, so a row's do not depend on which process takes it. Each method returns one
    number, of `shape` if it is given, for each of the rows.
    """

    def __init__(self, count: int, rows: torch.Tensor, device: torch.device, generator: torch.Generator) -> None:
        self._count, self._rows, self._device, self._generator = count, rows, device, generator

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return sent(low + (high - low) * self._numbers(*shape), self._device)

    def chance(self, share: float) -> torch.Tensor:
        return sent(self.toss(share), self._device)

    def toss(self, share: float) -> torch.Tensor:
        """As `chance`, but on the CPU, where it can be looked at without waiting for a GPU."""
        return self._numbers() < share

    def below(self, limit: int) -> torch.Tensor:
        numbers = torch.randint(limit, (self._count,), generator=self._generator)
        return sent(numbers[self._rows], self._device)

    def _numbers(self, *shape: int) -> torch.Tensor:
        return torch.rand((self._count, *shape), generator=self._generator)[self._rows]
