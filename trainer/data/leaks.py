"""What the faces of training share with those held out: it makes results look better than they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.data.picture_facts import ALIKE, PictureFacts, distances

TRAIN = "train"
NO_GROUP = frozenset({"", "-1"})


@dataclass(frozen=True)
class Leaks:
    """Faces by their indices; those that belong together are neighbours.

    Attributes:
        same: faces of train and of held-out splits in the same picture.
        twice: faces whose picture is there under two names within one side.
        alike: pairs of train and held-out faces whose pictures look alike.
        groups: for each grouping the faces of groups on both sides.
    """

    same: tuple[int, ...]
    twice: tuple[int, ...]
    alike: tuple[int, ...]
    groups: Mapping[str, tuple[int, ...]]


def find_leaks(
    images: NDArray[np.str_],
    facts: Sequence[PictureFacts],
    splits: NDArray[np.str_],
    groupings: Mapping[str, NDArray[np.str_]],
) -> Leaks:
    """Find what train and held-out faces share.

    Args:
        images: `[N]` names of the pictures.
        facts: N facts of these pictures.
        splits: `[N]`, `train` or the name of a held-out split; faces with "" belong to neither.
        groupings: arrays `[N]` that say which faces belong to one person, video or picture; "" and -1 say nothing.
    """
    contents = np.array([fact.content for fact in facts])
    same, twice = [], []
    for faces in _groups(contents):
        if _leaks(splits[faces]):
            same += faces
        elif len(set(images[faces].tolist())) > 1:
            twice += faces
    groups = {
        name: tuple(index for faces in _groups(values) if _leaks(splits[faces]) for index in faces)
        for name, values in groupings.items()
    }
    return Leaks(
        tuple(same),
        tuple(twice),
        _alike(facts, splits, contents),
        {name: faces for name, faces in groups.items() if faces},
    )


def _groups(values: NDArray[np.str_]) -> Iterable[list[int]]:
    """Return the indices of equal values, for each value that occurs more than once."""
    members: dict[str, list[int]] = {}
    for index, value in enumerate(values.tolist()):
        if value not in NO_GROUP:
            members.setdefault(value, []).append(index)
    return [faces for faces in members.values() if len(faces) > 1]


def _leaks(splits: NDArray[np.str_]) -> bool:
    """Return whether both sides are among the splits of some faces."""
    found = set(splits.tolist()) - {""}
    return TRAIN in found and len(found) > 1


def _alike(facts: Sequence[PictureFacts], splits: NDArray[np.str_], contents: NDArray[np.str_]) -> tuple[int, ...]:
    """Return pairs of a train and a held-out face whose different pictures look alike, most alike first."""
    readable = np.array([fact.size is not None for fact in facts])
    train = np.flatnonzero(readable & (splits == TRAIN))
    held_out = np.flatnonzero(readable & (splits != TRAIN) & (splits != ""))
    hashes = np.array([fact.appearance for fact in facts], np.uint64)
    apart = distances(hashes[train], hashes[held_out])
    pairs = [
        (int(apart[row, column]), int(train[row]), int(held_out[column]))
        for row, column in np.argwhere(apart <= ALIKE)
        if contents[train[row]] != contents[held_out[column]]
    ]
    return tuple(index for _, *pair in sorted(pairs) for index in pair)
