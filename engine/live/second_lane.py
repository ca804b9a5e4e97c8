"""The second lane's thread: frames that the first lane offers, worked on at their own pace or in step with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.mailbox import Mailbox
from engine.live.lane import Lane
from engine.live.settings import LiveSettings
from engine.live.state import SourceState
from engine.render.scene import Layout


@dataclass(frozen=True)
class Offer:
    """A frame for the second lane.

    Attributes:
        frame: the frame.
        in_step: whether the first lane waits for its result and publishes both pictures.
        counts: tells whether the frame is still of use; if not, nothing of it may be shown.
    """

    frame: Frame
    in_step: bool
    counts: Callable[[], bool]


class SecondLane:
    """Runs a lane on a thread of its own. A frame that it cannot take in time makes room for the newest.

    Args:
        lane: what works on the frames; belongs to the thread from `start` on.
        settings: tells what the user set.
        state: tells what the source is doing.
        found: called with every result, on the thread.
        tell: called when there is something new to see.
        tick: seconds after which the thread looks around when no frame comes.
    """

    def __init__(
        self,
        lane: Lane,
        settings: Callable[[], LiveSettings],
        state: Callable[[], SourceState],
        found: Callable[[Result], None],
        tell: Callable[[], None],
        tick: float,
    ) -> None:
        self.lane = lane
        self._settings, self._state, self._found, self._tell, self._tick = settings, state, found, tell, tick
        self._offers: Mailbox[Offer] = Mailbox()
        self._finished: Mailbox[int] = Mailbox()
        self._stopping = threading.Event()
        self._holding = threading.Lock()
        self._held: Offer | None = None  # its picture waits for the first lane's
        self._offered = self._awaited = -1  # ids of frames
        self.latest: Result | None = None
        self._thread = threading.Thread(target=self._run, name="second inference", daemon=True)

    def start(self) -> None:
        """Begin to build the pipeline and to wait for frames."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End; return whether the thread ended within `timeout` seconds."""
        self._stopping.set()
        self._offers.close()
        self._finished.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def offer(self, frame: Frame, in_step: bool, counts: Callable[[], bool] = lambda: True) -> None:
        """Give a frame, in place of one that was not taken yet; see `Offer`."""
        self._offered = frame.id
        self._awaited = frame.id if in_step else -1
        self._offers.replace(Offer(frame, in_step, counts))

    def catch_up(self, frame: Frame, counts: Callable[[], bool] = lambda: True) -> None:
        """While the picture stands still: give the frame on screen, unless it was given before."""
        if frame.id != self._offered:
            self.offer(frame, in_step=False, counts=counts)

    def wait_for(self, frame: Frame, wanted: Callable[[], bool]) -> Result | None:
        """Return the result of a frame that was offered in step; None if it failed or is not `wanted` any more."""
        while wanted() and not self._stopping.is_set():
            if self._finished.take(self._tick) == frame.id:
                latest = self.latest
                return latest if latest is not None and latest.frame.id == frame.id else None
        self._awaited = -1
        return None

    def publish(self, shown: Frame | None = None) -> None:
        """Hand over the picture that was held back, if it is of `shown`, the first lane's frame, or still of use."""
        with self._holding:
            held = self._held
            if held is not None and (held.frame is shown or held.counts()):
                self.lane.publish()
            self._held = None  # only now may this lane's thread draw again

    def withdraw(self) -> None:
        """Never hand the picture over that was held back: its frame is of no use any more."""
        with self._holding:
            self._held = None

    def break_off(self) -> None:
        """The next frame does not follow the last one in time."""
        self.lane.gap = True

    def forget(self) -> None:
        """What was found so far must not be compared with any more; a picture that stands still is looked at anew."""
        self.latest, self._offered = None, -1

    def _run(self) -> None:
        self.lane.build()
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception as error:  # whatever it is, the next frame may be a better one
                self.lane.fail_frame(error)

    def _turn(self) -> None:
        model_changed = self.lane.exchange_model()
        if model_changed:
            self.forget()
        offer = self._offers.take(self._tick)
        if offer is not None:
            self._answer(offer)
        elif self._held is not None:
            if self._awaited < 0:  # the first lane gave up waiting just before the picture was held back
                self.publish()
                self._tell()
        elif self._settings().layout is Layout.SINGLE:
            self.forget()
            self.lane.clear()
        else:
            self.lane.refresh(self._settings(), self._state(), model_changed)

    def _answer(self, offer: Offer) -> None:
        """Work on a frame; whatever happens, the first lane does not wait for it any longer."""
        result = None
        try:
            result = self._work(offer)
        finally:
            if offer.in_step:
                self._finished.replace(offer.frame.id)
        self.lane.judge(result)

    def _work(self, offer: Offer) -> Result | None:
        """Find and show what there is on a frame; return the result if it was shown."""
        settings, frame = self._settings(), offer.frame
        result = self.lane.process(frame, 0.0, settings)
        if not offer.counts():
            return None
        self.lane.show(frame, result, settings)
        self.latest = result
        if result is not None:
            self._found(result)
        if offer.in_step:
            with self._holding:
                self._held = offer
        else:
            self.lane.publish()
            self._tell()
        return result
