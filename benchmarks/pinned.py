"""Run many measurements at once, each in a process and on processors of its own."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from queue import Queue
from typing import Any


def apart(
    jobs: Iterable[Any], run: Callable[[Any, Callable[[], None]], Any], workers: int, each: int = 1
) -> Iterator[tuple[Any, Any]]:
    """Yield jobs with what `run` gave, as they end; begun in their order, `workers` at a time.

    Args:
        jobs: what is to be run.
        run: job and what its process must call first (`preexec_fn`) to stay on its processors.
        workers: how many at once.
        each: processors of each.
    """
    ours = sorted(os.sched_getaffinity(0))
    free: Queue[set[int]] = Queue()
    for i in range(workers):
        free.put(set(ours[i * each : (i + 1) * each]) or set(ours))

    def one(job: Any) -> Any:
        mine = free.get()
        try:
            return run(job, lambda: os.sched_setaffinity(0, mine))
        finally:
            free.put(mine)

    with ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(one, job): job for job in jobs}
        for done in as_completed(running):
            yield running[done], done.result()
