"""A process of its own that asks for health and for single images, and keeps the times."""

import http.client
import json
import multiprocessing
import statistics
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

# The pauses between two requests, in seconds.
HEALTH_PAUSE = 0.05
SAMPLE_PAUSE = 0.25


class Times(NamedTuple):
    """What the probe saw since the last reading: seconds of each response, and failures."""

    health: list[float]
    sample: list[float]
    failures: list[str]

    def health_p99(self) -> float:
        times = sorted(self.health)
        return times[min(len(times) - 1, int(len(times) * 0.99))] if times else float("inf")

    def sample_p50(self) -> float:
        return statistics.median(self.sample) if self.sample else float("inf")


def timed_get(connection: http.client.HTTPConnection, path: str) -> tuple[float, int]:
    started = time.monotonic()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return time.monotonic() - started, response.status


def keep_asking(pipe: Connection, port: int, path: str, pause: float, accepted: set[int]) -> None:
    """Asks for `path` with a growing seed until the pipe is closed. A pause follows each response."""
    times: list[float] = []
    failures: list[str] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    number = 0
    while True:
        number += 1
        started = time.monotonic()
        try:
            seconds, status = timed_get(connection, path.format(number=number))
            times.append(seconds)
            if status not in accepted:
                failures.append(f"{path.split('?', maxsplit=1)[0]}: {status}")
        except OSError as error:
            times.append(time.monotonic() - started)
            failures.append(f"{path.split('?', maxsplit=1)[0]}: {type(error).__name__}")
            connection.close()
        except http.client.HTTPException as error:
            failures.append(f"{path.split('?', maxsplit=1)[0]}: {type(error).__name__}")
            connection.close()
        if pipe.poll(pause):
            if pipe.recv() == "stop":
                return
            pipe.send(json.dumps([times, failures]))
            times, failures = [], []


class Probe:
    """Two processes that keep asking, one for health, one for single images."""

    def __init__(self, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        self.processes = []
        asked = [
            ("/health/live", HEALTH_PAUSE, {200}),
            # No cache may respond: each seed is asked for once. A 503 is a response, too.
            ("/v1/sample?seed={number}&metadata=none", SAMPLE_PAUSE, {200, 503}),
        ]
        for path, pause, accepted in asked:
            own, other = context.Pipe()
            process = context.Process(target=keep_asking, args=(other, port, path, pause, accepted), daemon=True)
            process.start()
            self.pipes.append(own)
            self.processes.append(process)

    def read(self) -> Times:
        """The times since the last reading."""
        for pipe in self.pipes:
            pipe.send("read")
        (health, failed), (sample, failed_too) = (json.loads(pipe.recv()) for pipe in self.pipes)
        return Times(health, sample, failed + failed_too)

    def stop(self) -> None:
        for pipe in self.pipes:
            pipe.send("stop")
        for process in self.processes:
            process.join(65)
