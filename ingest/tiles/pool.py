"""Work on all cores: a bounded number of pieces at a time, results as they come."""

import multiprocessing
import os
import resource
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from typing import TypeVar

from twin.model.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")
WORKER_BYTES = 8 << 30
"""Address space of one process: a content that wants more is refused instead of taking the machine down."""


def count_workers(wished: int = 0) -> int:
    """Return how many processes to use: ``wished``, or one for every core this process may use."""
    return wished if wished > 0 else len(os.sched_getaffinity(0))


def run_all(function: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """Yield ``function(job)`` of every job, in the order they finish; at most twice as many wait as work.

    With one worker everything runs in this process. Worker processes go when this one does, killed or not.

    Raises
    ------
    InputError : a worker process was killed, most likely for want of memory
    """
    if workers <= 1:
        yield from map(function, jobs)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_follow_parent)
    try:
        yield from _feed(pool, function, iter(jobs), 2 * workers)
    except BrokenProcessPool as e:
        raise InputError(
            "a worker process was killed, most likely for want of memory; the same command goes on where it "
            f"was: give it fewer processes (--workers {max(workers // 2, 1)})"
        ) from e
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _feed(
    pool: ProcessPoolExecutor, function: Callable[[Job], Result], jobs: Iterator[Job], room: int
) -> Iterator[Result]:
    waiting: set[Future[Result]] = set()
    for job in jobs:
        waiting.add(pool.submit(function, job))
        if len(waiting) >= room:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _follow_parent() -> None:
    """End this worker when its parent is gone, whatever ended it, and bound its memory."""
    resource.setrlimit(resource.RLIMIT_AS, (WORKER_BYTES, WORKER_BYTES))
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
