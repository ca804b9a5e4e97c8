"""The shapes of the controls as a Qt style sheet; its `$names` are colours of a `Palette` and measures."""

from __future__ import annotations

STYLE = """
#panel, #panelArea, #reviewPanel, #statusLine { background: $panel; }
#panelArea, #reviewPanel { border: none; border-left: 1px solid $line; }
#panelBar { border: none; border-top: 1px solid $line; }
#statusLine { border-top: 1px solid $line; padding: 7px ${margin}px; color: $text; }
QLabel[role="heading"], QLabel[role="hint"] { color: $muted; }
QLabel[role="wrong"] { background: $alert; color: $on_alert; border-radius: 6px; padding: 5px 8px; }

QPushButton, QToolButton, QComboBox, QLineEdit, QPlainTextEdit {
    background: $field; color: $text; border: 1px solid $edge; border-radius: 6px; padding: 7px 11px;
}
QPushButton:hover, QToolButton:hover, QComboBox:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked, QToolButton:pressed, QToolButton:checked {
    background: $accent; color: $on_accent;
}
QPushButton:disabled, QToolButton:disabled, QComboBox:disabled, QLineEdit:disabled {
    color: $faint; border-color: $hover;
}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus, QPlainTextEdit:focus {
    border: 2px solid $accent; padding: 6px 10px;
}
QPushButton:checked:focus, QToolButton:checked:focus { border-color: $text; }
QLineEdit, QPlainTextEdit {
    selection-background-color: $accent; selection-color: $on_accent; placeholder-text-color: $muted;
}
#fold { background: transparent; border: 1px solid transparent; color: $muted; padding: 2px 0; }
#fold:checked { background: transparent; color: $muted; }
#fold:hover { background: transparent; color: $text; }
#fold:focus { border: 2px solid $accent; padding: 1px 0; }
#wordmark { background: transparent; border: 1px solid transparent; padding: 2px 0; }
#wordmark:hover { border-bottom-color: $edge; }
#wordmark:focus { border-color: $accent; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: none; }
QComboBox { combobox-popup: 0; }
QComboBox QAbstractItemView {
    background: $field; color: $text; border: 1px solid $edge; outline: none; padding: 4px;
}
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 7px; border-radius: 4px; }
QComboBox QAbstractItemView::item:selected { background: $accent; color: $on_accent; }
QComboBox QAbstractItemView::item:disabled { background: transparent; color: $faint; }

QCheckBox { spacing: 9px; padding: 4px 0; outline: none; }
QCheckBox:disabled { color: $faint; }
QCheckBox::indicator {
    width: 15px; height: 15px; border: 1px solid $edge; border-radius: 4px; background: $field;
}
QCheckBox::indicator:hover { background: $hover; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QCheckBox::indicator:focus { width: 13px; height: 13px; border: 2px solid $text; }
QCheckBox::indicator:disabled { background: $panel; border-color: $hover; }

QSlider { min-height: 24px; border: 1px solid transparent; border-radius: 5px; }
QSlider:focus { border-color: $accent; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $edge; }
QSlider::sub-page:horizontal { border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 16px; margin: -6px 0; border-radius: 8px; background: $text; }
QSlider::groove:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: $hover; }
QSlider::handle:horizontal:disabled { background: $faint; }

QTabBar::tab { color: $muted; padding: 8px 14px; border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:focus { background: $hover; }

QListView, QTreeView {
    background: $field; color: $text; border: 1px solid $edge; border-radius: 6px; outline: none;
}
QListView { padding: 3px; }
QListView::item { border-radius: 4px; }
QListView:focus, QTreeView:focus { border: 2px solid $accent; }
QListView:focus { padding: 2px; }
QListView::item:selected, QTreeView::item:selected { background: $accent; color: $on_accent; }
QTreeView::item { padding: 3px 5px; }
QHeaderView::section {
    background: $panel; color: $muted; border: none; border-bottom: 1px solid $line; padding: 5px 8px;
}
QHeaderView { background: transparent; }
QHeaderView::up-arrow, QHeaderView::down-arrow {
    subcontrol-origin: margin; subcontrol-position: top center; width: 7px; height: 7px;
}
QHeaderView::section:first { border-top-left-radius: 5px; }
QHeaderView::section:last { border-top-right-radius: 5px; }
QProgressBar {
    background: $field; color: $text; border: 1px solid $edge; border-radius: 6px; min-height: 18px; text-align: center;
}
QProgressBar[textVisible="false"] {
    background: $line; min-height: 6px; max-height: 6px; border: none; border-radius: 3px;
}
QProgressBar::chunk { background: $soft_accent; border-radius: 5px; }
QProgressBar[textVisible="false"]::chunk { background: $accent; border-radius: 3px; }
QMenu { background: $field; color: $text; border: 1px solid $edge; padding: 4px; }
QMenu::item { padding: 6px 18px; border-radius: 4px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
#column { border: 2px solid transparent; }
#column:focus { border-color: $accent; }
QSplitter::handle { background: $line; }

#topBar QToolButton { padding: 2px 11px; }
#topBar QToolButton:focus { padding: 1px 10px; }

#banner { background: $alert; border: 1px solid $alert_edge; border-radius: 8px; }
#banner QLabel { color: $on_alert; }
#banner QToolButton { background: transparent; border: 1px solid transparent; color: $on_alert; padding: 4px 8px; }
#banner QToolButton[role="remedy"] { border-color: $on_alert; }
#banner QToolButton:hover { background: $alert_edge; }
#banner QToolButton:focus { border: 2px solid $on_alert; padding: 3px 7px; }
#banner[calm="true"] { background: $field; border-color: $edge; }
#banner[calm="true"] QLabel { color: $text; }
#banner[calm="true"] QToolButton { color: $text; }
#banner[calm="true"] QToolButton[role="remedy"] { border-color: $edge; }
#banner[calm="true"] QToolButton:hover { background: $hover; }
#banner[calm="true"] QToolButton:focus { border-color: $accent; }
#hotkeySheet { background: $panel; border: 1px solid $edge; border-radius: 10px; }
#hotkeySheet QLabel { color: $text; }
#hotkeySheet QLabel[role="heading"] { color: $muted; }
#hotkeySheet QLabel[role="key"] {
    background: $field; border: 1px solid $edge; border-radius: 5px; padding: 2px 7px;
}
#outputMark, #firstHint, #faceHint { background: rgba(13, 15, 18, 210); color: #e8eaed; border-radius: 8px; }
#outputMark { padding: 5px 12px; }
#firstHint { padding: 12px 20px; }
#faceHint { padding: 4px 12px; }
QToolTip { background: $field; color: $text; border: 1px solid $edge; padding: 4px; }
QScrollBar:vertical { background: $panel; width: 10px; }
QScrollBar:horizontal { background: $panel; height: 10px; }
QScrollBar::handle { background: $edge; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 30px; }
QScrollBar::handle:horizontal { min-width: 30px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
"""
