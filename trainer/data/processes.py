"""Work divided among processes of this machine, of one thread each, or among the machines of a Ray cluster."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing import active_children, get_context, parent_process
from typing import Any, TypeVar

import cv2

from engine.core.errors import UnderstudyError, UsageError
from engine.core.texts import reason

AHEAD = 3  # items that are given out, for each process: enough that none waits, and few in memory
LOCAL = "local"  # stands for a Ray of this machine, made for this command
STORE = 200_000_000  # bytes of that Ray's memory for results, of which ours are small
CONNECTING = 10.0  # seconds to wait for a cluster

Item = TypeVar("Item")
Done = TypeVar("Done")


def in_order(work: Callable[[Item], Done], items: Iterable[Item], workers: int) -> Iterator[Done]:
    """Yield the results of a function of a module for items, in their order.

    With one worker it is called in this process. What an item's work raises is raised here, and ends the others.

    Raises:
        UsageError: a process was killed.
    """
    if workers == 1:
        yield from map(work, items)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker)
    given: deque[Future[Done]] = deque()
    try:
        for item in items:
            given.append(pool.submit(work, item))
            if len(given) == AHEAD * workers:
                yield given.popleft().result()
        while given:
            yield given.popleft().result()
    except BaseException as error:
        for process in set(active_children()) - others:  # what they have begun is of no use
            process.terminate()
        pool.shutdown(cancel_futures=True)  # its thread would fail, and say so, once the program ends
        if isinstance(error, BrokenProcessPool):
            raise UsageError(
                "One of the worker processes was killed",
                "the memory did not suffice for all of them, or somebody ended it",
                "start the same command again, perhaps with fewer --workers; what is finished stays",
            ) from error
        raise
    pool.shutdown()


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process ends the others
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End with a parent that was killed; else the process would wait for work for ever."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def on_ray(work: Callable[[Item], Done], items: Sequence[Item], address: str, workers: int) -> Iterator[Done]:
    """Yield the results of a function for items, as they are ready, by Ray Data; a killed process's are made again.

    Args:
        work: a function of a module, called once or, after a failure of a machine, several times for an item.
        items: what to call it for; they can be pickled.
        address: HOST:PORT of a cluster whose machines all have this program and the same files; `LOCAL` for one of this
            machine.
        workers: processes of `LOCAL`; a cluster says itself how many it has.

    Raises:
        UsageError: Ray is not installed, or no cluster answers.
    """
    if find_spec("ray") is None:
        raise UsageError(
            "Ray is not installed", "it is an extra", "run “pip install -e .[scale]”, or use --workers without --ray"
        )
    if address != LOCAL:
        _refuse_silent(address)
    # Ray sends usage figures to its maker unless it is forbidden; it looks here when it is imported and when it starts.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DATA_USAGE_DISABLED": "1"}
    import ray

    own: dict[str, Any] = {}
    if address == LOCAL:
        own = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": STORE}
    ray.init(address, logging_level="ERROR", log_to_driver=False, **own)
    try:
        ray.data.DataContext.get_current().enable_progress_bars = False
        rows = ray.data.from_items([{"item": pickle.dumps(item)} for item in items], override_num_blocks=len(items))
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # which its first use set otherwise
        for row in rows.map(_worked, fn_args=(work,)).iter_rows():
            if row["error"]:
                raise pickle.loads(row["error"])
            yield row["done"]
    finally:
        ray.shutdown()


def _refuse_silent(address: str) -> None:
    """Raise unless something listens at `HOST:PORT`; Ray itself would try for minutes, and end in a traceback."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECTING).close()
    except (OSError, ValueError, OverflowError) as error:
        raise UsageError(
            f"No Ray cluster answers at {address} ({reason(error)})",
            "it is not started, or the address is another one",
            "start it with “RAY_USAGE_STATS_ENABLED=0 ray start --head --disable-usage-stats --port 6379” and give "
            f"HOST:6379, or use --ray {LOCAL}",
        ) from error


def _worked(row: dict[str, Any], work: Callable[[Any], Any]) -> dict[str, Any]:
    cv2.setNumThreads(1)
    try:
        return {"done": work(pickle.loads(row["item"])), "error": b""}
    except (UnderstudyError, OSError) as error:  # Ray would wrap it and lose it
        return {"done": None, "error": pickle.dumps(error)}
