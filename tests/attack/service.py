"""The program under attack: starts it, limits its memory where the machine allows, and reads what it uses."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import IO

GIB = 1024**3
MIB = 1024**2
# The folders of the memory controller: cgroup v2, then v1.
CGROUPS = [
    (Path("/sys/fs/cgroup"), "memory.max"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
]


class MemoryLimit:
    """A cgroup with a limit on memory, or nothing where none can be made."""

    def __init__(self, limit: int) -> None:
        self.folder: Path | None = None
        for root, file in CGROUPS:
            folder = root / f"faceplane-attack-{os.getpid()}"
            # Both kinds have the root folder; only a folder of the controller has its file.
            if not (root / "cgroup.procs").is_file():
                continue
            try:
                folder.mkdir()
                (folder / file).write_text(str(limit))
            except OSError:
                if folder.is_dir():
                    folder.rmdir()
                continue
            self.folder = folder
            return

    def add(self, pid: int) -> None:
        if self.folder:
            (self.folder / "cgroup.procs").write_text(str(pid))

    def remove(self) -> None:
        if self.folder:
            self.folder.rmdir()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Service:
    """A running `faceplane serve` on a loopback port."""

    def __init__(
        self,
        program: Path,
        options: list[str],
        log: Path | IO[bytes] | int,
        limit: MemoryLimit | None = None,
        wait: bool = True,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        command = [str(program), "serve", "--listen", f"127.0.0.1:{self.port}", *options]
        # A setting of the caller's environment would change what is measured.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FACEPLANE_") or name == "FACEPLANE_ONNXRUNTIME"
        }
        output = log.open("wb") if isinstance(log, Path) else log
        started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )
        if isinstance(log, Path) and not isinstance(output, int):
            output.close()
        if limit:
            limit.add(self.pid)
        if wait:
            self.wait_until_ready()
        self.start_seconds = time.monotonic() - started

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_ready(self, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended with {self.process.returncode} before it was ready")
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    if connection.recv(64).split(b" ")[1:2] == [b"200"]:
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the service is not ready after {seconds:.0f} s")

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
        return int(found.group(1)) * 1024 if found else 0

    def resident(self) -> int:
        """The resident memory now, in bytes."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The highest resident memory since `reset_peak`, in bytes."""
        return self._status("VmHWM")

    def sockets(self) -> int:
        """The sockets that the service has open."""
        links = Path(f"/proc/{self.pid}/fd").iterdir()
        return sum(1 for link in links if link.is_symlink() and str(link.readlink()).startswith("socket:"))

    def reset_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def stop(self, sent: signal.Signals = signal.SIGTERM, seconds: float = 90) -> tuple[int, float]:
        """Sends a signal; returns the exit status and the seconds until the end."""
        started = time.monotonic()
        self.process.send_signal(sent)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        return status, time.monotonic() - started
