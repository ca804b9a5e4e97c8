"""What the live view says of a model beside its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from engine.inference.card import Card
from engine.inference.library import ModelEntry

MEGABYTE = 1e6  # bytes


@dataclass(frozen=True)
class ModelFacts:
    """What is told of a model.

    Attributes:
        name: as results carry it.
        role: `student` or `teacher`.
        points: how many landmarks it finds.
        megabytes: size of its file.
    """

    name: str
    role: str
    points: int
    megabytes: float

    @staticmethod
    def of(card: Card) -> ModelFacts:
        """Return what a card says."""
        return ModelFacts(card.name, card.role, card.scheme, card.bytes / MEGABYTE)

    @property
    def role_words(self) -> str:
        """The role as people read it."""
        if self.role == "teacher":
            return QCoreApplication.translate("ModelFacts", "Teacher")
        return QCoreApplication.translate("ModelFacts", "Student")

    @property
    def points_words(self) -> str:
        """The number of landmarks with its unit."""
        return QCoreApplication.translate("ModelFacts", "{0} points").format(self.points)

    @property
    def size_words(self) -> str:
        """The size of the file with its unit."""
        return QCoreApplication.translate("ModelFacts", "{0:.1f} MB").format(self.megabytes)


def facts_of(entries: Iterable[ModelEntry]) -> dict[str, ModelFacts]:
    """Return what is known of the models that can be read, by name."""
    return {entry.card.name: ModelFacts.of(entry.card) for entry in entries if entry.card is not None}
