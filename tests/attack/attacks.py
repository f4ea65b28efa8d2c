"""The attacks: each does one kind of harm for a bounded time and returns what happened, with what must hold."""

import http.client
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from crowd import Client, Crowd, request
from service import MIB, Service

JSON = {"Content-Type": "application/json"}
BOUNDARIES = "/v1/models/phantom/boundaries"
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PNG_START = b"\x89PNG\r\n\x1a\n"


@dataclass
class Report:
    """What an attack did, and the rules that it found broken."""

    text: str
    broken: list[str] = field(default_factory=list)

    def expect(self, holds: bool, rule: str) -> "Report":
        if not holds:
            self.broken.append(rule)
        return self


@dataclass
class Target:
    """The service under attack, and how to start others like it."""

    service: Service
    store: Path
    start: Callable[..., Service]
    drain_seconds: float

    @property
    def port(self) -> int:
        return self.service.port


def ask(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """One request on a connection of its own: the status and the body. A broken connection has the status 0."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def post_json(port: int, path: str, value: object, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    return ask(port, "POST", path, json.dumps(value).encode(), {**JSON, **(headers or {})})


def count_statuses(responses: list[tuple[int, bytes]]) -> str:
    counted = Counter(status for status, _ in responses)
    return ", ".join(f"{count}×{status or 'broken'}" for status, count in sorted(counted.items()))


def png(width: int, height: int, seed: int = 1) -> bytes:
    """A PNG of noise, which no filter makes smaller."""
    noise = random.Random(seed)
    rows = b"".join(b"\x00" + noise.randbytes(3 * width) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_START + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


def photograph(port: int, seed: int, headers: dict[str, str] | None = None) -> bytes:
    """A face as JPEG, which carries no code."""
    status, image = ask(port, "GET", f"/v1/sample?seed={seed}&format=jpeg&metadata=none", headers=headers)
    assert status == 200
    return image


def nested_json(target: Target) -> Report:
    """JSON that a tree of values makes a hundred times as large."""
    nest = '{"":' * 100 + "0" + "}" * 100
    edit = ("[" + ",".join([nest] * 33_000) + "]").encode()
    train = ("[" + ",".join([nest] * 83_000) + "]").encode()
    responses = [
        ask(target.port, "POST", "/v1/edit", edit, JSON),
        ask(target.port, "POST", BOUNDARIES, train, JSON),
        ask(target.port, "POST", "/v1/edit", b'{"edits":' + edit + b"}", JSON),
        ask(target.port, "POST", BOUNDARIES, b'{"attributes":' + train + b"}", JSON),
    ]
    report = Report(count_statuses(responses))
    report.expect(all(400 <= status < 500 for status, _ in responses), "each body is refused with a 4xx")
    return report.expect(all(len(body) < 4096 for _, body in responses), "a problem echoes little of the body")


def held_bodies(target: Target) -> Report:
    """Training bodies of 40 MB whose last byte never comes."""
    body = b'{"attributes":["smile"],"codes":"' + b"A" * 40_000_000
    data = request("POST", BOUNDARIES, body, JSON)
    clients = [Client(data, held=1) for _ in range(100)]
    outcome = Crowd(target.port, clients).run(20)
    return Report(str(outcome)).expect(outcome.statuses[503] > 0, "bodies beyond the budget get a 503")


def uploads(target: Target) -> Report:
    """100 images of 20 MB at once."""
    data = request("POST", "/v1/invert?method=encoder", png(2_600, 2_600), {"Content-Type": "image/png"})
    outcome = Crowd(target.port, [Client(data) for _ in range(100)]).run(45)
    return Report(str(outcome)).expect(outcome.statuses[200] > 0, "some are answered")


def packed_metadata(target: Target) -> Report:
    """Image files with metadata that a parser of XML would read for hours, or keep in hundreds of megabytes."""
    attributes = b"<a " + b" ".join(b"a%d=''" % number for number in range(1_500_000)) + b"/>"
    elements = b"<a>" + b"<b/>" * 4_000_000 + b"</a>"
    nested = b"<a>" * 2_000_000 + b"</a>" * 2_000_000
    responses = []
    for packet in [attributes, elements, nested]:
        chunk = b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
        file = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
        started = time.monotonic()
        responses.append(ask(target.port, "POST", "/v1/edit?edit=smile:2", file, {"Content-Type": "image/webp"}))
        seconds = time.monotonic() - started
        if seconds > 5:
            return Report(f"a response after {seconds:.0f} s").expect(False, "each is answered within 5 s")
    report = Report(count_statuses(responses))
    return report.expect(all(400 <= status < 500 for status, _ in responses), "each file is refused with a 4xx")


def inversions(target: Target) -> Report:
    """40 photographs inverted at once with the default method."""
    files = [photograph(target.port, seed) for seed in range(40)]
    clients = [Client(request("POST", "/v1/invert", file, {"Content-Type": "image/jpeg"})) for file in files]
    outcome = Crowd(target.port, clients).run(60)
    report = Report(str(outcome)).expect(outcome.statuses[200] > 0, "some are answered")
    others = set(outcome.statuses) - {200, 503, None}
    return report.expect(not others, "no other answer than 503")


def slow_writers(target: Target) -> Report:
    """Headers and bodies that come a byte a second."""
    body = request("POST", "/v1/sample", b'{"seed":' + b" " * 2_000 + b"7}", JSON)
    head = request("GET", "/v1/sample?seed=7", headers={"X-Slow": "a" * 2_000})
    clients = [Client(body, at_once=body.index(b"\r\n\r\n") + 4, piece=1, pause=1.0) for _ in range(100)]
    clients += [Client(head, piece=1, pause=1.0) for _ in range(100)]
    outcome = Crowd(target.port, clients).run(90)
    open_clients = len(clients) - outcome.closed - sum(count for status, count in outcome.statuses.items() if status)
    return Report(str(outcome)).expect(open_clients <= 0, "each is answered or closed within 90 s")


def slow_readers(target: Target) -> Report:
    """Large responses that no client reads."""
    before = target.service.sockets()
    large = request("GET", "/v1/sample?count=64&seed=7&format=json")
    problem = request("POST", "/v1/edit", b'{"' + b"x" * 1_900_000 + b'":0}', JSON)
    document = request("GET", "/openapi.json") * 50
    kinds = [(large, 40), (problem, 300), (document, 100)]
    clients = [Client(data, reads=False) for data, number in kinds for _ in range(number)]
    crowd = Crowd(target.port, clients)
    left = 0

    # The kernel tells a client that does not read nothing of the end: the service's own sockets are counted.
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(crowd.run, 90, False)
        while not running.done():
            time.sleep(1)
            left = target.service.sockets() - before if not running.done() else left
    return Report(f"{left} of {len(clients)} connections left after 90 s").expect(
        left <= 0, "all are closed within 90 s"
    )


def silent_connections(target: Target) -> Report:
    """Connections that send nothing, or a part of HTTP/2's preface, and wait."""
    starts = [b"P", HTTP2_PREFACE[:14], HTTP2_PREFACE, b"GET / HT", b"\x16\x03\x01"]
    clients = [Client(start) for start in starts for _ in range(40)] + [Client(b"") for _ in range(40)]
    outcome = Crowd(target.port, clients).run(160)
    open_clients = len(clients) - outcome.closed - sum(count for status, count in outcome.statuses.items() if status)
    return Report(str(outcome)).expect(open_clients <= 0, "each is closed within 160 s")


def many_boundaries(target: Target) -> Report:
    """4,000 PUTs, then the lists of them, and a start with such a store."""
    normal = [0.0] * 64
    normal[0] = 1.0
    body = json.dumps({"normal": normal}).encode()

    def put(number: int) -> tuple[int, bytes]:
        return ask(target.port, "PUT", f"{BOUNDARIES}/attack-{number}/w", body, JSON)

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(put, range(4_000)))
    started = time.monotonic()
    model = ask(target.port, "GET", "/v1/models/phantom")
    boundaries = ask(target.port, "GET", BOUNDARIES)
    seconds = time.monotonic() - started
    size = (len(model[1]) + len(boundaries[1])) / MIB
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(target.store, folder, dirs_exist_ok=True)
        copy = target.start(["--store", folder])
        copy.stop()
    text = (
        f"{count_statuses(responses)}; both lists {size:.1f} MiB in {seconds:.2f} s; a start {copy.start_seconds:.1f} s"
    )
    report = Report(text).expect(copy.start_seconds < 5, "a start with them takes less than 5 s")
    report.expect(size < 2, "both lists are below 2 MiB")
    return report.expect(seconds < 2, "both lists take less than 2 s")


def small_names(target: Target) -> Report:
    """Names that no file or URL can hold, and names that differ by case only."""
    body = json.dumps({"normal": [1.0] + [0.0] * 63}).encode()
    names = ["%E4%BD%A0" * 64, "a" * 300, "a%3Ab", "a%2Cb", "..", "CON%00", "SMILE"]
    responses = [ask(target.port, "PUT", f"{BOUNDARIES}/{name}/w", body, JSON) for name in names]
    report = Report(count_statuses(responses))
    return report.expect(all(400 <= status < 500 for status, _ in responses), "each is refused with a 4xx")


def busy_thread(target: Target) -> Report:
    """Requests that cost work on the async thread."""
    etag = ""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    connection.request("GET", "/v1/sample?count=64&seed=1")
    response = connection.getresponse()
    response.read()
    etag = response.getheader("ETag") or ""
    connection.close()
    accept = ", ".join(f"image/x{number};q=0.{number % 10}" for number in range(16_000))
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        + b"\0" * 24_000_000
        + b"\r\n--x--\r\n"
    )
    kinds: list[tuple[str, str, bytes | None, dict[str, str]]] = [
        ("GET", "/openapi.json", None, {}),
        ("GET", "/v1/sample?count=64&seed=1", None, {"If-None-Match": etag}),
        ("GET", "/v1/sample?seed=1", None, {"Accept": accept}),
        ("POST", "/v1/invert", form, {"Content-Type": "multipart/form-data; boundary=x"}),
    ]
    texts = []
    for method, path, body, headers in kinds:
        end = time.monotonic() + 4

        def repeat(end: float = end, call: tuple = (method, path, body, headers)) -> int:  # type: ignore[type-arg]
            number = 0
            while time.monotonic() < end:
                ask(target.port, *call)
                number += 1
            return number

        with ThreadPoolExecutor(4) as pool:
            done = sum(future.result() for future in [pool.submit(repeat) for _ in range(4)])
        texts.append(f"{path.split('?')[0]} {done / 4:.0f}/s")
    return Report(", ".join(texts))


def gzip_bombs(target: Target) -> Report:
    """Small bodies that unpack to gigabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * MIB) for _ in range(2_048)) + packer.flush()
    headers = {**JSON, "Content-Encoding": "gzip"}
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: ask(target.port, "POST", BOUNDARIES, bomb, headers), range(16)))
    report = Report(count_statuses(responses))
    return report.expect(all(400 <= status < 500 or status == 503 for status, _ in responses), "each is refused")


def broken_logs(target: Target) -> Report:
    """Services whose log goes to a closed pipe, a full disk, and a reader that stalls."""
    texts, report = [], Report("")
    full = os.open("/dev/full", os.O_WRONLY)
    closed_end, closed = os.pipe()
    unread, stalled = os.pipe()
    for name, log in [("full disk", full), ("closed pipe", closed), ("stalled reader", stalled)]:
        service = target.start(["--log", "debug"], log=log)
        if log == closed:
            os.close(closed_end)
        responses = [ask(service.port, "GET", f"/v1/sample?seed={seed}") for seed in range(300)]
        status, seconds = service.stop()
        os.close(log)
        texts.append(f"{name}: {count_statuses(responses)}, exit {status} after {seconds:.1f} s")
        report.expect(all(response == 200 for response, _ in responses), f"{name}: each request is answered")
        report.expect(status == 0, f"{name}: the exit status is 0")
    os.close(unread)
    report.text = "; ".join(texts)
    return report


def signals(target: Target) -> Report:
    """SIGTERM while models load, SIGTERM and SIGHUP while inversions run."""
    loading = target.start([], wait=False)
    time.sleep(0.05)
    _, first = loading.stop()
    service = target.start([])
    file = photograph(service.port, 1)
    clients = [Client(request("POST", "/v1/invert?steps=1000", file, {"Content-Type": "image/jpeg"})) for _ in range(8)]
    with ThreadPoolExecutor(2) as pool:
        sample = pool.submit(ask, service.port, "GET", "/v1/sample?count=64&seed=5")
        running = pool.submit(Crowd(service.port, clients).run, 120)
        time.sleep(0.1)
        service.process.send_signal(signal.SIGHUP)
        status_of_sample, _ = sample.result()
        time.sleep(1)
        status, second = service.stop()
        outcome = running.result()
    limit = target.drain_seconds
    report = Report(f"while loading: {first:.1f} s; while inverting: exit {status} after {second:.1f} s; {outcome}")
    report.expect(first < 2, "a service that loads ends within 2 s")
    report.expect(status_of_sample == 200, "SIGHUP cuts no request")
    return report.expect(second < limit + 5, f"it ends within --drain ({limit:.0f} s)")


def other_pages(target: Target) -> Report:
    """What a web page of another origin may do."""
    origin = {"Origin": "https://attacker.example"}
    changes = [
        ask(target.port, "DELETE", f"{BOUNDARIES}/smile/z", headers=origin),
        ask(
            target.port,
            "PUT",
            f"{BOUNDARIES}/other/w",
            json.dumps({"normal": [1.0] + [0.0] * 63}).encode(),
            {**JSON, **origin},
        ),
        post_json(target.port, BOUNDARIES, {"attributes": ["smile"]}, origin),
        ask(target.port, "GET", "/v1/models", headers={"Host": "attacker.example"}),
    ]
    reads = [
        ask(target.port, "GET", "/v1/sample?seed=1", headers=origin),
        ask(target.port, "GET", "/v1/edit?seed=1&edit=smile:1", headers=origin),
        ask(target.port, "GET", "/health/live", headers={"Host": f"127.0.0.1:{target.port}"}),
    ]
    report = Report(f"changes: {count_statuses(changes)}; reads: {count_statuses(reads)}")
    report.expect(
        all(status in {403, 421} for status, _ in changes), "changes from other origins and hosts are refused"
    )
    return report.expect(all(status == 200 for status, _ in reads), "reading is open to all origins")


def promises(target: Target) -> Report:
    """A change that is answered with 504 did not happen, and what happened is reported."""
    body = json.dumps({"normal": [1.0] + [0.0] * 63}).encode()
    untrue = 0
    statuses: Counter[int] = Counter()
    for number in range(60):
        path = f"{BOUNDARIES}/late-{number}/w"
        seconds = f"{random.Random(number).uniform(0.0001, 0.003):.5f}"
        status, _ = ask(target.port, "PUT", path, body, {**JSON, "Faceplane-Timeout": seconds})
        there = ask(target.port, "GET", path)[0] == 200
        untrue += there != (status in {200, 201, 204})
        statuses[status] += 1
    docs, text = ask(target.port, "GET", "/docs/nothing.js")
    started = time.monotonic()
    small, _ = ask(target.port, "POST", "/v1/invert", png(1, 1), {"Content-Type": "image/png"})
    seconds_of_small = time.monotonic() - started
    report = Report(f"PUT {dict(statuses)}, {untrue} untrue; 1×1 image {small} in {seconds_of_small:.1f} s")
    report.expect(untrue == 0, "the status of a change is true")
    report.expect(docs == 404 and text.startswith(b"{"), "/docs/nothing.js is a problem document")
    return report.expect(seconds_of_small < 10, "a 1×1 image takes less than 10 s")


def killed_in_a_write(target: Target) -> Report:
    """Kill −9 while boundaries are put: all that were acknowledged are there after the next start."""
    lost = acknowledged = 0
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", folder]
        kept: dict[str, float] = {}
        for turn in range(5):
            service = target.start(store)
            for name, value in kept.items():
                status, body = ask(service.port, "GET", f"{BOUNDARIES}/{name}/w")
                lost += status != 200 or json.loads(body)["intercept"] != value
            killer = subprocess.Popen(["sh", "-c", f"sleep 0.{3 + turn}; kill -9 {service.pid}"])
            number = 0
            while service.is_alive():
                name, value = f"b{number % 20}", float(turn * 1_000 + number)
                document = json.dumps({"normal": [1.0] + [0.0] * 63, "intercept": value}).encode()
                kept.pop(name, None)
                if ask(service.port, "PUT", f"{BOUNDARIES}/{name}/w", document, JSON)[0] in {200, 201, 204}:
                    kept[name] = value
                    acknowledged += 1
                number += 1
            killer.wait()
            service.process.wait()
        leftovers = [path.name for path in Path(folder).rglob("*") if "tmp" in path.name]
    report = Report(f"{acknowledged} acknowledged, {lost} lost, {len(leftovers)} temporary files")
    return report.expect(lost == 0 and acknowledged > 0, "nothing acknowledged is lost")


ATTACKS: list[Callable[[Target], Report]] = [
    nested_json,
    held_bodies,
    uploads,
    gzip_bombs,
    packed_metadata,
    inversions,
    slow_writers,
    slow_readers,
    silent_connections,
    small_names,
    busy_thread,
    other_pages,
    promises,
    many_boundaries,
    broken_logs,
    signals,
    killed_in_a_write,
]
