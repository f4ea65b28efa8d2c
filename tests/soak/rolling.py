"""Three replicas on one store behind HAProxy, restarted one after the other under load."""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from attacks import BOUNDARIES, JSON, ask, photograph
from service import Service, free_port

HERE = Path(__file__).resolve().parent
CLIENTS = 6
ROUNDS = 2
# Longer than the proxy needs to see that a replica is back.
SETTLE_SECONDS = 3.0
NAMES = ("first", "second", "third")


class Client(threading.Thread):
    """Asks for faces and changes boundaries until it is told to stop."""

    def __init__(self, port: int, number: int, photo: bytes) -> None:
        super().__init__(daemon=True)
        self.port, self.number, self.photo = port, number, photo
        self.is_over = threading.Event()
        self.statuses: Counter[str] = Counter()

    def run(self) -> None:
        for count in itertools.count(self.number * 1_000_000):
            if self.is_over.is_set():
                return
            kind = count % 5
            if kind == 4:
                path = f"{BOUNDARIES}/rolling{self.number}/w"
                body = json.dumps({"normal": [1.0] + [0.0] * 63, "intercept": float(count)}).encode()
                status = ask(self.port, "PUT", path, body, JSON)[0]
            elif kind == 3:
                posted = {"Content-Type": "image/jpeg"}
                status = ask(self.port, "POST", "/v1/invert?method=encoder", self.photo, posted)[0]
            elif kind == 2:
                status = ask(self.port, "GET", f"/v1/edit?seed={count}&edit=smile:2")[0]
            else:
                status = ask(self.port, "GET", f"/v1/sample?seed={count}&metadata=none")[0]
            self.statuses[f"{('GET', 'GET', 'GET', 'POST', 'PUT')[kind]} {status}"] += 1


def start(program: Path, store: Path, log: Path, port: int | None = None) -> Service:
    return Service(program, ["--store", str(store)], log, port=port)


def restart_in_turns(program: Path) -> list[str]:
    haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if not haproxy:
        return ["HAProxy is missing; Debian has it in haproxy"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        replicas = {name: start(program, folder / "store", folder / f"{name}.log") for name in NAMES}
        proxy = free_port()
        config = (HERE / "haproxy.cfg").read_text().replace("@PROXY@", str(proxy))
        for name, replica in replicas.items():
            config = config.replace(f"@{name.upper()}@", str(replica.port))
        (folder / "haproxy.cfg").write_text(config)
        balancer = subprocess.Popen([haproxy, "-f", folder / "haproxy.cfg"])
        time.sleep(SETTLE_SECONDS)
        photo = photograph(proxy, 3)
        clients = [Client(proxy, number, photo) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        ends = []
        for turn, name in itertools.product(range(ROUNDS), NAMES):
            old = replicas[name]
            status, seconds = old.stop()
            ends.append((status, seconds))
            replicas[name] = start(program, folder / "store", folder / f"{name}{turn}.log", old.port)
            time.sleep(SETTLE_SECONDS)
        for client in clients:
            client.is_over.set()
        for client in clients:
            client.join()
        # Every replica has the last change of each client.
        time.sleep(5)
        last = {
            client.number: [
                json.loads(ask(replica.port, "GET", f"{BOUNDARIES}/rolling{client.number}/w")[1]).get("intercept")
                for replica in replicas.values()
            ]
            for client in clients
        }
        balancer.terminate()
        balancer.wait()
        for replica in replicas.values():
            replica.stop()
    total = sum((client.statuses for client in clients), Counter[str]())
    print(
        f"{len(ends)} restarts, each within {max(seconds for _, seconds in ends):.1f} s: {dict(sorted(total.items()))}"
    )
    broken = [f"{count}×{name}" for name, count in total.items() if name.split()[1] not in {"200", "201"}]
    broken += [f"a replica ended with {status}" for status, _ in ends if status]
    broken += [f"boundary {name}: the replicas have {found}" for name, found in last.items() if len(set(found)) > 1]
    return broken
