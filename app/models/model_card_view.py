"""The card of one model: what it is, how accurate and how fast it is, and where it comes from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.models.benchmarking import Measurement
from app.models.facts import (
    accuracy_headings,
    accuracy_legend,
    accuracy_rows,
    network_rows,
    origin_rows,
    protocols,
    role_of,
)
from app.theme.theme import GAP, MARGIN
from app.widgets.page_parts import (
    TEXT_WIDTH,
    Chip,
    Facts,
    Table,
    make_heading,
    make_title,
    make_words,
    side_by_side,
    stack,
)
from engine.core.errors import sentence
from engine.inference.card import Card
from engine.inference.library import ModelEntry

WORD_COLUMNS = 2  # of the table of results: data and split


class ModelCardView(QWidget):
    """Shows one model, usable or broken."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.role = make_title(), Chip()
        self.problem = make_words()
        self.speed = make_words()
        self.no_accuracy = make_words(self.tr("Not measured: the card of this model carries no results."), quiet=True)
        self.accuracy = Table(accuracy_headings(), WORD_COLUMNS)
        self.legend, self.protocol = make_words(accuracy_legend(), quiet=True), make_words(quiet=True)
        self.network, self.origin, self.file = Facts(), Facts(), Facts()
        self._groups = (
            stack(make_heading(self.tr("Speed on this machine")), self.speed),
            stack(make_heading(self.tr("Accuracy")), self.accuracy, self.no_accuracy, self.legend, self.protocol),
            stack(make_heading(self.tr("Network")), self.network),
            stack(make_heading(self.tr("Origin")), self.origin),
        )
        self._lay_out()

    def show_entry(self, entry: ModelEntry, measurement: Measurement | None, measuring: bool) -> None:
        """Show a model.

        Args:
            entry: the model.
            measurement: its speed, if it was measured.
            measuring: whether speeds are being measured now.
        """
        self.name.setText(entry.name)
        self.role.setText(role_of(entry))
        self.role.alerting = entry.card is None or entry.error is not None
        self.role.updateGeometry()
        self.role.update()
        error = entry.error
        self.problem.setText("" if error is None else f"{error.what}.\n{sentence(error.why)} {sentence(error.fix)}")
        self.problem.setVisible(error is not None)
        for group in self._groups:
            group.setVisible(entry.card is not None)
        if entry.card is not None:
            self._show_card(entry.card, entry.twin)
        self.speed.setText(self._speed_words(measurement, measuring))
        self.file.show_rows([(self.tr("File"), str(entry.path))])

    def _show_card(self, card: Card, twin: ModelEntry | None) -> None:
        rows = accuracy_rows(card)
        self.accuracy.show_rows(rows)
        self.accuracy.setVisible(bool(rows))
        self.legend.setVisible(bool(rows))
        self.no_accuracy.setVisible(not rows)
        how = "\n".join(sentence(protocol) for protocol in protocols(card))
        self.protocol.setText(how)
        self.protocol.setVisible(bool(how))
        self.accuracy.setToolTip(how)
        as_twin = (
            []
            if twin is None or twin.card is None
            else [(self.tr("Runs live as"), f"{twin.name}, {twin.card.precision}")]
        )
        self.network.show_rows([*network_rows(card), *as_twin])
        self.origin.show_rows(origin_rows(card))

    def _speed_words(self, measurement: Measurement | None, measuring: bool) -> str:
        if measuring:
            return self.tr("Measuring …")
        if measurement is None:
            return self.tr("Not measured yet in this session.")
        when = f"{measurement.when:%Y-%m-%d %H:%M}"
        speed = measurement.speed
        return self.tr("p50 {0} ms, p95 {1} ms a face on one thread · measured {2}").format(
            f"{speed.p50:.2f}", f"{speed.p95:.2f}", when
        )

    def _lay_out(self) -> None:
        head = side_by_side(self.name, self.role, spacing=MARGIN)
        head.setAlignment(self.role, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        stack(head, self.problem, *self._groups, self.file, spacing=MARGIN + GAP, whole=self)
        self.setMaximumWidth(TEXT_WIDTH)
