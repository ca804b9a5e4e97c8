"""What a filter.toml may say, and the file, the line and the expectation that every mistake is answered with."""

import numpy as np
import pytest

from engine.core.errors import FilterError
from engine.filters.library import load_filter
from engine.filters.points import NAMED_POINTS
from engine.filters.reading import parse_spec, read_spec
from engine.filters.spec import Anchor, MeshRule, Visible
from tests.fakes.filters import SQUARE, make_filter

FULL = """\
name = "Everything"
author = "A"
licence = "CC0-1.0"
hook = "hook.py"

[[layer]]
image = "a.png"
blend = "overlay"
opacity = 0.5
[layer.anchor]
at = ["mouth", 30, [36, "eye_left"]]
pixel = [3, 4.5]
width = { between = [0, "face_left"], times = 1.5 }
height = { between = ["nose_bridge", "chin"] }
angle = [36, 45]
turn = -90
offset = [0.1, -0.2]
[layer.visible]
yaw = 30
fade = 5
[[layer.drive]]
property = "scale_y"
by = "eyes"
from = [0.9, 0.1]
to = [1, 0.5]

[[layer]]
image = "b.png"
mesh = { landmarks = "b.pts" }
"""


def test_all_that_can_be_said_is_understood(tmp_path):
    spec = parse_spec(tmp_path / "filter.toml", FULL)
    first, second = spec.layers
    assert (spec.title, spec.author, spec.licence, spec.hook) == (
        "Everything", "A", "CC0-1.0", "hook.py",
    )  # fmt: skip
    anchor = first.anchor
    assert isinstance(anchor, Anchor)
    eye = np.zeros(68)
    eye[42:48] = 1 / 6
    expected = np.zeros(68)
    expected[[48, 54, 51, 57]] = 1 / 12
    expected[30] = 1 / 3
    expected[36] += 1 / 6
    assert np.allclose(anchor.at, expected + eye / 6, atol=1e-6)
    assert (anchor.pixel, anchor.turn, anchor.offset) == ((3.0, 4.5), -90.0, (0.1, -0.2))
    assert (anchor.width.times, anchor.height.times) == (1.5, 1.0)
    assert (first.blend, first.opacity, first.visible) == ("overlay", 0.5, Visible(yaw=30.0, fade=5.0))
    assert (first.drives[0].target, first.drives[0].start, first.drives[0].end) == ("scale_y", (0.9, 0.1), (1.0, 0.5))
    assert second.mesh == MeshRule("b.pts")
    assert [layer.line for layer in spec.layers] == [6, 27]


def test_what_is_not_said_has_a_default(tmp_path):
    spec = parse_spec(tmp_path / "round" / "filter.toml", SQUARE)
    layer = spec.layers[0]
    assert (spec.title, spec.hook) == ("round", "")
    assert (layer.blend, layer.opacity, layer.visible, layer.drives) == ("normal", 1.0, Visible(), ())
    assert np.array_equal(layer.anchor.angle, np.stack((NAMED_POINTS["eye_right"], NAMED_POINTS["eye_left"])))


ANCHOR = 'anchor = { at = "nose_tip", width = { between = ["face_right", "face_left"] } }'
LAYER = f'[[layer]]\nimage = "a.png"\n{ANCHOR}\n'
DRIVE = '[[layer.drive]]\nproperty = "scale"\nby = "mouth"\nfrom = [0, 1]\nto = [1, 2]\n'
MISTAKES = [
    # text, line, parts of the sentence
    ("name = \n", 1, ["no TOML"]),
    (LAYER + 'blend = "normal\n', 4, ["no TOML"]),
    (LAYER + "opacity = [1,\n", 4, ["no TOML"]),
    ("", None, ["draws nothing", "[[layer]]"]),
    ("nmae = 'x'\n" + LAYER, 1, ["no key “nmae”", "did you mean “name”?"]),
    ("name = 3\n" + LAYER, 1, ["“name” is 3", "a text in quotation marks was expected"]),
    ("name = ''\n" + LAYER, 1, ["“name”", "a text"]),
    ("hook = '../evil.py'\n" + LAYER, 1, ["own folder"]),
    ("hook = 'hook.txt'\n" + LAYER, 1, ["a .py file"]),
    ("layer = 3\n", 1, ["“layer” is no list of tables", "[[layer]]"]),
    ("[layer]\nimage = 'a.png'\n", 1, ["“layer” is no list of tables", "[[layer]]"]),
    (LAYER * 33, 1, ["33 layers", "at most 32"]),
    (LAYER + "opactiy = 1\n", 4, ["no key “opactiy” in “layer”", "did you mean “opacity”?"]),
    (LAYER + "opacity = 1.5\n", 4, ["“opacity” is 1.5", "a number from 0 to 1 was expected"]),
    (LAYER + "opacity = true\n", 4, ["“opacity” is true", "a number"]),
    (LAYER + "opacity = nan\n", 4, ["“opacity” is nan", "a number"]),
    (LAYER + "blend = 'multipyl'\n", 4, ["“multipyl”", "normal, multiply", "did you mean “multiply”?"]),
    (LAYER + "blend = 3\n", 4, ["“blend” is 3", "one of"]),
    (f"[[layer]]\n{ANCHOR}\n", 1, ["“image” is missing", 'image = "picture.png"']),
    (f"[[layer]]\nimage = 'sub/a.png'\n{ANCHOR}\n", 2, ["own folder"]),
    (f"[[layer]]\nimage = '..\\a.png'\n{ANCHOR}\n", 2, ["own folder"]),
    (f"[[layer]]\nimage = 'a.jpg'\n{ANCHOR}\n", 2, ["a .png file"]),
    ("[[layer]]\nimage = 'a.png'\n", 2, ["neither “anchor” nor “mesh”"]),
    (LAYER + "mesh = { landmarks = 'a.pts' }\n", 4, ["“anchor” and “mesh”", "keep one"]),
    (LAYER.replace(ANCHOR, "anchor = 3"), 3, ["“anchor” is 3", "a table with at, pixel"]),
    (LAYER.replace(ANCHOR, "mesh = { landmarks = 'a.json' }"), 3, ["a .pts file"]),
    (LAYER.replace("nose_tip", "nose_tpi"), 3, ["“nose_tpi”", "no place on a face", "did you mean “nose_tip”?"]),
    (LAYER.replace('"nose_tip"', "68"), 3, ["68", "a landmark from 0 to 67"]),
    (LAYER.replace('"nose_tip"', "-1"), 3, ["-1", "no place"]),
    (LAYER.replace('"nose_tip"', "[]"), 3, ["no place"]),
    (LAYER.replace('at = "nose_tip", ', ""), 3, ["“at” is missing in “layer.anchor”"]),
    (LAYER.replace("width", "widht"), 3, ["no key “widht” in “layer.anchor”", "did you mean “width”?"]),
    ("[[layer]]\nimage='a.png'\n[layer.anchor]\nat = 30\n", 3, ["“width” is missing"]),
    (LAYER.replace('"face_right", "face_left"', '"chin"'), 3, ["a list of two places on the face"]),
    (LAYER.replace('"face_right"', '"face_left"'), 3, ["two different places"]),
    (LAYER.replace('"face_left"] }', '"face_left"], times = 0 }'), 3, ["“times” is 0", "from 0.01 to 100"]),
    (LAYER.replace("at =", "pixel = [1], at ="), 3, ["“pixel” is [1]", "two numbers, x and y in the image"]),
    (LAYER.replace("at =", "offset = [1, inf], at ="), 3, ["“offset”", "two numbers"]),
    (LAYER.replace("at =", "turn = 'left', at ="), 3, ["“turn” is “left”", "from -360 to 360"]),
    (LAYER + "[layer.visible]\nmouth = 3\n", 5, ["no key “mouth” in “layer.visible”", "yaw, pitch, roll, fade"]),
    (LAYER + "[layer.visible]\nyaw = 0\n", 5, ["“yaw” is 0", "from 1 to 180"]),
    (LAYER + "[layer.visible]\n\n# fade\nfade = 'slow'\n", 7, ["“fade” is “slow”"]),
    (LAYER + DRIVE.replace("scale", "size"), 5, ["“property” is “size”", "opacity, scale"]),
    (LAYER + DRIVE.replace("mouth", "mouht"), 6, ["“by” is “mouht”", "did you mean “mouth”?"]),
    (LAYER + DRIVE.replace("[0, 1]", "[1, 1]"), 7, ["“from” is [1, 1]", "two different values"]),
    (LAYER + DRIVE.replace("[1, 2]", "[\n 1,\n]"), 8, ["“to” is [1]", "two numbers"]),
    (LAYER + DRIVE + DRIVE.replace("to = [1, 2]\n", ""), 9, ["“to” is missing in “layer.drive”"]),
    (
        LAYER.replace(ANCHOR, "mesh = { landmarks = 'a.pts' }") + DRIVE,
        5,
        ["“property” is “scale”", "a mesh follows the face by itself"],
    ),
]


@pytest.mark.parametrize(("text", "line", "parts"), MISTAKES)
def test_a_mistake_is_reported_with_its_line_and_what_was_expected(tmp_path, text, line, parts):
    file = tmp_path / "mine" / "filter.toml"
    with pytest.raises(FilterError) as caught:
        parse_spec(file, text)
    error = caught.value
    assert (error.file, error.line) == (file, line)
    assert str(error).startswith("mine/filter.toml" + (f", line {line}: " if line else ": "))
    for part in (*parts, error.expected[1:]):
        assert part.lower() in str(error).lower()


def test_files_of_windows_editors_are_read(tmp_path):
    folder = make_filter(tmp_path / "f")
    (folder / "filter.toml").write_bytes(b"\xef\xbb\xbf" + SQUARE.replace("\n", "\r\n").encode())
    assert read_spec(folder).layers[0].image == "square.png"
    (folder / "filter.toml").write_bytes((SQUARE + "opacity = 7\n").replace("\n", "\r\n").encode())
    with pytest.raises(FilterError, match="line 4"):
        read_spec(folder)


def test_a_letter_that_is_no_utf8_is_reported_with_its_line(tmp_path):
    folder = make_filter(tmp_path / "f")
    (folder / "filter.toml").write_bytes('[[layer]]\n# grün\nimage = "a.png"\n'.encode("latin-1"))
    with pytest.raises(FilterError, match="line 2.*UTF-8"):
        read_spec(folder)


def test_a_folder_without_a_filter(tmp_path):
    with pytest.raises(FilterError, match="cannot be read"):
        read_spec(tmp_path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "the image is missing"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:60]), "cannot be read"),
        (lambda path: path.write_bytes(b"GIF89a"), "cannot be read"),
    ],
)
def test_an_image_that_is_none(tmp_path, damage, words):
    folder = make_filter(tmp_path / "f")
    damage(folder / "square.png")
    with pytest.raises(FilterError, match=words) as caught:
        load_filter(folder)
    assert caught.value.file == folder / "square.png"


MESH = '\n[[layer]]\nimage = "square.png"\nmesh = { landmarks = "square.pts" }\n'


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (None, "line 2.*square.pts are missing"),
        ("version: 1\nn_points: 2\n{\n1 1\n2 2\n}\n", "68 or 98"),
        ("version: 1\nn_points: 68\n{\n" + "1 1\n" * 68 + "}\n", "do not span a face"),
        ("no points", "no .pts file"),
    ],
)
def test_landmarks_that_are_none(tmp_path, points, words):
    folder = make_filter(tmp_path / "f", MESH)
    if points is not None:
        (folder / "square.pts").write_text(points)
    with pytest.raises(FilterError, match=words):
        load_filter(folder)
