"""The page Review in the real window: keys, lists, curves, marks, and logs with something wrong."""

from __future__ import annotations

import json
import threading

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QInputDialog

from app.review import review_page
from app.shell.main_window import LIVE_PAGE
from tests.app.conftest import LONGEST_GAP
from tests.fakes.clips import write_clip
from tests.fakes.session_logs import WORST, logged_clip


@pytest.fixture
def review(window, qtbot, tmp_path):
    """Return a function that opens a log in the window and returns the page once a frame is shown."""

    def open_log(path, clip=None):
        page = window.review
        before = page.loaded
        window.show_review(path, clip)
        qtbot.waitUntil(lambda: page.loaded is not before and page.loaded is not None and page.view.shown is not None)
        qtbot.waitUntil(lambda: not page.playhead.waits)
        return page

    return open_log


def number_on(page):
    return page.view.shown.number


def lightness(page):
    return float(page.view.shown.frame.image[40, 60].mean())


def go(page, qtbot, number):
    qtbot.waitUntil(lambda: number_on(page) == number and not page.playhead.waits)
    assert page.view.shown.frame.number == number


def test_frames_are_stepped_skipped_and_scrubbed_by_keys_and_mouse(window, review, qtbot, tmp_path, heartbeat):
    page = review(logged_clip(tmp_path))
    assert window.pages.currentWidget() is page
    assert (number_on(page), [lane for lane, _ in page.view.shown.lanes]) == (0, [0, 1])
    qtbot.keyClick(window, Qt.Key.Key_Right)
    go(page, qtbot, 1)
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    go(page, qtbot, 49)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    go(page, qtbot, 48)
    qtbot.keyClick(window, Qt.Key.Key_Home)
    go(page, qtbot, 0)
    area = page.curves._inside()
    qtbot.mouseClick(page.curves, Qt.MouseButton.LeftButton, pos=QPoint(round(area.center().x()), 60))
    qtbot.waitUntil(lambda: 22 <= number_on(page) <= 27)
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_it_plays_in_real_time_and_holds_at_the_end(window, review, qtbot, tmp_path):
    page = review(logged_clip(tmp_path, frames=20))
    seen = []
    page.view.painted.connect(seen.append)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: number_on(page) == 19, timeout=8000)
    assert page.play.sign == "play"
    assert seen == sorted(seen)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: 0 < number_on(page) < 19)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    held = page.playhead.place
    qtbot.wait(200)
    assert page.playhead.place == held


def test_the_worst_frames_are_listed_and_reached_by_keys(window, review, qtbot, tmp_path):
    page = review(logged_clip(tmp_path))
    assert page.worst.item(0).text().startswith("0:01.2")
    qtbot.keyClick(window, Qt.Key.Key_W)
    go(page, qtbot, WORST)
    assert "difference" in page.lanes._values[0].text()
    second = page.loaded.curves.worst[1].place
    qtbot.keyClick(window, Qt.Key.Key_W)
    go(page, qtbot, second)
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    go(page, qtbot, WORST)


def test_marks_are_put_named_found_and_removed_and_stay_for_the_next_time(window, review, qtbot, tmp_path):
    log = logged_clip(tmp_path)
    page = review(log)
    for place in (7, 21):
        page.playhead.go_to(place)
        qtbot.keyClick(window, Qt.Key.Key_K)
    page._changing(lambda marks: marks.describe(21, "blinks"))
    qtbot.keyClick(window, Qt.Key.Key_J)
    go(page, qtbot, 7)
    qtbot.keyClick(window, Qt.Key.Key_J)
    go(page, qtbot, 21)
    qtbot.keyClick(window, Qt.Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    go(page, qtbot, 7)
    qtbot.keyClick(window, Qt.Key.Key_K)
    assert [page.marks.item(row).text() for row in range(page.marks.count())] == ["0:00.8   blinks"]
    saved = json.loads((tmp_path / "clip landmarks.marks.json").read_text("utf-8"))["marks"]
    assert saved == [{"frame": 21, "words": "blinks"}]
    again = review(log)
    assert again.marks.count() == 1
    qtbot.mouseClick(
        again.marks.viewport(), Qt.MouseButton.LeftButton, pos=again.marks.visualItemRect(again.marks.item(0)).center()
    )
    go(again, qtbot, 21)


def test_words_for_a_mark_do_not_reach_a_log_that_was_opened_meanwhile(window, review, qtbot, tmp_path):
    page = review(logged_clip(tmp_path))
    page.playhead.go_to(7)
    qtbot.keyClick(window, Qt.Key.Key_K)
    page._describe(0)
    dialog = page.findChild(QInputDialog)
    (tmp_path / "other").mkdir()
    review(logged_clip(tmp_path / "other"))
    dialog.setTextValue("blinks")
    dialog.accept()
    assert page.marks.count() == 0
    assert list((tmp_path / "other").glob("*.marks.json")) == []


def test_a_lane_that_is_switched_off_is_not_drawn(review, qtbot, tmp_path):
    page = review(logged_clip(tmp_path, lanes=3))
    with_all = page.view.grab().toImage()
    page.lanes._boxes[1].click()
    assert [lane for lane, _ in page.view.shown.lanes] == [0, 2]
    assert page.view.grab().toImage() != with_all


def test_landmarks_lie_where_the_log_says(review, qtbot, tmp_path):
    page = review(logged_clip(tmp_path, lanes=1))
    page.view.contours = False
    image = page.view.grab().toImage()
    scale = page.view.width() / 64 if page.view.width() / 64 < page.view.height() / 48 else page.view.height() / 48
    left, top = (page.view.width() - 64 * scale) / 2, (page.view.height() - 48 * scale) / 2
    x, y = page.loaded.log.lanes[0].frames[0].faces[0].landmarks[30].tolist()
    ratio = image.devicePixelRatio()
    place = round((left + (x + 0.5) * scale) * ratio), round((top + (y + 0.5) * scale) * ratio)
    colour = image.pixelColor(*place)
    assert (colour.red(), colour.green(), colour.blue()) == pytest.approx((0x4F, 0xD8, 0xF0), abs=40)


def test_fault_91_without_its_clip_landmarks_and_curves_are_shown_and_the_clip_can_be_chosen(review, qtbot, tmp_path):
    log = logged_clip(tmp_path)
    (tmp_path / "far").mkdir()
    clip = (tmp_path / "clip.avi").rename(tmp_path / "far" / "film.avi")
    page = review(log)
    assert page.view.shown.frame is None
    assert len(page.view.shown.lanes) == 2
    assert "clip.avi is neither beside the log" in page.banner.text
    assert [button.text() for button in page.banner.remedy_buttons] == ["Choose the clip …"]
    page = review(log, clip)
    assert page.view.shown.frame is not None
    assert not page.banner.isVisible()
    page = review(log)
    assert page.view.shown.frame is not None, "it is remembered beside the marks"


def test_fault_91_another_clip_a_cut_log_and_no_log_get_a_sentence(window, review, qtbot, tmp_path):
    log = logged_clip(tmp_path)
    (tmp_path / "other").mkdir()
    other = write_clip(tmp_path / "other" / "other.avi", frames=20)
    page = review(log, other)
    assert "checksum differs" in page.banner.text
    assert page.view.shown.frame is not None
    page.playhead.go_to(40)
    qtbot.waitUntil(lambda: not page.playhead.waits)
    assert page.view.shown.frame is None, "it has no such frame, but the landmarks are shown"
    log.write_bytes(log.read_bytes()[:-100])
    assert "cut off" in review(log).banner.text
    shown = page.loaded
    window.show_review(tmp_path / "other" / "other.avi")
    qtbot.waitUntil(lambda: "is no log" in page.banner.text)
    assert page.loaded is shown
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not page.banner.isVisible()


@pytest.mark.parametrize("is_log", [True, False], ids=["a slow log", "a slow failure"])
def test_the_log_that_was_asked_for_last_is_shown_also_where_a_former_one_is_read_later(
    window, qtbot, tmp_path, monkeypatch, is_log
):
    go_on, read, clips = threading.Event(), review_page.load, []

    def slowly(path, clip, elsewhere):
        if path != slow:
            return read(path, clip, elsewhere)
        go_on.wait(20)
        loaded = read(path, clip, elsewhere)
        clips.append(loaded.clip.source)
        return loaded

    monkeypatch.setattr(review_page, "load", slowly)
    for name in ("slow", "fast"):
        (tmp_path / name).mkdir()
    slow, fast = (logged_clip(tmp_path / name, frames=10) for name in ("slow", "fast"))
    if not is_log:
        slow.write_text("nothing", "utf-8")
    page = window.review
    window.show_review(slow)
    window.show_review(fast)
    qtbot.waitUntil(lambda: page.loaded is not None and page.loaded.log.path == fast)
    go_on.set()
    qtbot.waitUntil(lambda: page._loading == 0)
    assert page.loaded.log.path == fast
    assert not page.banner.isVisible()
    assert [source.read() for source in clips] == ([None] if is_log else [])


def test_a_mark_that_cannot_be_saved_is_not_reported_as_put(window, review, qtbot, tmp_path):
    page = review(logged_clip(tmp_path))
    said = []
    page.reported.connect(said.append)
    page.loaded.marks.path = tmp_path / "clip.avi" / "clip.marks.json"
    page.toggle_mark()
    assert said == []
    assert "marks cannot be saved" in page.banner.text
    assert page.marks.count() == 1, "it holds until the log is closed"


def test_a_shorter_log_without_a_clip_follows_the_last_frame_of_a_longer_one(review, qtbot, tmp_path):
    (tmp_path / "long").mkdir()
    (tmp_path / "short").mkdir()
    page = review(logged_clip(tmp_path / "long", frames=40))
    page.playhead.go_to(39)
    go(page, qtbot, 39)
    short = logged_clip(tmp_path / "short", frames=10)
    (tmp_path / "short" / "clip.avi").unlink()
    page = review(short)
    assert (page.playhead.place, number_on(page)) == (0, 0)


def test_a_review_opens_no_source_before_the_page_live_is_shown(window, engine, qtbot, tmp_path):
    window.start_review(logged_clip(tmp_path), None)
    qtbot.waitUntil(lambda: window.review.view.shown is not None)
    assert engine.opened == []
    window.top_bar.choose(LIVE_PAGE)
    qtbot.waitUntil(lambda: engine.opened != [])


def test_a_dropped_log_is_reviewed_and_the_last_log_is_offered(window, qtbot, tmp_path):
    log = logged_clip(tmp_path)
    window._open_dropped([str(log)])
    qtbot.waitUntil(lambda: window.review.loaded is not None)
    assert not window.review.offered.isVisible()
    window.live.outputs.log_written.emit(log)
    assert window.review.offered.isVisible()
    before = window.review.loaded
    window.review.offered.click()
    qtbot.waitUntil(lambda: window.review.loaded is not before)


def test_keys_of_the_review_do_nothing_on_other_pages(playing, qtbot):
    for key in (Qt.Key.Key_K, Qt.Key.Key_J, Qt.Key.Key_W):
        qtbot.keyClick(playing, key)
    assert playing.review.loaded is None
