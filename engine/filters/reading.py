"""From the text of a `filter.toml` to what it says, with every key looked at."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from engine.filters.errors import FilterError
from engine.filters.section import Document, Section
from engine.filters.signals import ANGLES, SIGNAL_NAMES
from engine.filters.spec import (
    BLEND_MODES,
    DRIVEN_PROPERTIES,
    Anchor,
    Drive,
    FilterSpec,
    LayerSpec,
    Measure,
    MeshRule,
    Visible,
)
from engine.filters.toml_lines import find_lines

SPEC_NAME = "filter.toml"
MOST_LAYERS = 32
LARGEST_FILE = 1_000_000  # bytes

FILTER_KEYS = ("name", "author", "licence", "hook", "layer")
LAYER_KEYS = ("image", "anchor", "mesh", "blend", "opacity", "visible", "drive")
ANCHOR_KEYS = ("at", "pixel", "width", "height", "angle", "turn", "offset")
MEASURE_KEYS = ("between", "times")
VISIBLE_KEYS = (*ANGLES, "fade")
DRIVE_KEYS = ("property", "by", "from", "to")

EYE_LINE = ("eye_right", "eye_left")


def read_spec(folder: Path) -> FilterSpec:
    """Read the `filter.toml` of a folder.

    Raises:
        FilterError: it is missing, is no TOML, or says something that makes no sense.
    """
    file = folder / SPEC_NAME
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise FilterError(file, None, "the file is too large", "a filter has some dozen lines", "check the file")
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")  # editors on Windows write a mark in front
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FilterError(
            file, line, "a letter cannot be read", "TOML files are written in UTF-8", "save it as UTF-8"
        ) from error
    except OSError as error:
        raise FilterError(
            file,
            None,
            f"the file cannot be read ({error.strerror})",
            f"a filter is a folder with a file {SPEC_NAME} in it",
            "check the folder, or make a new filter with “understudy filter new NAME”",
        ) from error
    return parse_spec(file, text)


def parse_spec(file: Path, text: str) -> FilterSpec:
    """Return what the `text` of `file` says.

    Raises:
        FilterError: it is no TOML, or says something that makes no sense.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, text, error) from error
    top = Section(Document(file, find_lines(text)), (), values, FILTER_KEYS)
    layers = tuple(_layer(section) for section in _layer_sections(top))
    hook = top.file_name("hook", ".py", "")
    if not layers and not hook:
        raise FilterError(
            file, None, "the filter draws nothing", "a filter has at least one layer", "begin one with [[layer]]"
        )
    return FilterSpec(
        title=top.text("name", "My filter", file.parent.name),
        author=top.text("author", "Your name", ""),
        licence=top.text("licence", "CC0-1.0", ""),
        layers=layers,
        hook=hook,
        hook_line=top.line_of("hook"),
    )


def _syntax_error(file: Path, text: str, error: tomllib.TOMLDecodeError) -> FilterError:
    place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
    line = int(place[1]) if place else text.rstrip().count("\n") + 1  # else “at end of document”
    reason = re.sub(r" \(at .*\)$", "", str(error))
    return FilterError(
        file,
        line,
        f"this is no TOML ({reason})",
        "lines look like key = value, and texts stand in quotation marks",
        "mend the line, or look for a bracket or quotation mark that is missing above it",
    )


def _layer_sections(top: Section) -> list[Section]:
    sections = top.tables("layer", LAYER_KEYS)
    if len(sections) > MOST_LAYERS:
        problem = f"there are {len(sections)} layers"
        raise top.error("layer", problem, f"at most {MOST_LAYERS} can be drawn live", "join some of the images")
    return sections


def _layer(section: Section) -> LayerSpec:
    placing = _placing(section)
    drives = tuple(_drive(each, placing) for each in section.tables("drive", DRIVE_KEYS))
    return LayerSpec(
        image=section.file_name("image", ".png"),
        placing=placing,
        blend=section.choice("blend", BLEND_MODES, "normal"),
        opacity=section.number("opacity", 0, 1, 1.0),
        visible=_visible(section.table("visible", VISIBLE_KEYS)),
        drives=drives,
        line=section.line,
    )


def _placing(section: Section) -> Anchor | MeshRule:
    anchor, mesh = section.table("anchor", ANCHOR_KEYS), section.table("mesh", ("landmarks",))
    if (anchor is None) == (mesh is None):
        problem = "the layer has neither “anchor” nor “mesh”" if mesh is None else "the layer has “anchor” and “mesh”"
        raise section.error(
            "mesh" if mesh else "image",
            problem,
            "an image is either pinned to a place (anchor) or warped over the face (mesh)",
            'write a line such as: anchor = { at = "nose_tip", width = { between = ["eye_right", "eye_left"] } }'
            if mesh is None
            else "keep one of the two",
        )
    if mesh is not None:
        return MeshRule(mesh.file_name("landmarks", ".pts"))
    assert anchor is not None
    return _anchor(anchor)


def _anchor(section: Section) -> Anchor:
    width = _measure(section, "width")
    if width is None:
        example = 'width = { between = ["eye_right", "eye_left"], times = 2.0 }'
        raise section.error(
            "width", "“width” is missing in “layer.anchor”", "every image has a width", f"add {example}"
        )
    pixel = section.pair("pixel", "x and y in the image", "[120, 80]", None) if "pixel" in section.values else None
    return Anchor(
        at=section.point("at"),
        pixel=pixel,
        width=width,
        height=_measure(section, "height"),
        angle=section.two_points("angle", EYE_LINE),
        turn=section.number("turn", -360, 360, 0.0),
        offset=section.pair("offset", "right and down in widths of the image", "[0.0, 0.1]", (0.0, 0.0)),
    )


def _measure(anchor: Section, key: str) -> Measure | None:
    section = anchor.table(key, MEASURE_KEYS)
    if section is None:
        return None
    return Measure(section.two_points("between"), section.number("times", 0.01, 100, 1.0))


def _visible(section: Section | None) -> Visible:
    if section is None:
        return Visible()
    limits = tuple((name, section.number(name, 1, 180)) for name in ANGLES if name in section.values)
    return Visible(limits, section.number("fade", 0, 90, Visible.fade))


def _drive(section: Section, placing: Anchor | MeshRule) -> Drive:
    target: Any = section.choice("property", DRIVEN_PROPERTIES)
    if isinstance(placing, MeshRule) and target != "opacity":
        raise section.wrong("property", "“opacity”, as a mesh follows the face by itself,", '"opacity"')
    start = section.pair("from", "of the signal", "[0.0, 1.0]", None)
    if np.isclose(*start):
        raise section.wrong("from", "two different values of the signal", "[0.0, 1.0]")
    return Drive(
        target=target,
        by=section.choice("by", SIGNAL_NAMES),
        start=start,
        end=section.pair("to", "of the property", "[0.0, 1.0]", None),
    )
