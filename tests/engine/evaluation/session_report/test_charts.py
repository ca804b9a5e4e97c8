"""Charts are well-formed SVG whose lines are where the values are."""

import math
import re
from xml.etree import ElementTree

import pytest

from engine.evaluation.session_report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, Plot, chart


def drawn(plot):
    """The paths of the lines of a chart, without those of its legend."""
    figure = ElementTree.fromstring(chart(plot))
    return [path.get("d") for path in figure.find("svg").iter("path")]


def test_a_line_goes_from_end_to_end():
    (path,) = drawn(Plot("t", "s", [Line(0, "a", [(0, 0), (5, 10)])], top=10))
    assert path == f"M{LEFT}.0 {HEIGHT - BOTTOM}.0h.1L{WIDTH - RIGHT}.0 {TOP}.0"


def test_a_line_breaks_where_a_value_is_missing():
    (path,) = drawn(Plot("t", "s", [Line(0, "a", [(0, 1), (1, 2), (2, math.nan), (3, 1), (4, 1)])]))
    assert re.findall("[ML]", path) == ["M", "L", "M", "L"]


def test_what_is_missing_at_the_ends_still_counts_for_the_axis():
    points = [(0, math.nan), (4, 1), (6, 1), (10, math.nan)]
    (path,) = drawn(Plot("t", "s", [Line(0, "a", points)]))
    assert float(re.match(r"M([\d.]+)", path)[1]) == pytest.approx(LEFT + 0.4 * (WIDTH - LEFT - RIGHT), abs=0.1)


@pytest.mark.parametrize("points", [[], [(0, 1)], [(0, math.nan), (1, math.nan)]])
def test_without_values_there_is_no_chart(points):
    assert chart(Plot("t", "s", [Line(0, "a", points)])) == ""


def test_zeros_and_names_of_markup_make_a_chart():
    text = chart(Plot("<t> & co", "s", [Line(0, '<b>"a"', [(0, 0), (1, 0)])]))
    figure = ElementTree.fromstring(text)
    assert figure.find("figcaption").text == "<t> & co"
    assert figure.find("svg").get("aria-label") == '<t> & co: <b>"a" from 0 to 0'


def test_pictures_are_counted_in_whole_numbers():
    figure = ElementTree.fromstring(chart(Plot("t", "picture", [Line(0, "a", [(0, 1), (1, 1), (2, 1)])], whole=True)))
    below = [text.text for text in figure.find("svg").iter("text") if text.get("text-anchor") == "middle"]
    assert below == ["0", "1", "2", "picture"]
