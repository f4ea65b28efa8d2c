"""Many connections at once, on plain sockets, so that a client can be slow, silent or broken in any way."""

import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

PIECE = 256 * 1024


def request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """An HTTP/1.1 request as bytes. A given Content-Length overrides the body's."""
    all_headers = {"Host": "localhost", "Content-Length": str(len(body)), **(headers or {})}
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return head.encode() + b"\r\n" + body


@dataclass
class Client:
    """A connection and how its client behaves."""

    data: bytes
    # The bytes at the end of `data` that are never sent.
    held: int = 0
    # The bytes that are sent in the first turn; the most in each later one; and the seconds between two turns.
    at_once: int = 0
    piece: int = PIECE
    pause: float = 0.0
    # Whether the client reads what comes.
    reads: bool = True

    connection: socket.socket | None = None
    # The events that the selector waits for.
    events: int = 0
    sent: int = 0
    next_turn: float = 0.0
    start: bytes = b""
    received: int = 0
    closed: bool = False
    closed_after: float = 0.0

    @property
    def status(self) -> int | None:
        words = self.start.split(b" ", 2)
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else None

    def wants_to_send(self, now: float) -> bool:
        return self.sent < len(self.data) - self.held and now >= self.next_turn


@dataclass
class Outcome:
    """What became of a crowd."""

    statuses: Counter[int | None] = field(default_factory=Counter)
    # Connections that the service closed.
    closed: int = 0
    refused: int = 0
    # The seconds until the last of them was closed.
    closed_after: float = 0.0
    received: int = 0

    def __str__(self) -> str:
        parts = [f"{count}×{status or 'no response'}" for status, count in sorted(self.statuses.items(), key=str)]
        if self.closed:
            parts.append(f"{self.closed} closed by the service within {self.closed_after:.0f} s")
        return ", ".join(parts)


class Crowd:
    """Connections that are served side by side until each has its response, is closed, or the time is over."""

    def __init__(self, port: int, clients: list[Client]) -> None:
        self.port = port
        self.clients = clients
        self.selector = selectors.DefaultSelector()
        self.refused = 0
        self.started = time.monotonic()

    def run(self, seconds: float, until_answered: bool = True) -> Outcome:
        """Runs for at most `seconds`; with `until_answered`, a client whose response has begun is done."""
        self.started = time.monotonic()
        for client in self.clients:
            self._connect(client)
        while time.monotonic() < self.started + seconds and self._turn(until_answered):
            pass
        return self._end()

    def _connect(self, client: Client) -> None:
        try:
            client.connection = socket.create_connection(("127.0.0.1", self.port), 5)
        except OSError:
            self.refused += 1
            client.closed = True
            return
        if not client.reads:
            client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connection.setblocking(False)

    def _turn(self, until_answered: bool) -> bool:
        """One pass over the sockets that are ready. Returns whether anything is left to do."""
        now = time.monotonic()
        open_clients = [client for client in self.clients if not client.closed]
        for client in open_clients:
            events = selectors.EVENT_READ if client.reads else 0
            if client.wants_to_send(now):
                events |= selectors.EVENT_WRITE
            self._listen(client, events)
        for key, events in self.selector.select(0.05):
            client = key.data
            if events & selectors.EVENT_READ:
                self._read(client)
            if events & selectors.EVENT_WRITE and not client.closed:
                self._write(client)
            if until_answered and client.status is not None:
                self._close(client, by_service=False)
        if not self.selector.get_map():
            time.sleep(0.05)
        return bool(open_clients)

    def _listen(self, client: Client, events: int) -> None:
        assert client.connection
        if events == client.events:
            return
        if not client.events:
            self.selector.register(client.connection, events, client)
        elif events:
            self.selector.modify(client.connection, events, client)
        else:
            self.selector.unregister(client.connection)
        client.events = events

    def _read(self, client: Client) -> None:
        assert client.connection
        try:
            data = client.connection.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(client, by_service=True)
            return
        client.received += len(data)
        if len(client.start) < 64:
            client.start += data[:64]

    def _write(self, client: Client) -> None:
        assert client.connection
        end = min(max(client.sent + client.piece, client.at_once), len(client.data) - client.held)
        try:
            client.sent += client.connection.send(memoryview(client.data)[client.sent : end])
        except BlockingIOError:
            return
        except OSError:
            # The response may still be there to be read.
            client.data = client.data[: client.sent]
        client.next_turn = time.monotonic() + client.pause

    def _close(self, client: Client, by_service: bool) -> None:
        if client.connection and not client.closed:
            client.closed = True
            client.closed_after = time.monotonic() - self.started if by_service else 0.0
            self._listen(client, 0)
            client.connection.close()

    def _end(self) -> Outcome:
        outcome = Outcome(refused=self.refused)
        for client in self.clients:
            outcome.closed += client.closed_after > 0
            outcome.closed_after = max(outcome.closed_after, client.closed_after)
            outcome.received += client.received
            outcome.statuses[client.status] += 1
            self._close(client, by_service=False)
        self.selector.close()
        return outcome
