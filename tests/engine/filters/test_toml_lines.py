"""The line of each key of a TOML file."""

import tomllib

from engine.filters.reading import find_lines, line_of

TEXT = '''\
# a comment
name = "x" # [[layer]]

[[layer]]
image = "a.png"
anchor.at = """
[not.a.table]
key = 1
"""
anchor.width = { between = [1, 2], times = 3 }
[[layer.drive]]
from = [
  # in between
  0.0,
  1.0,
]
to = [0, 1]
  [[ layer ]]
image = 'b.png'
[layer.visible]
yaw = 3
[[layer.drive]]
by = "mouth"
[[layer.drive]]
by = "yaw"
'''


def test_every_key_is_found():
    tomllib.loads(TEXT)
    assert {path: line for path, line in find_lines(TEXT).items() if not isinstance(path[-1], int)} == {
        ("name",): 2,
        ("layer", 0, "image"): 5,
        ("layer", 0, "anchor"): 6,
        ("layer", 0, "anchor", "at"): 6,
        ("layer", 0, "anchor", "width"): 10,
        ("layer", 0, "anchor", "width", "between"): 10,
        ("layer", 0, "anchor", "width", "times"): 10,
        ("layer", 0, "drive", 0, "from"): 12,
        ("layer", 0, "drive", 0, "to"): 17,
        ("layer", 1, "image"): 19,
        ("layer", 1, "visible"): 20,
        ("layer", 1, "visible", "yaw"): 21,
        ("layer", 1, "drive", 0, "by"): 23,
        ("layer", 1, "drive", 1, "by"): 25,
    }


def test_tables_begin_at_their_headers():
    lines = find_lines(TEXT)
    assert [lines["layer", 0], lines["layer", 1], lines["layer", 1, "drive", 1]] == [4, 18, 24]


def test_a_key_that_is_not_there_stands_in_its_table():
    lines = find_lines(TEXT)
    assert line_of(("layer", 1, "drive", 1, "from"), lines) == 24
    assert line_of(("author",), lines) == 1
