"""Three services on one store: a folder, and a bucket behind proxies that can fail."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import azurite
import batch_work
from outage import DELAY, Mode, Outage
from service import Service, free_port

MODEL = "/v1/models/phantom"
SMILE = f"{MODEL}/boundaries/smile/w"
SIZE = 64
# Far more than any change takes. How long it did take is printed.
PATIENCE = 120
REPLICAS = 3

ROOT = Path(__file__).resolve().parent.parent.parent

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Replica:
    """A service on the store, and its log."""

    def __init__(self, program: Path, store: str, log: Path) -> None:
        self.log = log
        self.service = Service(program, ["--store", store, "--log", "info,faceplane::api=warn"], log)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Sends a request, and returns the status and the JSON of the response."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.service.port}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with OPENER.open(request, timeout=PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def put(self, axis: int, path: str = SMILE) -> tuple[int, Any]:
        """Puts a boundary along an axis of w."""
        normal = [float(index == axis) for index in range(SIZE)]
        # A number that needs all its digits.
        return self.ask("PUT", path, {"normal": normal, "intercept": axis / 7})

    def smile(self) -> Any:
        """The boundary as it is now."""
        status, boundary = self.ask("GET", SMILE)
        check(status == 200, f"GET of the boundary is {status}: {boundary}")
        return boundary

    def digest(self) -> str:
        """The digest of the model with its boundaries."""
        return str(self.ask("GET", MODEL)[1]["digest"])

    def says(self, text: str) -> bool:
        """Whether the log has this text."""
        return text in self.log.read_text()

    def works(self) -> None:
        """Checks that the service makes images."""
        status, _ = self.ask("GET", "/v1/edit?seed=7&edit=smile:2&format=json")
        check(status == 200, f"an edit is {status}")

    def failures(self) -> float:
        """The failures of the store that the service has counted."""
        url = f"http://127.0.0.1:{self.service.port}/metrics"
        with OPENER.open(url, timeout=PATIENCE) as response:
            text = response.read().decode()
        name = "faceplane_store_failures_total "
        return next(float(line[len(name) :]) for line in text.splitlines() if line.startswith(name))


def check(holds: bool, what: str) -> None:
    """Ends the test if something does not hold."""
    if not holds:
        raise AssertionError(what)


def wait_until(what: str, holds: Callable[[], bool]) -> float:
    """Waits until something holds, and returns the seconds that it took."""
    began = time.monotonic()
    while not holds():
        check(time.monotonic() - began < PATIENCE, f"waited for {PATIENCE} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


def has(replica: Replica, boundary: object) -> bool:
    """Whether the service has this boundary now."""
    return bool(replica.smile() == boundary)


def is_done(replica: Replica, job: str) -> bool:
    """Whether a job of the service has ended well."""
    _, found = replica.ask("GET", f"/v1/jobs/{job}")
    check(found["status"] not in ("failed", "cancelled"), f"the job is {found}")
    return bool(found["status"] == "done")


def until_equal(replicas: list[Replica], expected: object) -> float:
    """Waits until all services have a boundary, and one digest of the model. Returns the seconds of the last."""
    took = max(wait_until("all have the boundary", partial(has, one, expected)) for one in replicas)
    digests = {one.digest() for one in replicas}
    check(len(digests) == 1, f"the services have the digests {digests}")
    return took


def sees_changes(replicas: list[Replica]) -> None:
    """A change and a deletion by one service reach all others."""
    original = replicas[0].smile()
    times = []
    for axis, by in enumerate(replicas):
        check(by.put(axis)[0] == 200, "PUT")
        boundary = by.smile()
        check(boundary["intercept"] == axis / 7, "the service that made the change shows it at once")
        times.append(until_equal(replicas, boundary))
    check(replicas[1].ask("DELETE", SMILE)[0] == 200, "DELETE")
    times.append(until_equal(replicas, original))
    print(f"  changes and deletions reach all services within {max(times):.1f} s")


def changes_at_once(replicas: list[Replica]) -> None:
    """All services change one boundary at once, and all end with one whole boundary of these."""
    statuses: list[int] = []

    def put(number: int, by: Replica) -> None:
        statuses.extend(by.put(number * 20 + turn)[0] for turn in range(10))

    threads = [threading.Thread(target=put, args=pair) for pair in enumerate(replicas)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(statuses == [200] * 10 * len(replicas), f"the statuses are {statuses}")
    wait_until("all have one boundary", lambda: len({json.dumps(one.smile()) for one in replicas}) == 1)
    last = replicas[0].smile()
    axis = last["normal"].index(1.0)
    check(last["normal"].count(0.0) == SIZE - 1 and last["intercept"] == axis / 7, f"the boundary is not whole: {last}")
    print("  of changes at once, one whole boundary remains")


def trains_at_once(replicas: list[Replica]) -> None:
    """Two services train one boundary at once, and all end with one of the two results."""
    jobs = []
    for seed, by in enumerate(replicas[:2]):
        body = {"attributes": ["smile"], "space": "w", "samples": 400, "seed": seed}
        status, job = by.ask("POST", f"{MODEL}/boundaries", body)
        check(status == 202, f"the training is {status}: {job}")
        jobs.append((by, job["id"]))
    for by, job in jobs:
        wait_until("the training ends", partial(is_done, by, job))
    wait_until("all have one boundary", lambda: len({json.dumps(one.smile()) for one in replicas}) == 1)
    last = replicas[0].smile()
    check(last.get("seed") in (0, 1) and last["samples"] == 400, f"this is none of the two: {last}")
    print("  of two trainings at once, one whole result remains")


def shares_jobs(replicas: list[Replica]) -> None:
    """Each service shows a job of another one from its beginning, its report, and cancels one."""
    runs, shows = replicas[0], replicas[-1]
    status, job = runs.ask("POST", f"{MODEL}/report", {"samples": 200, "faces": 1})
    check(status == 202, f"the report is {status}: {job}")
    wait_until("the report is done", partial(is_done, shows, job["id"]))
    path = f"/v1/jobs/{job['id']}/report"
    check(shows.ask("GET", path) == runs.ask("GET", path), "the services have different reports")
    body = {"attributes": ["smile"], "space": "w", "samples": 200_000}
    status, job = runs.ask("POST", f"{MODEL}/boundaries", body)
    check(status == 202, f"the training is {status}: {job}")
    status, cancelled = shows.ask("DELETE", f"/v1/jobs/{job['id']}")
    check((status, cancelled["status"]) == (200, "cancelled"), f"the cancelled job is {status}: {cancelled}")
    check(runs.ask("GET", f"/v1/jobs/{job['id']}")[1] == cancelled, "the services show different ends of a job")
    lists = [one.ask("GET", "/v1/jobs")[1]["jobs"] for one in (runs, shows)]
    check([job["id"] for job in lists[0]] == [job["id"] for job in lists[1]], f"the lists of jobs are {lists}")
    print("  a service shows the report of another one, and cancels its training")


def has_model(replica: Replica, name: str, digest: str | None) -> bool:
    """Whether the service has the model with this digest, or not at all for None."""
    return bool(replica.ask("GET", f"/v1/models/{name}")[1].get("digest") == digest)


def shares_models(program: Path, store: str, replicas: list[Replica]) -> None:
    """A published model is loaded and replaced by all services, and dropped when it is withdrawn."""

    def run(*arguments: str) -> None:
        subprocess.run([program, *arguments, "--store", store], check=True, stdout=subprocess.DEVNULL)

    def publish(folder: str) -> None:
        before = replicas[0].ask("GET", "/v1/models/faces")[1].get("digest")
        run("publish", str(ROOT / "onnx" / folder), "--name", "faces")
        wait_until("a service has the model", lambda: not has_model(replicas[0], "faces", before))
        digest = replicas[0].ask("GET", "/v1/models/faces")[1]["digest"]
        took = max(wait_until("all have the model", partial(has_model, one, "faces", digest)) for one in replicas)
        for one in replicas:
            status, _ = one.ask("GET", "/v1/sample?seed=1&model=faces&format=json")
            check(status == 200, f"a face of the published model is {status}")
        print(f"  all services have the published model {took:.1f} s after the first")

    publish("phantom")
    publish("portraits")
    run("withdraw", "faces")
    for one in replicas:
        wait_until("all have dropped the model", partial(has_model, one, "faces", None))
    print("  all services drop the withdrawn model")


def fails(replicas: list[Replica], what: str, status: int = 503) -> None:
    """While the store fails, what is loaded goes on serving, and changes are errors that say so."""
    before = replicas[0].smile()
    counted = replicas[0].failures()
    found, problem = replicas[0].put(9)
    check(found == status, f"{what}: the change is {found}: {problem}")
    check("store" in problem["detail"], f"{what}: the detail is {problem}")
    print(f"  {what}: {problem['detail']}")
    check(replicas[0].failures() > counted, f"{what}: no failure is counted")
    for one in replicas:
        one.works()
    check(replicas[0].smile() == before, f"{what}: the boundary has changed")


def is_slow(replicas: list[Replica]) -> None:
    """While the store is slow, what is loaded goes on serving, and all services get what could be saved."""
    began = time.monotonic()
    found, problem = replicas[0].put(10)
    saved = time.monotonic() - began
    check(found == 200 or (found == 503 and "store" in problem["detail"]), f"the change is {found}: {problem}")
    began = time.monotonic()
    for one in replicas:
        one.works()
    made = (time.monotonic() - began) / len(replicas)
    took = until_equal(replicas, replicas[0].smile())
    print(
        f"  each response of the bucket takes {DELAY:.0f} s longer: a change is {found} after {saved:.1f} s, "
        f"in all services {took:.1f} s later; an edit takes {made:.2f} s"
    )


def recovers(replicas: list[Replica]) -> None:
    """A store that is back keeps changes again."""
    wait_until("a change is kept", lambda: replicas[0].put(11)[0] == 200)
    until_equal(replicas, replicas[0].smile())


def start(program: Path, stores: list[str], folder: Path, stack: ExitStack) -> list[Replica]:
    """Starts a service on each of these addresses of a store."""
    logs = [folder / f"service{len(list(folder.glob('*.log'))) + number}.log" for number in range(len(stores))]
    replicas = [Replica(program, store, log) for store, log in zip(stores, logs, strict=True)]
    for one in replicas:
        stack.callback(one.service.process.wait)
        stack.callback(one.service.process.kill)
    return replicas


def all_at_once(program: Path, store: str, replicas: list[Replica]) -> None:
    """What holds for every store."""
    shares_models(program, store, replicas)
    sees_changes(replicas)
    changes_at_once(replicas)
    trains_at_once(replicas)
    shares_jobs(replicas)


def in_a_folder(program: Path, folder: Path) -> None:
    """Services on a folder, while its lock is kept."""
    print("a folder:")
    store = folder / "store"
    with ExitStack() as stack:
        replicas = start(program, [str(store)] * REPLICAS, folder, stack)
        all_at_once(program, str(store), replicas)
        with (store / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fails(replicas, "while a process keeps the lock")
        recovers(replicas)
        late = start(program, [str(store)], folder, stack)
        check(late[0].smile() == replicas[0].smile(), "a service that starts later has another boundary")


@dataclass
class Bucket:
    """A server with an empty bucket, and how a service finds it."""

    name: str
    url: str
    # The command that serves on a port, with its files in a folder.
    command: Callable[[int, Path], list[str]]
    # The request that makes the bucket on a port.
    request: Callable[[int], urllib.request.Request]
    # The environment of a service, for a server on a port.
    environment: Callable[[int], dict[str, str]]

    def start(self, folder: Path, stack: ExitStack) -> int:
        """Starts the server, makes the bucket, and returns the port."""
        port = free_port()
        with (folder / "server.txt").open("wb") as log:
            server = subprocess.Popen(self.command(port, folder), stdout=log, stderr=log)
        stack.callback(server.wait)
        stack.callback(server.kill)

        def makes_bucket() -> bool:
            try:
                with OPENER.open(self.request(port), timeout=PATIENCE):
                    return True
            except OSError:
                return False

        wait_until(f"{self.name} has made a bucket", makes_bucket)
        return port


S3 = Bucket(
    name="a bucket of S3 (moto)",
    url="s3://faces/of/all",
    command=lambda port, _folder: [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
    request=lambda port: urllib.request.Request(f"http://127.0.0.1:{port}/faces", method="PUT"),
    environment=lambda port: {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
    },
)


def azure(program: Path) -> Bucket:
    """A container of Azure Blob Storage, on Azurite."""
    return Bucket(
        name="a container of Azure (Azurite)",
        url="az://faces/of/all",
        command=partial(azurite.command, program),
        request=partial(azurite.container_request, name="faces"),
        environment=lambda port: {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": f"http://127.0.0.1:{port}",
        },
    )


def in_a_bucket(bucket: Bucket, program: Path, folder: Path) -> None:
    """Services on a bucket, each through a proxy that can fail."""
    print(f"{bucket.name}:")
    with ExitStack() as stack:
        port = bucket.start(folder, stack)
        proxies = [Outage(port) for _ in range(REPLICAS)]
        replicas = []
        for proxy in proxies:
            os.environ |= bucket.environment(proxy.port)
            replicas += start(program, [bucket.url], folder, stack)
        all_at_once(program, bucket.url, replicas)
        for mode, what in (
            (Mode.REFUSE, "while the bucket refuses connections"),
            (Mode.HANG, "while the bucket hangs"),
        ):
            for proxy in proxies:
                proxy.switch(mode)
            fails(replicas, what)
            for proxy in proxies:
                proxy.switch(Mode.FORWARD)
            recovers(replicas)
        for proxy in proxies:
            proxy.switch(Mode.SLOW)
        is_slow(replicas)
        for proxy in proxies:
            proxy.switch(Mode.FORWARD)
        recovers(replicas)
        proxies[1].switch(Mode.REFUSE)
        check(replicas[0].put(12)[0] == 200, "the bucket fails for one service, and another cannot change anything")
        replicas[1].works()
        wait_until("the log says that it fails", lambda: replicas[1].says("the store cannot be read"))
        proxies[1].switch(Mode.FORWARD)
        until_equal(replicas, replicas[0].smile())
        wait_until("the log says that it is back", lambda: replicas[1].says("can be read again"))
        late = start(program, [bucket.url], folder, stack)
        check(late[0].smile() == replicas[0].smile(), "a service that starts later has another boundary")
        print("  a service that missed changes has them when its bucket is back")


def batch_in_a_bucket(program: Path, folder: Path) -> None:
    """Batch work on a bucket of S3 that fails for some seconds."""
    with ExitStack() as stack:
        port = S3.start(folder, stack)
        proxy = Outage(port)
        os.environ |= S3.environment(proxy.port)
        print("batch work:")
        objects = batch_work.Objects(port, "faces", "batch")
        batch_work.in_a_bucket(program, "s3://faces/batch", objects, proxy, folder)


def main() -> None:
    """Runs all checks."""
    program = Path(sys.argv[1]).resolve()
    began = time.monotonic()
    buckets = [S3, *(azure(Path(argument)) for argument in sys.argv[2:])]
    stores: list[Callable[[Path, Path], None]] = [in_a_folder]
    stores += [partial(in_a_bucket, bucket) for bucket in buckets]
    stores.append(batch_in_a_bucket)
    for checks in stores:
        with tempfile.TemporaryDirectory() as folder:
            try:
                checks(program, Path(folder))
            except BaseException:
                for log in sorted(Path(folder).glob("*.log")):
                    print(f"{log.name}:", *log.read_text().splitlines()[-20:], sep="\n  ", file=sys.stderr)
                raise
    print(f"all holds, after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
