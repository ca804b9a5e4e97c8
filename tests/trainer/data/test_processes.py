"""Work in several processes: the same results in the same order, and none that was made is lost with a process."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from functools import partial
from importlib.util import find_spec

import cv2
import pytest

from engine.core.errors import PackError, SourceError, UsageError
from trainer.data.processes import AHEAD, in_order, on_ray

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the extra “scale” is not installed")


def doubled(number):
    return 2 * number, os.getpid(), cv2.getNumThreads()


def die_at_twenty(number):
    if number == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_once(mark, number):
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number):
    raise PackError(f"Pack {number} is damaged", "it was cut off", "copy it again")


def test_results_come_in_order_from_other_processes_of_one_thread():
    done = list(in_order(doubled, range(9), 2))
    assert [result for result, _, _ in done] == list(range(0, 18, 2))
    processes = {process for _, process, _ in done}
    assert os.getpid() not in processes
    assert 1 <= len(processes) <= 2
    assert {threads for _, _, threads in done} == {1}


def test_one_worker_is_this_process():
    assert {process for _, process, _ in in_order(doubled, range(3), 1)} == {os.getpid()}


def test_few_items_are_given_out_before_results_are_taken():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    threads = set(threading.enumerate())
    results = in_order(doubled, items(), 2)
    next(results)
    assert len(taken) == AHEAD * 2
    processes = [process.pid for process in multiprocessing.active_children()]
    assert processes
    results.close()
    assert not any(map(is_running, processes)), "nobody waits for the others"
    assert set(threading.enumerate()) == threads, "none is left that would fail when the program ends"


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_fault_66_a_killed_process_is_reported_after_what_came_before_it():
    results = in_order(die_at_twenty, range(30), 2)
    assert next(results) == 0
    with pytest.raises(UsageError, match="worker processes was killed.*fewer --workers"):
        list(results)


def test_errors_cross_between_processes_with_their_sentences():
    with pytest.raises(PackError) as caught:
        list(in_order(refuse, [7], 2))
    assert (caught.value.what, caught.value.why, caught.value.fix) == (
        "Pack 7 is damaged",
        "it was cut off",
        "copy it again",
    )


def test_without_ray_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("trainer.data.processes.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"Ray is not installed.*\[scale\]"):
        list(on_ray(doubled, [1], "local", 1))


@needs_ray
@pytest.mark.timeout(300)
def test_ray_gives_the_same_results_and_makes_those_of_a_killed_process_again(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    assert sorted(on_ray(partial(die_once, tmp_path / "mark"), list(range(6)), "local", 2)) == list(range(6))
    assert (tmp_path / "mark").exists()
    assert (os.environ["RAY_USAGE_STATS_ENABLED"], os.environ["RAY_DATA_USAGE_DISABLED"]) == ("0", "1")
    from ray._common.usage import usage_lib

    assert not usage_lib.usage_stats_enabled()
    with pytest.raises(PackError, match="Pack 7 is damaged"):
        list(on_ray(refuse, [7], "local", 1))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1", "auto", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_named(monkeypatch, address):
    monkeypatch.setattr("trainer.data.processes.find_spec", lambda name: True)
    with pytest.raises(UsageError, match=f"No Ray cluster answers at {address}"):
        list(on_ray(doubled, [1], address, 1))


def test_an_error_of_any_kind_keeps_its_parts():
    again = pickle.loads(pickle.dumps(SourceError("What", "why", "fix")))
    assert (str(again), again.fix) == ("What. Why. Fix.", "fix")
