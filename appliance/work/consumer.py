"""Huey's consumer with its threads' pulses: what tells a hung consumer from a busy one."""

import logging
import threading
import time
from typing import Any

from huey.api import Huey
from huey.consumer import Consumer, Scheduler, Worker

from appliance.work.queue import QueueError

SCHEDULER_LOOKS = 10  # seconds; it has nothing to put off, and a minute's tasks it finds as soon as need be
LONGEST_SILENCE = 60.0  # seconds; a thread beats every second, and every few while it waits for the child

log = logging.getLogger(__name__)


class Pulse:
    """When each of the consumer's threads was last seen going round."""

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}

    def beat(self) -> None:
        """Note that the calling thread is going round."""
        self._beats[threading.current_thread().name] = time.monotonic()

    def steady(self) -> bool:
        """Return whether every thread has beaten lately."""
        now = time.monotonic()
        return all(now - beat < LONGEST_SILENCE for beat in list(self._beats.values()))


def create_consumer(queue: Huey, pulse: Pulse, *, workers: int = 1) -> Consumer:
    """Return a consumer of `queue`, not yet started, that beats `pulse` and leaves signals to its owner."""

    class PulsedWorker(Worker):  # type: ignore[misc]  # huey has no types
        def loop(self, now: Any = None) -> None:
            pulse.beat()
            super().loop(now)

    class PulsedScheduler(Scheduler):  # type: ignore[misc]
        def loop(self, now: Any = None) -> None:
            pulse.beat()
            super().loop(now)

        def enqueue_periodic_tasks(self, now: Any) -> None:
            for task in self.huey.read_periodic(now):
                try:
                    self.huey.enqueue(task)
                except QueueError as error:
                    log.warning("%s does not begin yet; the next minute tries again: %s", task.name, error)

    class PulsedConsumer(Consumer):  # type: ignore[misc]
        worker_class = PulsedWorker
        scheduler_class = PulsedScheduler

        def _set_signal_handlers(self) -> None:
            """Leave them: SIGHUP would have Huey start a command line of its own making."""

    return PulsedConsumer(
        queue,
        workers=workers,
        worker_type="thread",
        periodic=True,
        initial_delay=0.2,
        max_delay=1,
        scheduler_interval=SCHEDULER_LOOKS,
        shutdown_timeout=10,
    )
