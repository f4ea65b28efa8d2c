"""mosec: one worker synthesizes batches, and two workers behind it encode PNG files."""

import os
import sys
from typing import Any

from mosec import Server, Worker

from model import Model, Pixels, png


class Synthesizer(Worker):
    """Synthesizes batches."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()

    def forward(self, data: list[dict[str, Any]]) -> list[Pixels]:
        return list(self.model.synthesize([body["seed"] for body in data]))


class Encoder(Worker):
    """Encodes PNG files."""

    resp_mime_type = "image/png"

    def forward(self, pixels: Pixels) -> bytes:
        return png(pixels)

    def serialize(self, data: bytes) -> bytes:
        return data


if __name__ == "__main__":
    sys.argv += ["--address", "127.0.0.1", "--port", os.environ["PORT"], "--log-level", "warning"]
    server = Server()
    server.append_worker(Synthesizer, num=1, max_batch_size=8, max_wait_time=10)
    server.append_worker(Encoder, num=2)
    server.run()
