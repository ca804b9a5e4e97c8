"""Ground truth beside one's own material: found in every form, true of what is shown, and never in the way of it."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.core.metrics import nme
from engine.core.schemes import IBUG_68, WFLW_98
from engine.formats.images import write_picture
from engine.formats.landmark_writers import Prediction, pts_text, write_predictions
from engine.sources.opening import open_source
from tests.fakes.clips import HEIGHT, WIDTH, cut, turn_half, write_clip
from tests.fakes.results import face

MEDIA = Path(__file__).resolve().parents[2] / "media"
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def label(number: int = 0, points: int = 68) -> np.ndarray:
    """Return points inside a clip's picture; `number` moves them."""
    return (np.linspace((8, 4), (40, 36), points) + number).astype(np.float32)


def write_table(path, rows: list[tuple[dict, np.ndarray]]) -> None:
    """Write a table of landmarks with further columns."""
    points = len(rows[0][1])
    heading = [*rows[0][0], *(f"{axis}{index}" for index in range(points) for axis in "xy")]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(heading)
        writer.writerows([*cells.values(), *landmarks.ravel().tolist()] for cells, landmarks in rows)


def play(path):
    """Return the frames of what is opened, and the source."""
    source = open_source(str(path), list)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames, source


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "Öß [1] 日本"
    path.mkdir()
    return path


@pytest.fixture
def clip(folder):
    """Return a video of five frames in a folder and with a name that `glob` would misread."""
    return write_clip(folder / "clip [a].avi", frames=5)


def beside_as_table(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": number}, label(number)) for number in (4, 1, 0)])


def beside_as_pts(clip):
    for number in (0, 1, 4):
        (clip.parent / f"clip [a]_{number:06d}.pts").write_text(pts_text(label(number)), encoding="utf-8")


def in_own_folder_as_pts(clip):
    (clip.parent / "clip [a]").mkdir()
    for number in (0, 1, 4):
        (clip.parent / "clip [a]" / f"clip [a]_{number:06d}.pts").write_text(pts_text(label(number)), encoding="utf-8")


def as_300vw(clip):
    (clip.parent / "annot").mkdir()
    for number in (0, 1, 4):
        (clip.parent / "annot" / f"{number + 1:06d}.pts").write_text(pts_text(label(number)), encoding="utf-8")


def as_pack(clip):
    landmarks = np.stack([label(number) for number in (0, 1, 4, 2)])
    names = np.array([clip.name] * 3 + ["other.avi"])
    np.savez(clip.parent / "annotations.npz", image=names, frame=np.array([0, 1, 4, 2]), landmarks=landmarks)


@pytest.mark.parametrize("write", [beside_as_table, beside_as_pts, in_own_folder_as_pts, as_300vw, as_pack])
def test_frames_of_a_video_have_the_ground_truth_beside_it(clip, write):
    write(clip)
    frames, source = play(clip)
    assert len(frames) == 5
    assert [frame.truth is not None for frame in frames] == [True, True, False, False, True]
    for number in (0, 1, 4):
        assert frames[number].truth.scheme is IBUG_68
        assert np.allclose(frames[number].truth.points, label(number), atol=1e-3)
    assert source.remark == ""


def test_a_video_alone_has_none(clip):
    frames, source = play(clip)
    assert {frame.truth for frame in frames} == {None}
    assert source.remark == ""


@pytest.mark.parametrize("target", ["clip [a].csv", "clip [a]"])
def test_what_predict_writes_is_ground_truth_as_it_is(clip, target):
    found = [Prediction(None, clip.name, number, WIDTH, HEIGHT, (face(number),), "m") for number in range(5)]
    write_predictions(found, clip.parent / target)
    frames, source = play(clip)
    for number, frame in enumerate(frames):
        assert np.allclose(frame.truth.points, face(number).landmarks, atol=1e-3)
    assert source.remark == ""


def test_98_points_and_hidden_ones_are_known_too(clip):
    hidden = label(0, 98)
    hidden[3] = np.nan
    write_table(clip.with_suffix(".csv"), [({"frame": 0}, hidden), ({"frame": 1}, np.full((98, 2), np.nan))])
    text = clip.with_suffix(".csv").read_text(encoding="utf-8").replace("nan", "", 1)
    clip.with_suffix(".csv").write_text(text, encoding="utf-8")
    frames, source = play(clip)
    assert frames[0].truth.scheme is WFLW_98
    assert np.array_equal(frames[0].truth.points, hidden, equal_nan=True)
    assert frames[1].truth is None
    assert source.remark == ""


def test_two_labelled_faces_on_a_frame_are_no_ground_truth_for_one(clip):
    rows = [({"frame": 0}, label(0)), ({"frame": 1}, label(1)), ({"frame": 0}, label(2))]
    write_table(clip.with_suffix(".csv"), rows)
    frames, _ = play(clip)
    assert frames[0].truth is None
    assert frames[1].truth is not None


def wrong_count(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1}, label(points=51))])
    return "frame 1 has 51 points"


def other_size(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1, "width": 640, "height": 480}, label())])
    return f"frame 1 does not fit its picture of {WIDTH} x {HEIGHT} pixels"


def outside(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1}, 4 * label())])
    return "frame 1 does not fit"


def infinite(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1}, np.full((68, 2), np.inf))])
    return "“inf” is no number"


def words_for_a_width(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1, "width": "wide", "height": HEIGHT}, label())])
    return "has a width “wide”. A number was expected"


def words_for_a_time(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1, "time": "0:01"}, label())])
    return "has a time “0:01”"


def another_table(clip):
    clip.with_suffix(".csv").write_text("time,loudness\n0,1\n", encoding="utf-8")
    return "column “frame” is missing"


def no_table(clip):
    clip.with_suffix(".csv").write_bytes(b"\x89PNG\xff\xfe")
    return "cannot be read"


def fractions(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": 1}, label() / 400)])
    return "The ground truth of frame 1 counts fractions, not pixels"


def odd_frame(clip):
    write_table(clip.with_suffix(".csv"), [({"frame": "first"}, label())])
    return "frame “first”"


def damaged_pts(clip):
    (clip.parent / "clip [a]_000001.pts").write_text(pts_text(label())[:200], encoding="utf-8")
    return "is no .pts file"


def pipe(clip):
    os.mkfifo(clip.parent / "clip [a]_000001.pts")
    return "it is a pipe, a device or a socket, not a file"


def pipe_for_a_table(clip):
    os.mkfifo(clip.with_suffix(".csv"))
    return "it is a pipe, a device or a socket, not a file"


def link_to_nothing(clip):
    (clip.parent / "clip [a]_000001.pts").symlink_to("gone.pts")
    return "No such file or directory"


def socket_for_points(clip):
    with socket.socket(socket.AF_UNIX) as opened, contextlib.chdir(clip.parent):  # a full name may be too long
        opened.bind("clip [a]_000001.pts")
    return "cannot be read"


def pts_of_51(clip):
    (clip.parent / "clip [a]_000001.pts").write_text(pts_text(label(points=51)), encoding="utf-8")
    return "holds 51 points; 29 or 68 or 98 are needed"


def damaged_pack(clip):
    (clip.parent / "annotations.npz").write_bytes(b"PK nothing")
    return "annotations.npz cannot be read"


def pack_without_frames(clip):
    np.savez(clip.parent / "annotations.npz", image=np.array([clip.name]), landmarks=label()[None])
    return "no whole numbers “frame”"


@pytest.mark.parametrize(
    "write",
    [
        wrong_count,
        other_size,
        outside,
        fractions,
        infinite,
        words_for_a_width,
        words_for_a_time,
        another_table,
        no_table,
        odd_frame,
        damaged_pts,
        pytest.param(pipe, marks=UNIX),
        pytest.param(pipe_for_a_table, marks=UNIX),
        pytest.param(link_to_nothing, marks=UNIX),
        pytest.param(socket_for_points, marks=UNIX),
        pts_of_51,
        damaged_pack,
        pack_without_frames,
    ],
)
def test_useless_ground_truth_gets_a_sentence_and_the_video_plays(clip, write):
    said = write(clip)
    frames, source = play(clip)
    assert len(frames) == 5
    assert {frame.truth for frame in frames} == {None}
    assert said in source.remark
    assert source.remark == source._truth.remark
    assert "had to do without ground truth" in source.remark


def test_a_pack_of_pictures_beside_a_video_is_none_of_its_business(clip):
    np.savez(clip.parent / "annotations.npz", image=np.array(["images/a.png"]), landmarks=label()[None])
    frames, source = play(clip)
    assert len(frames) == 5
    assert source.remark == ""


@pytest.fixture
def album(folder):
    """Return a folder of three pictures."""
    for name in ("anna.png", "bert.jpg", "carl.png"):
        write_picture(folder / name, np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    return folder


def test_pts_files_beside_pictures(album):
    (album / "anna.pts").write_text(pts_text(label(1)), encoding="utf-8")
    (album / "bert.pts").write_text(pts_text(label(7)), encoding="utf-8")
    (album / "bert.jpg.pts").write_text(pts_text(label(2, 98)), encoding="utf-8")
    frames, source = play(album)
    assert np.allclose(frames[0].truth.points, label(1), atol=1e-3)
    assert np.allclose(frames[1].truth.points, label(2, 98), atol=1e-3), "the longer name counts"
    assert frames[2].truth is None
    assert source.remark == ""
    assert np.allclose(play(album / "anna.png")[0][0].truth.points, label(1), atol=1e-3), "a single picture too"


@pytest.mark.parametrize("column", ["image", "file"])
@pytest.mark.parametrize("place", ["in the folder", "beside the folder"])
def test_a_table_for_the_pictures_of_a_folder(album, place, column):
    table = album / "landmarks.csv" if place == "in the folder" else album.parent / f"{album.name}.csv"
    write_table(table, [({column: "anna.png"}, label(1)), ({column: "C:\\old\\carl.png"}, label(2))])
    frames, source = play(album)
    assert [frame.truth is not None for frame in frames] == [True, False, True]
    assert np.allclose(frames[2].truth.points, label(2))
    assert source.remark == ""
    if place == "in the folder":
        assert np.allclose(play(album / "anna.png")[0][0].truth.points, label(1))


def test_one_bad_file_costs_one_picture_its_ground_truth(album):
    (album / "anna.pts").write_text("nothing", encoding="utf-8")
    (album / "carl.pts").write_text(pts_text(label(2)), encoding="utf-8")
    (album / "broken.png").write_bytes(b"nothing")
    frames, source = play(album)
    assert [frame.truth is not None for frame in frames] == [False, False, True]
    assert "A picture had to do without ground truth" in source.remark
    assert "anna.pts is no .pts file" in source.remark
    assert "broken.png" in source.remark, "what else there was to say is said too"


def test_a_picture_of_a_pack_has_its_label(tmp_path):
    write_picture(tmp_path / "pack" / "images" / "a.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    np.savez(tmp_path / "pack" / "annotations.npz", image=np.array(["images/a.png"]), landmarks=label(3)[None])
    frames, _ = play(tmp_path / "pack" / "images" / "a.png")
    assert np.allclose(frames[0].truth.points, label(3))


CORNER = 10  # pixels of the mark in the upright picture's top left corner


@pytest.mark.parametrize("flag", range(1, 9))
def test_fault_43_a_turned_or_mirrored_photo_is_upright_and_so_is_its_ground_truth(folder, flag):
    upright = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    upright[:CORNER, :CORNER] = (255, 0, 0)
    # How a camera stores what the flag will turn back: the inverse of what Pillow's table does.
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: np.rot90(upright), 7: np.rot90(upright.transpose(1, 0, 2), 2),
        8: np.rot90(upright, -1),
    }[flag]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = flag
    Image.fromarray(np.ascontiguousarray(stored)).save(folder / "photo.jpg", quality=95, exif=exif)
    points = label()
    points[0] = (CORNER / 2, CORNER / 2)
    (folder / "photo.pts").write_text(pts_text(points), encoding="utf-8")
    (frame,), source = play(folder / "photo.jpg")
    assert frame.image.shape == (HEIGHT, WIDTH, 3)
    x, y = frame.truth.points[0].round().astype(int)
    assert frame.image[y, x, 0] > 200, "the labelled point is on the mark"
    assert frame.image[-5, -5].max() < 50
    assert source.remark == ""


def test_fault_43_ground_truth_of_a_turned_video_is_that_of_the_upright_picture(folder):
    clip = turn_half(write_clip(folder / "phone.mp4", frames=2))
    points = label()
    points[0] = (WIDTH - 5, 5)  # red in the upright picture
    write_table(clip.with_suffix(".csv"), [({"frame": 0}, points)])
    frames, _ = play(clip)
    x, y = frames[0].truth.points[0].round().astype(int)
    red, green, _ = frames[0].image[y, x].tolist()
    assert red > 150 > green


def test_the_accuracy_is_that_of_the_labels(clip):
    """The whole way: what is predicted, moved by a known distance, gives that error."""
    truth = label()
    write_table(clip.with_suffix(".csv"), [({"frame": 0}, truth)])
    frames, _ = play(clip)
    eyes = float(np.linalg.norm(truth[36] - truth[45]))
    assert nme(IBUG_68, truth + (3, 4), frames[0].truth.points) == pytest.approx(500 / eyes, rel=1e-4)


def test_a_row_that_is_there_twice_is_of_one_face(clip):
    write_table(
        clip.with_suffix(".csv"), [({"frame": 0}, label(0))] * 3 + [({"frame": 1}, label(n)) for n in (1, 1, 2)]
    )
    frames, _ = play(clip)
    assert np.allclose(frames[0].truth.points, label(0))
    assert frames[1].truth is None, "two faces"


def test_files_that_come_and_go_do_no_harm(clip):
    beside_as_pts(clip)
    source = open_source(str(clip), list)
    assert source.read().truth is not None
    for file in clip.parent.glob("*.pts"):
        file.unlink()
    assert source.read().truth is None
    source.close()
    shutil.rmtree(clip.parent)


def test_times_that_drift_away_late_refuse_all_of_it_before_one_label_counts(clip):
    write_clip(clip, frames=300)
    # As of 24.97 frames a second in place of 25.
    rows = [({"frame": number, "time": number / 24.97}, label(0)) for number in range(0, 300, 10)]
    write_table(clip.with_suffix(".csv"), rows)
    frames, source = play(clip)
    assert [frame.truth for frame in frames] == [None] * 300
    assert "says that frame 210 is at 8.410 s, but in this clip it is at 8.400 s" in source.remark


def test_where_packets_have_no_times_of_use_the_frames_are_decoded_before_one_label_counts(tmp_path):
    clip = tmp_path / "clip.mpg"
    shutil.copy(MEDIA / "longer_sound.mpg", clip)
    for late, said in ((0.0, ""), (0.04, "says that frame 8 is at 0.360 s, but in this clip it is at 0.320 s")):
        rows = [({"frame": n, "time": n / 25 + late * (n > 7)}, label(0)) for n in range(12)]
        write_table(clip.with_suffix(".csv"), rows)
        frames, source = play(clip)
        assert [frame.truth is None for frame in frames] == [late > 0] * 12
        assert said in source.remark
        assert bool(source.remark) is (late > 0)


@pytest.mark.parametrize("name", ["longer_sound.mkv", "longer_sound.mpg", "longer_sound.mp4", "gap.avi"])
def test_ground_truth_past_the_pictures_is_refused_however_long_the_sound(tmp_path, name):
    clip = tmp_path / name
    shutil.copy(MEDIA / name, clip)
    write_table(clip.with_suffix(".csv"), [({"frame": number}, label(number)) for number in (0, 12)])
    frames, source = play(clip)
    assert [frame.truth for frame in frames] == [None] * 12
    assert "reaches to frame 12, but this clip has 12 frames" in source.remark


def test_a_clip_that_is_cut_off_has_the_ground_truth_of_its_beginning(tmp_path):
    clip = cut(write_clip(tmp_path / "clip.avi", frames=30), 0.6)
    write_table(clip.with_suffix(".csv"), [({"frame": n, "time": n / 25}, label(0)) for n in range(30)])
    frames, source = play(clip)
    assert all(frame.truth is not None for frame in frames)
    assert "ground truth" not in source.remark
    assert "cut off" in source.remark


@pytest.mark.parametrize("write", [beside_as_table, beside_as_pts, as_300vw, as_pack])
def test_ground_truth_past_the_end_of_its_clip_is_refused_before_the_first_frame(clip, write):
    write(clip)
    write_clip(clip, frames=4)
    frames, source = play(clip)
    assert [frame.truth for frame in frames] == [None] * 4
    assert "reaches to frame 4, but this clip has 4 frames" in source.remark
    assert "logs of former versions" in source.remark


def test_of_a_frame_that_was_logged_again_the_last_time_counts_and_two_faces_are_still_two(clip):
    cells = [(0, 0), (1, 1), (0, 5), (1, 6), (1, 6)]  # frame, count
    rows = [({"frame": frame, "count": count}, label(number)) for number, (frame, count) in enumerate(cells)]
    write_table(clip.with_suffix(".csv"), rows)
    frames, source = play(clip)
    assert np.allclose(frames[0].truth.points, label(2))
    assert frames[1].truth is None
    assert source.remark == ""


def test_of_a_picture_that_was_logged_again_the_last_time_counts(album):
    rows = [({"image": "anna.png", "count": count}, label(number)) for number, count in ((1, 0), (2, 3))]
    write_table(album / "landmarks.csv", rows)
    assert np.allclose(play(album)[0][0].truth.points, label(2))


def as_spreadsheets_write(text: str) -> bytes:
    return text.replace(",", ";").replace(".", ",").replace("\n", ";;\r\n").encode("utf-8-sig")


def as_excel_announces(text: str) -> bytes:
    return "sep=;\n".encode("utf-16") + text.replace(",", ";").encode("utf-16")[2:]


def as_pandas_writes(text: str) -> bytes:
    heading, *rows = text.splitlines()
    return "\n".join([heading, *(row.replace(",", ".0,", 1) for row in rows), ""]).encode()


@pytest.mark.parametrize("encode", [as_spreadsheets_write, as_excel_announces, as_pandas_writes])
def test_tables_of_other_programs_are_read_as_they_are(clip, encode):
    beside_as_table(clip)
    table = clip.with_suffix(".csv")
    table.write_bytes(encode(table.read_text(encoding="utf-8")))
    frames, source = play(clip)
    assert source.remark == ""
    assert np.allclose(frames[4].truth.points, label(4))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_pts_files_have_marks_unknown_points_and_endings_in_any_case(album, encoding):
    points = label(1)
    points[0] = np.nan
    (album / "ANNA.PTS").write_text(pts_text(points), encoding=encoding)
    frames, source = play(album)
    assert source.remark == ""
    assert np.allclose(frames[0].truth.points, points, atol=1e-3, equal_nan=True)


def test_names_are_matched_however_they_are_spelt_and_rows_of_strangers_are_counted(folder):
    for name in ("zoe\u0308.png", "a.png", "=b.png"):
        write_picture(folder / name, np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    names = ("ZO\u00cb.PNG", "A.PNG", "'=b.png", "gone.png")
    write_table(folder / "Landmarks.CSV", [({"image": name}, label(number)) for number, name in enumerate(names)])
    frames, source = play(folder)
    assert {frame.name: frame.truth is not None for frame in frames} == dict.fromkeys(
        ("=b.png", "a.png", "zoe\u0308.png"), True
    )
    assert source.remark == "1 row(s) of Landmarks.CSV name no picture here, the first “gone.png”."


def test_tables_and_points_of_a_video_are_found_however_its_name_is_spelt(folder):
    clip = write_clip(folder / "zoe\u0308.avi", frames=2)
    (folder / "ZO\u00cb_000001.PTS").write_text(pts_text(label()), encoding="utf-8")
    assert [frame.truth is not None for frame in play(clip)[0]] == [False, True]
    write_table(folder / "ZO\u00cb.CSV", [({"frame": 0}, label())])
    assert [frame.truth is not None for frame in play(clip)[0]] == [True, False]
