"""The one watch of signals that ask the program to end."""

from __future__ import annotations

import signal

import pytest

from engine.core.interruption import SIGNALS, Interrupted, interruptible, interruption_watch


def test_a_second_ctrl_c_breaks_off_at_once_and_afterwards_all_is_as_before():
    former = signal.getsignal(signal.SIGINT)
    with interruption_watch() as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is former


@pytest.fixture
def heeded():
    """The signals to end are heeded, also where the tests themselves were started with one of them ignored."""
    former = {each: signal.signal(each, signal.default_int_handler) for each in SIGNALS}
    yield
    for each, before in former.items():
        signal.signal(each, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", SIGNALS)
def test_fault_64_every_signal_to_end_is_noted_first_and_breaks_off_next(number):
    former = {each: signal.getsignal(each) for each in SIGNALS}
    with interruption_watch() as interrupted:
        signal.raise_signal(number)
        assert interrupted.is_set()
        for each in SIGNALS:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(each)
    assert {each: signal.getsignal(each) for each in SIGNALS} == former


def test_a_signal_that_is_ignored_as_under_nohup_stays_so():
    ignored = SIGNALS[-1]
    former = signal.signal(ignored, signal.SIG_IGN)
    try:
        with interruption_watch() as interrupted:
            signal.raise_signal(ignored)
            assert not interrupted.is_set()
    finally:
        signal.signal(ignored, former)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", SIGNALS)
def test_where_nothing_notes_a_signal_it_ends_the_command_with_its_exit_code(number):
    with pytest.raises(Interrupted) as stop, interruptible():
        signal.raise_signal(number)
    assert stop.value.exit_code == 128 + number
    with interruptible():
        with interruption_watch() as noted:
            signal.raise_signal(number)
        assert noted.exit_code == 128 + number
        with pytest.raises(Interrupted):
            signal.raise_signal(number)


@pytest.mark.usefixtures("heeded")
def test_a_terminal_that_hangs_up_twice_means_it_once():
    number = SIGNALS[-1]
    with interruption_watch() as noted:
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert noted.is_set()
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("heeded")
def test_a_repetition_after_a_while_breaks_off(monkeypatch):
    monkeypatch.setattr("engine.core.interruption.REPEATED_WITHIN", -1.0)
    with interruption_watch():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)
