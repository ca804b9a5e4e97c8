"""A video file as a source of frames."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.formats.container_header import LONGEST_SECONDS, read_container_header
from engine.formats.images import LONGEST_SIDE
from engine.formats.plain_name import PlainName
from engine.sources.base import FALLBACK_RATE, SourceKind, place_shown, to_rgb
from engine.sources.camera import VideoCapture
from engine.sources.frame_times import FrameTimes, said_seconds
from engine.sources.recent_frames import RecentFrames
from engine.sources.truth import truth_of_video
from engine.sources.video_refusals import av1, check_file, not_a_video, only_sound

log = logging.getLogger(__name__)

# Frame rates in headers beyond these bounds are wrong.
SLOWEST_RATE, FASTEST_RATE = 0.5, 240.0
# Rates beyond these are no rates: that of a cover picture in a file of sound is 90000.
SLOWEST_REPORTED, FASTEST_REPORTED = 1 / 60, 10_000.0
# Headers count a few frames more than can be decoded, even in undamaged files.
COUNT_TOLERANCE = 0.02
# Pixels that are wider or narrower than this are not believed; nearly square ones are left as they are.
MOST_PIXEL_ASPECT, SQUARE_WITHIN = 8.0, 0.01
# Seconds before a frame at which decoding starts. The decoder may seek too far, as it assumes a constant rate.
RUN_UPS = (0.1, 1.0, 10.0)
# The same for a few frames back: the frames before it are decoded too, as more steps back will follow.
STEP_BACK_RUN_UPS = (0.5, *RUN_UPS)
FEW_FRAMES = 30


class VideoSource:
    """The frames of a video file, each at its own time, turned, mirrored and in square pixels as its container says.

    The end is found by reading, as the number of frames in the header is only a hint: `frame_count` stays None until
    the end was seen. Frames have ground truth where files next to the video label one of their faces.

    Args:
        path: the file.
        open_capture: opens a file by its name and backend.

    Raises:
        SourceError: the file is missing, empty, or holds no picture that can be decoded.
    """

    kind = SourceKind.VIDEO

    def __init__(self, path: Path, open_capture: Callable[[str, int], VideoCapture] = cv2.VideoCapture) -> None:
        check_file(path)
        self.name, self._path = path.name, path
        self.frame_count: int | None = None
        self._open_capture = open_capture
        try:
            self._plain = PlainName(path)
        except OSError as error:
            raise SourceError(
                f"The video {path} cannot be opened by its name ({error.strerror})",
                "the name holds characters that the decoder does not take, and no link to the file can be made",
                "rename it",
            ) from error
        self._times: FrameTimes | None = None  # needed only for seeking
        self._capture = self._open()
        reported = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.rate: float | None = reported if SLOWEST_RATE <= reported <= FASTEST_RATE else FALLBACK_RATE
        self._reported = reported if SLOWEST_REPORTED <= reported <= FASTEST_REPORTED else None
        self._period = 1 / (self._reported or self.rate)  # seconds
        self._announced = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._header = read_container_header(path)
        self._next_id = 0
        self._first = 0.0  # seconds that the decoder says of the first frame, from which times count
        self._time = self._longest = self._longest_step = 0.0
        self._latest = -1.0  # number of the newest frame by its time in the file and the rate
        self._blank = True  # whether every frame so far was of one even colour, that of the first
        self._colour: NDArray[Any] | None = None
        self._ended = self._closed = False
        self._truth = truth_of_video(path)
        # A file must not be released while a read is inside the decoder: that ends the whole program.
        self._decoder = threading.Lock()
        self._recent = RecentFrames()  # the last of them is at the position of the decoder
        # Only a picture proves that this is a video.
        picture = self._decode() if self._capture.isOpened() else None
        if picture is None:
            self._capture.release()
            refusal = av1 if self._header.av1 else only_sound if self._header.only_sound else not_a_video
            raise refusal(path)
        said = said_seconds(self._capture)
        self._first = said if abs(said) <= LONGEST_SECONDS else 0.0
        self._recent.add(0, self._frame_time(), picture)
        self._check_truth()

    @property
    def remark(self) -> str:
        """Sentences on useless ground truth, and on an end long before the header's, as of damaged files; else ""."""
        remarks = [self.truth_remark]
        if self._ended and (cut := self._cut()):
            remarks.insert(0, f"{cut}. It is cut off or damaged: copy or download it again.")
        if self._ended and self._blank and self._next_id > 1:
            empty = f"Each of the {self._next_id} frames of {self.name} is of the same even colour"
            remarks.insert(0, f"{empty}: it is empty, or cannot be decoded here. Convert it, for example to MP4.")
        return " ".join(filter(None, remarks))

    @property
    def truth_remark(self) -> str:
        """Sentences on ground truth that could not be used; "" if there was none."""
        return self._truth.remark

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end of what can be decoded and once the source was closed."""
        with self._decoder:
            if self._ended or self._closed:
                return None
            if self._recent.get(self._next_id) is None:
                self._read_on()
            recent = self._recent.get(self._next_id)
            if recent is None:
                self._ended = True
                self.frame_count = self._next_id
                return None
            moment, picture = recent
            image = self._as_shown(to_rgb(picture, self.name))  # asks the decoder how pictures are shown
        truth = self._truth.of(self._next_id, image, moment)
        frame = Frame(self._next_id, time.monotonic(), image, self.name, time=moment, truth=truth, file=self._path)
        self._next_id += 1
        return frame

    @property
    def duration(self) -> float | None:
        """Seconds that the file lasts: as read, else by its header; None if that is implausible."""
        period = self._period
        last = None if self._times is None or self._times.count is None else self._times.time(self._times.count - 1)
        ended = last is not None or self.frame_count is not None
        read = self._longest if last is None else last + period
        header = self._header.seconds or 0.0
        if not ended:
            read = max(read, header or self._announced * period)
        elif 0 < header - read + period <= max(period, self._longest_step):
            read = header  # only the header knows how long the last frame is shown
        return read if 0 < read <= LONGEST_SECONDS else None

    def place_at(self, seconds: float) -> int:
        """Return the place of the frame that is shown at a moment, the last one after the end."""
        with self._decoder:
            place = None if self._closed else self._known_times().place_at(seconds)
            return place_shown(seconds, self.rate or FALLBACK_RATE) if place is None else place

    def seek(self, place: int) -> None:
        """Let the next `read` return the frame at `place`, or the last one that can be decoded."""
        with self._decoder:
            if self._closed:
                return
            times = self._known_times()
            if times.time(place) is None and times.count:
                place = times.count - 1
            self.frame_count = self.frame_count or times.count
            if self._recent.get(place) is None and not self._run_up_to(place, times.time(place)):
                place = self._count_up_to(place)
            self._next_id, self._ended = place, False

    def close(self) -> None:
        """Release the file as soon as no read is inside the decoder."""
        self._closed = True
        with self._decoder:
            self._capture.release()
            if self._times is not None:
                self._times.close()

    def _open(self) -> VideoCapture:
        # FFmpeg by name: other backends would take a file with a number in its name for a series of pictures.
        capture = self._open_capture(self._plain.text, cv2.CAP_FFMPEG)
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return capture

    def _as_shown(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a decoded picture, which is turned already, as the container wants it shown.

        Pixels that are not square become so by widening or heightening the picture, so that none is lost.
        """
        sideways = self._capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 90
        if self._header.mirrored:
            # The turn is that of the upper edge, so what is left is mirrored across this edge's direction.
            image = cv2.flip(image, 1 if sideways else 0)
        over, under = self._capture.get(cv2.CAP_PROP_SAR_NUM), self._capture.get(cv2.CAP_PROP_SAR_DEN)
        aspect = over / under if over > 0 and under > 0 else 1.0
        if abs(aspect - 1) <= SQUARE_WITHIN or not 1 / MOST_PIXEL_ASPECT <= aspect <= MOST_PIXEL_ASPECT:
            return image
        aspect = 1 / aspect if sideways else aspect
        height, width = image.shape[:2]
        size = round(width * max(aspect, 1)), round(height * max(1 / aspect, 1))
        return cv2.resize(image, size) if max(size) <= LONGEST_SIDE else image

    def _check_truth(self) -> None:
        """Refuse ground truth that does not fit the whole clip before any of it is used.

        What was counted on it could not be taken back. Packets are read for this without decoding; only where their
        times are others, or unusable, as in damaged files, are frames decoded up to the first that differs.
        """
        if self._truth.last < 0:
            return
        known = self._header.counted and self._truth.last < self._announced
        if not known and not self._header.cut and not self._known_times().reaches(self._truth.last):
            self._truth.refuse_beyond(self._known_times().packets)
        if self._truth.times and not self._truth.agrees_with(self._known_times().time):
            self._truth.refuse_other_times(self._decoded_times())

    def _decoded_times(self) -> Iterator[float]:
        """Yield the time of each frame by decoding all of them, from the beginning."""
        capture = self._open()
        moment = 0.0
        try:
            for place in count():
                if not capture.grab():
                    return
                moment = self._time_after(moment, place, said_seconds(capture))
                yield moment
        finally:
            capture.release()

    def _cut(self) -> str:
        """Return what is missing at the end by the header, as a sentence without its full stop; "" if nothing is known.

        Where the header counts frames, their number is compared; where it says how long the pictures play, the end of
        the last one, unless it may be shown as long as any other.
        """
        header, period = self._header, self._period
        counted = header.counted and not header.trimmed and 0 < self._announced * period <= LONGEST_SECONDS
        if counted and self._announced - self._next_id > max(2.0, COUNT_TOLERANCE * self._announced):
            return f"The video {self.name} ended after {self._next_id} of {round(self._announced)} frames"
        # By the container, the first frame may be shown later than its beginning.
        end = max(self._longest, (self._latest + 1) * period)
        seconds = header.seconds if header.seconds is not None and not counted else 0.0
        if seconds - end > max(2 * period, COUNT_TOLERANCE * seconds, self._longest_step + period):
            return f"The video {self.name} ended after {self._longest:.2f} of {seconds:.2f} seconds"
        if header.cut:
            return f"The end of the video {self.name} is missing; {self._next_id} frames were there"
        return ""

    def _known_times(self) -> FrameTimes:
        if self._times is None:
            self._times = FrameTimes(self._open, self._first, self._header.as_stored, self._period)
        return self._times

    def _run_up_to(self, place: int, time: float | None) -> bool:
        """Decode up to the frame at `place`, shown at `time`, from shortly before it; return whether it was found."""
        if time is None:
            return False
        times = self._known_times()
        for run_up in STEP_BACK_RUN_UPS if 0 < self._next_id - place <= FEW_FRAMES else RUN_UPS:
            self._capture.set(cv2.CAP_PROP_POS_MSEC, max(0.0, time + self._first - run_up) * 1e3)
            while (picture := self._decode()) is not None:
                found = times.place_of(said_seconds(self._capture)) or 0
                if found > place:
                    break
                self._time = times.time(found) or 0.0
                self._longest = max(self._longest, self._time + self._period)
                self._recent.add(found, self._time, picture)
                if found == place:
                    return True
        return False

    def _count_up_to(self, place: int) -> int:
        """Decode up to the frame at `place` from the beginning; return the place of the last frame there was.

        Slow, but correct with any header.
        """
        while True:
            self._capture.release()
            self._capture = self._open()
            self._next_id = 0
            while self._next_id < place and self._capture.grab():
                self._frame_time()
                self._next_id += 1
            if self._read_on() or not self._next_id:
                return self._next_id
            place, self.frame_count = self._next_id - 1, self._next_id

    def _read_on(self) -> bool:
        """Decode the next frame at the decoder's position; return whether there was one."""
        picture = self._decode()
        if picture is not None:
            self._recent.add(self._next_id, self._frame_time(), picture)
        return picture is not None

    def _decode(self) -> NDArray[Any] | None:
        try:
            done, picture = self._capture.read()
        except cv2.error as error:
            log.warning("Decoding %s failed: %s", self.name, error)
            return None
        if not done or picture is None or not picture.size:
            return None
        if self._blank:
            self._colour = picture[:1, :1].copy() if self._colour is None else self._colour
            self._blank = bool((picture[::8, ::8] == self._colour).all() and (picture == self._colour).all())
        self._latest = max(self._latest, self._capture.get(cv2.CAP_PROP_PTS))
        return picture

    def _time_after(self, before: float, place: int, said: float) -> float:
        """Return the time in seconds of the frame at `place`, of which the decoder says `said`, after one at `before`.

        That is one period later where the file has no plausible one.
        """
        # Where the decoder held frames back, only the packets say when they are shown.
        stored = self._known_times().time(place) if self._header.as_stored and self._first else None
        reported = said - self._first if stored is None else stored
        if place == 0:
            return 0.0
        return reported if math.isfinite(reported) and reported > before else before + 1 / (self.rate or FALLBACK_RATE)

    def _frame_time(self) -> float:
        """Return the time of the frame that was decoded last."""
        before = self._time
        self._time = self._time_after(before, self._next_id, said_seconds(self._capture))
        self._longest_step = max(self._longest_step, self._time - before)
        self._longest = max(self._longest, self._time + self._period)
        return self._time
