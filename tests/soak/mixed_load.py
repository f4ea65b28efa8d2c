"""Mixed load: every route, uploads, jobs, cancellations, clients that go away, and bad requests, at a steady rate."""

import base64
import http.client
import json
import queue
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from attacks import BOUNDARIES, JSON, ask, photograph

# The clients that send requests at the same time, at most.
CLIENTS = 32
# The clients of the closed loop that measures the ceiling.
CEILING_CLIENTS = 8
# The status of a request whose client went away by itself.
LEFT = -1
UNAUTHORIZED = 401

Send = Callable[["Mix", int], int]

ONE_CHANGE = threading.Lock()
"""Held while the second model is replaced."""


@dataclass
class Mix:
    """The requests of the load, each with its share."""

    port: int
    key: str
    photo: bytes
    carried: bytes
    rows: list[tuple[str, float, Send]] = field(default_factory=list)

    def choose(self, chance: random.Random) -> tuple[str, Send]:
        name, _, send = chance.choices(self.rows, [row[1] for row in self.rows])[0]
        return name, send

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request with the key: the status and the body."""
        return ask(self.port, method, path, body, with_key(self.key) | (headers or {}))


def with_key(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def get(path: str) -> Send:
    """GET of a path; `{n}` is the number of the request, so that it is in no cache."""
    return lambda mix, number: mix.ask("GET", path.replace("{n}", str(number)))[0]


def post(path: str, body: object) -> Send:
    def send(mix: Mix, number: int) -> int:
        text = json.dumps(body).replace('"{n}"', str(number))
        return mix.ask("POST", path, text.encode(), JSON)[0]

    return send


def upload(path: str, carries_code: bool) -> Send:
    def send(mix: Mix, _: int) -> int:
        file = mix.carried if carries_code else mix.photo
        kind = "image/png" if carries_code else "image/jpeg"
        return mix.ask("POST", path, file, {"Content-Type": kind})[0]

    return send


def boundary(mix: Mix, number: int) -> int:
    """Puts a boundary, edits along it, and deletes it."""
    path = f"{BOUNDARIES}/soak{number % 50}-{number}/w"
    document = json.dumps({"normal": [1.0, number / 1e6] + [0.0] * 62, "intercept": 0.5}).encode()
    statuses = [
        mix.ask("PUT", path, document, JSON)[0],
        mix.ask("GET", f"/v1/edit?seed={number}&edit=soak{number % 50}-{number}:1")[0],
        mix.ask("DELETE", path)[0],
    ]
    return max(statuses)


def job(path: str, body: object, is_cancelled: bool) -> Send:
    """Starts a job; cancels it, or looks at it."""

    def send(mix: Mix, _: int) -> int:
        status, text = mix.ask("POST", path, json.dumps(body).encode(), JSON)
        if status != 202:
            return status
        own = f"/v1/jobs/{json.loads(text)['id']}"
        return mix.ask("DELETE" if is_cancelled else "GET", own)[0]

    return send


def result(member: str, part: str) -> Send:
    """Downloads a part of the newest job that is done and has it, if there is one: its JSON then has this member."""

    def send(mix: Mix, _: int) -> int:
        status, text = mix.ask("GET", "/v1/jobs?limit=100")
        if status != 200:
            return status
        ended = [job["id"] for job in json.loads(text)["jobs"] if member in job and job["status"] == "done"]
        if not ended:
            return status
        status = mix.ask("GET", f"/v1/jobs/{ended[0]}/{part}")[0]
        # Samples make room for those of later jobs.
        return 200 if status == 410 else status

    return send


def model_change(mix: Mix, number: int) -> int:
    """Drops the second model, loads it again, and samples it. One at a time."""
    path = "/v1/models/portraits"
    with ONE_CHANGE:
        statuses = [
            mix.ask("DELETE", path)[0],
            mix.ask("PUT", path)[0],
            mix.ask("GET", f"/v1/sample?model=portraits&seed={number}")[0],
        ]
    return max(statuses)


def background_inversion(mix: Mix, number: int) -> int:
    """Starts an inversion in the background; cancels every second one."""
    posted = {"Content-Type": "image/jpeg"}
    status, text = mix.ask("POST", "/v1/inversions?steps=3", mix.photo, posted)
    if status != 202:
        return status
    path = f"/v1/inversions/{json.loads(text)['id']}"
    if number % 2:
        return mix.ask("DELETE", path)[0]
    return mix.ask("GET", path, headers={"Accept": "text/event-stream"})[0]


def leave(path: str) -> Send:
    """Sends a request and goes away before the response."""

    def send(mix: Mix, number: int) -> int:
        with socket.create_connection(("127.0.0.1", mix.port), 10) as connection:
            head = f"GET {path.replace('{n}', str(number))} HTTP/1.1\r\nHost: localhost\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in with_key(mix.key).items())
            connection.sendall(f"{head}\r\n".encode())
            time.sleep(0.01)
        return LEFT

    return send


def session(mix: Mix, number: int) -> int:
    """Begins a session, as a page does, makes a face with its cookie alone, and ends it: then the cookie is refused."""
    begun, cookie = begin_session(mix)
    if not cookie:
        return begun
    face = f"/v1/sample?seed={number}&metadata=none"
    by_cookie = {"Cookie": cookie}
    statuses = [
        begun,
        ask(mix.port, "GET", face, headers=by_cookie)[0],
        ask(mix.port, "DELETE", "/session", headers=by_cookie)[0],
    ]
    ended = ask(mix.port, "GET", face, headers=by_cookie)[0]
    return max(statuses) if ended == UNAUTHORIZED else 0


def wrong_key(mix: Mix, number: int) -> int:
    """Asks for a face with a key that differs in its last character."""
    wrong = mix.key[:-1] + ("0" if mix.key[-1] != "0" else "1")
    return ask(mix.port, "GET", f"/v1/sample?seed={number}", headers=with_key(wrong))[0]


def begin_session(mix: Mix) -> tuple[int, str]:
    """Begins a session: the status, and the cookie as a browser sends it; empty if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", mix.port, timeout=90)
    try:
        connection.request("POST", "/session", headers=with_key(mix.key))
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("Set-Cookie", "").partition(";")[0]
    finally:
        connection.close()


def mix_of(port: int, key: str) -> Mix:
    """The load for a service of the bundled model, with a key of the scope admin."""
    carried = ask(port, "GET", "/v1/sample?seed=5", headers=with_key(key))[1]
    train = {"attributes": ["smile"], "names": ["soak trained"], "space": "w", "samples": 400, "ratio": 0.2}
    edits = [{"attribute": "smile", "by": 2}]
    directions = {"method": "pca", "count": 2}
    image = base64.b64encode(carried).decode()
    made = Mix(port, key, photograph(port, 3, with_key(key)), carried)
    made.rows = [
        ("sample", 40, get("/v1/sample?seed={n}&metadata=none")),
        ("sample, cached", 10, get("/v1/sample?seed=7")),
        ("sample, WebP", 4, get("/v1/sample?seed={n}&format=webp")),
        ("sample, JPEG", 4, get("/v1/sample?seed={n}&format=jpeg")),
        ("sample, JSON", 4, get("/v1/sample?seed={n}&format=json")),
        ("sample, sheet", 1, get("/v1/sample?seed={n}&count=16")),
        ("sample, zip", 1, get("/v1/sample?seed={n}&count=8&layout=zip")),
        ("sample, stream", 1, get("/v1/sample?seed={n}&count=8&layout=stream")),
        ("sample, arrays", 0.5, get("/v1/sample?seeds={n}&pictures=none&format=npz")),
        ("edit", 10, get("/v1/edit?seed={n}&edit=smile:2&edit=age:-1")),
        ("edit, by JSON", 3, post("/v1/edit", {"seed": "{n}", "edits": edits, "format": "json"})),
        ("edit, trajectory", 1, get("/v1/edit?seed={n}&edit=age&trajectory=-2:2:8&format=webp")),
        ("edit, upload", 2, upload("/v1/edit?edit=smile:1", carries_code=True)),
        ("edit, base64", 1, post("/v1/edit", {"image": image, "edits": edits})),
        (
            "conditional edit, by JSON",
            1,
            post("/v1/conditional-edit", {"seed": "{n}", "edits": edits, "conditions": ["age"]}),
        ),
        ("sample, by JSON", 1, post("/v1/sample", {"seed": "{n}", "format": "json"})),
        ("score, by JSON", 1, post("/v1/score", {"seed": "{n}"})),
        ("interpolate, by JSON", 0.3, post("/v1/interpolate", {"seeds": ["{n}", 8], "frames": 4})),
        ("mix, by JSON", 0.3, post("/v1/mix", {"rows": [{"seed": "{n}"}], "columns": [{"seed": 8}], "layers": "0"})),
        ("conditional edit", 5, get("/v1/conditional-edit?seed={n}&edit=smile:2&condition=age")),
        ("target score", 1, get("/v1/edit?seed={n}&edit=smile:to_score:0.9")),
        ("score", 5, get("/v1/score?seed={n}")),
        ("interpolate", 1, get("/v1/interpolate?seeds={n},8&frames=8&format=gif")),
        ("mix", 1, get("/v1/mix?rows={n}&columns=8,9&layers=0-1")),
        ("invert", 2, upload("/v1/invert?method=encoder", carries_code=False)),
        ("invert, refine", 0.3, upload("/v1/invert?method=refine&steps=2&seconds=1", carries_code=False)),
        ("inversion in the background", 0.3, background_inversion),
        ("boundary", 2, boundary),
        ("boundaries", 2, get(BOUNDARIES)),
        ("models", 2, get("/v1/models")),
        ("model", 2, get("/v1/models/phantom")),
        ("train", 0.1, job(BOUNDARIES, train, is_cancelled=False)),
        ("train, cancelled", 0.1, job(BOUNDARIES, {**train, "samples": 5000}, is_cancelled=True)),
        ("report, cancelled", 0.03, job("/v1/models/phantom/report", {"seed": 1, "samples": 300}, is_cancelled=True)),
        ("report", 0.02, job("/v1/models/phantom/report", {"seed": 1, "samples": 100}, is_cancelled=False)),
        ("directions", 0.03, job("/v1/models/phantom/directions", directions, is_cancelled=False)),
        ("directions, cancelled", 0.03, job("/v1/models/phantom/directions", directions, is_cancelled=True)),
        ("samples of a job", 0.3, result("samples_file", "samples")),
        ("report of a job", 0.3, result("report", "report")),
        ("model replaced", 0.02, model_change),
        ("session", 0.5, session),
        ("jobs", 1, get("/v1/jobs")),
        ("page", 1, get("/")),
        ("document", 1, get("/openapi.json")),
        ("documentation", 0.5, get("/docs/")),
        ("metrics", 1, get("/metrics")),
        ("health", 2, get("/health/ready")),
        ("life", 1, get("/health/live")),
        ("bad: no JSON", 2, lambda mix, _: mix.ask("POST", "/v1/edit", b"{", JSON)[0]),
        ("bad: unknown attribute", 2, get("/v1/edit?seed={n}&edit=beard:1")),
        ("bad: unknown field", 2, get("/v1/sample?sead={n}")),
        (
            "bad: no image",
            1,
            lambda mix, _: mix.ask("POST", "/v1/invert", b"no image", {"Content-Type": "image/png"})[0],
        ),
        ("bad: no route", 1, get("/v1/nothing")),
        ("bad: no key", 1, lambda mix, number: ask(mix.port, "GET", f"/v1/sample?seed={number}")[0]),
        ("bad: wrong key", 1, wrong_key),
        ("client leaves", 3, leave("/v1/sample?seed={n}&metadata=none")),
        ("client leaves a sheet", 0.5, leave("/v1/sample?seed={n}&count=32")),
    ]
    return made


@dataclass
class Load:
    """A running load, and what it got."""

    mix: Mix
    first: int
    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    sent: int = 0
    # The most requests that waited for a client: more than a few mean that the rate is above the ceiling.
    waiting: int = 0

    def __post_init__(self) -> None:
        self.tasks: queue.SimpleQueue[tuple[str, Send, int] | None] = queue.SimpleQueue()
        self.lock = threading.Lock()

    def _work(self) -> None:
        while task := self.tasks.get():
            name, send, number = task
            try:
                status = send(self.mix, number)
            except (OSError, http.client.HTTPException, ValueError):
                status = 0
            with self.lock:
                self.statuses.setdefault(name, Counter())[status] += 1

    def run(self, seconds: float, rate: float | None, seed: int) -> float:
        """Sends requests for some seconds: `rate` a second at random times, or as fast as a few clients can. Returns
        how many were done a second."""
        chance = random.Random(seed)
        clients = CLIENTS if rate else CEILING_CLIENTS
        threads = [threading.Thread(target=self._work) for _ in range(clients)]
        for thread in threads:
            thread.start()
        began = due = time.monotonic()
        while due < began + seconds:
            if rate:
                due += chance.expovariate(rate)
                time.sleep(max(0.0, due - time.monotonic()))
            else:
                due = time.monotonic()
                if self.tasks.qsize() > clients:
                    time.sleep(0.002)
                    continue
            name, send = self.mix.choose(chance)
            self.sent += 1
            self.tasks.put((name, send, self.first + self.sent))
            self.waiting = max(self.waiting, self.tasks.qsize())
        for _ in threads:
            self.tasks.put(None)
        for thread in threads:
            thread.join()
        return self.sent / (time.monotonic() - began)
