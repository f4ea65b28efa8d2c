"""A TCP proxy in front of a server, which can fail: it refuses connections, keeps them and says nothing, or is slow."""

import socket
import threading
import time
from contextlib import suppress
from enum import Enum

# How much later the client of a slow server gets each piece of a response.
DELAY = 1.0


class Mode(Enum):
    """What the proxy does with connections."""

    FORWARD = "forward"
    REFUSE = "refuse"
    HANG = "hang"
    SLOW = "slow"


class Outage:
    """A proxy on a free port of loopback."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.mode = Mode.FORWARD
        self.open: list[socket.socket] = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def switch(self, mode: Mode) -> None:
        """Changes the mode, also of open connections."""
        with self.lock:
            self.mode = mode
            for connection in self.open:
                # The other side may have been first.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self.open.clear()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            with self.lock:
                if self.mode is Mode.REFUSE:
                    client.close()
                    continue
                self.open.append(client)
                if self.mode is Mode.HANG:
                    continue
                server = socket.create_connection(("127.0.0.1", self.target))
                self.open.append(server)
                delay = DELAY if self.mode is Mode.SLOW else 0.0
            for source, sink, pause in ((client, server, 0.0), (server, client, delay)):
                threading.Thread(target=self._forward, args=(source, sink, pause), daemon=True).start()

    @staticmethod
    def _forward(source: socket.socket, sink: socket.socket, pause: float) -> None:
        # The connection may be cut.
        with suppress(OSError):
            while received := source.recv(1 << 16):
                time.sleep(pause)
                sink.sendall(received)
            sink.shutdown(socket.SHUT_WR)
