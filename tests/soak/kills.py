"""Kill −9 at random moments, again and again: what was acknowledged is there at the next start, and whole."""

import itertools
import json
import random
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from attacks import BOUNDARIES, JSON, ask
from service import Service

ROOT = Path(__file__).resolve().parent.parent.parent
# The longest time between the start of the load and the kill.
MOST_SECONDS = 5.0
# The boundaries that are put again and again.
NAMES = 20
# Each so many kills come after the end of the import, so that whole models are there too.
WHOLE_IMPORTS = 5
# The pause of a client between two requests: training and importing go on in the meantime.
PAUSE = 0.05


class Writer(threading.Thread):
    """Puts and deletes boundaries until the service is gone, and remembers what was acknowledged."""

    def __init__(
        self, service: Service, number: int, known: dict[str, float | None], values: "itertools.count[int]"
    ) -> None:
        super().__init__(daemon=True)
        self.service, self.number, self.known, self.values = service, number, known, values
        self.acknowledged = 0

    def run(self) -> None:
        chance = random.Random(self.service.pid * 10 + self.number)
        while self.service.is_alive():
            time.sleep(PAUSE)
            # Each name belongs to one writer, so that the last acknowledged change is known.
            name = f"writer{self.number}-{chance.randrange(NAMES)}"
            path = f"{BOUNDARIES}/{name}/w"
            before = self.known.pop(name, None)
            if before is not None and chance.random() < 0.3:
                if ask(self.service.port, "DELETE", path)[0] == 200:
                    self.known[name] = None
                    self.acknowledged += 1
                continue
            value = float(next(self.values))
            document = json.dumps({"normal": [1.0] + [0.0] * 63, "intercept": value}).encode()
            if ask(self.service.port, "PUT", path, document, JSON)[0] in {200, 201}:
                self.known[name] = value
                self.acknowledged += 1


class Trainer(threading.Thread):
    """Trains boundaries until the service is gone, and remembers those of jobs that were done."""

    def __init__(self, service: Service, done: set[str]) -> None:
        super().__init__(daemon=True)
        self.service, self.done = service, done

    def run(self) -> None:
        for number in itertools.count():
            name = f"trained-{self.service.pid}-{number}"
            body = {"attributes": ["smile"], "names": [name], "space": "w", "samples": 100, "ratio": 0.2}
            status, text = ask(self.service.port, "POST", BOUNDARIES, json.dumps(body).encode(), JSON)
            if status != 202:
                return
            path = f"/v1/jobs/{json.loads(text)['id']}"
            while (job := ask(self.service.port, "GET", path))[0] == 200:
                if json.loads(job[1])["status"] == "done":
                    self.done.add(name)
                    break
                time.sleep(0.02)


class Reader(threading.Thread):
    """Asks for faces, so that the kill comes under load."""

    def __init__(self, service: Service) -> None:
        super().__init__(daemon=True)
        self.service = service

    def run(self) -> None:
        for seed in itertools.count(1):
            if not self.service.is_alive():
                return
            ask(self.service.port, "GET", f"/v1/sample?seed={seed}&metadata=none")
            time.sleep(PAUSE)


def lost(port: int, known: dict[str, float | None], trained: set[str]) -> list[str]:
    """What was acknowledged, and is not there."""
    broken = []
    for name, value in known.items():
        status, text = ask(port, "GET", f"{BOUNDARIES}/{name}/w")
        found = json.loads(text)["intercept"] if status == 200 else None
        if found != value or status not in {200, 404}:
            broken.append(f"{name}: found {found} (status {status}), expected {value}")
    for name in trained:
        status, _ = ask(port, "GET", f"{BOUNDARIES}/{name}/w")
        if status != 200:
            broken.append(f"{name}: trained, and has the status {status}")
    return broken


def kill_again_and_again(program: Path, kills: int) -> list[str]:
    chance = random.Random(7)
    known: dict[str, float | None] = {}
    trained: set[str] = set()
    values = itertools.count(1)
    broken: list[str] = []
    acknowledged = imports = whole = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        models, source = folder / "models", folder / "source"
        models.mkdir()
        source.mkdir()
        # The networks of the bundled model as somebody would have exported them.
        for file in ("mapping.onnx", "synthesis.onnx", "w_avg.npy"):
            shutil.copy(ROOT / "onnx/phantom" / file, source)
        options = [str(source), "--name", "first", "--output", str(models / "first")]
        subprocess.run([program, "import", *options], stdout=subprocess.DEVNULL, check=True)
        for number in range(kills + 1):
            service = Service(
                program, ["--store", str(folder / "store"), "--model", str(models)], folder / f"log{number}"
            )
            broken += lost(service.port, known, trained)
            found = {path.name for path in models.glob("import*")}
            served = {name for name in found if ask(service.port, "GET", f"/v1/sample?seed=1&model={name}")[0] == 200}
            broken += [f"{name}: its folder is there, and the service has no face of it" for name in found - served]
            whole += len(served)
            if number == kills:
                service.stop()
                break
            for path in models.glob("import*"):
                shutil.rmtree(path)
            writers = [Writer(service, index, known, values) for index in range(3)]
            threads = [*writers, Trainer(service, trained), Reader(service)]
            for thread in threads:
                thread.start()
            options = [str(source), "--name", f"import{number}", "--output", str(models / f"import{number}")]
            importing = subprocess.Popen(
                [program, "import", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            imports += 1
            time.sleep(chance.uniform(0, MOST_SECONDS))
            if number % WHOLE_IMPORTS == 0:
                importing.wait(120)
            importing.kill()
            service.process.kill()
            importing.wait()
            service.process.wait()
            for thread in threads:
                thread.join()
            acknowledged += sum(writer.acknowledged for writer in writers)
        leftovers = [path.name for path in (folder / "store").rglob("*") if path.is_file() and path.suffix != ".json"]
    leftovers = [name for name in leftovers if name != ".lock"]
    print(
        f"{kills} kills: {acknowledged} changes and {len(trained)} trainings acknowledged, {len(broken)} lost; "
        f"{imports} imports killed, {whole} of them were whole; temporary files after the last start: {leftovers}"
    )
    if leftovers:
        broken.append(f"temporary files stay: {leftovers}")
    if not acknowledged or not trained:
        broken.append("nothing was acknowledged: the kills show nothing")
    return broken
