"""The real window on two screens, one of which is unplugged."""

from __future__ import annotations

import pytest

from tests.e2e.desktop import assert_clean, until

pytestmark = pytest.mark.alone

PANEL = (0x1A, 0x1D, 0x22)  # the side panel's colour


@pytest.mark.parametrize("presenting", [False, True], ids=["window", "presenter"])
def test_fault_92_a_screen_is_unplugged_while_the_window_is_on_it(two_screens, presenting):
    two_screens.start("sample")
    until(lambda: two_screens.shows() == (True, False))
    two_screens.move_right()
    until(lambda: two_screens.shows() == (False, True))
    if presenting:
        two_screens.press("p")
        until(lambda: two_screens.share(PANEL) < 0.01)
        until(lambda: two_screens.shows() == (False, True))

    two_screens.unplug_right()
    until(lambda: two_screens.shows() == (True, False))
    two_screens.until_changed(two_screens.picture(), 0.2)
    assert (two_screens.share(PANEL) < 0.01) == presenting, "it presents on"

    two_screens.press("ctrl+q")
    code, errors = two_screens.wait_for_exit()
    assert code == 0
    assert_clean(errors)
