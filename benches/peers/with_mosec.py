"""mosec: a worker that draws batches, and workers that encode behind it."""

import os
import sys

from mosec import Server, Worker

from model import Model, png


class Drawing(Worker):
    def __init__(self):
        super().__init__()
        self.model = Model()

    def forward(self, data):
        return list(self.model.draw([body["seed"] for body in data]))


class Encoding(Worker):
    resp_mime_type = "image/png"

    def forward(self, pixels):
        return png(pixels)

    def serialize(self, data):
        return data


if __name__ == "__main__":
    sys.argv += ["--address", "127.0.0.1", "--port", os.environ["PORT"], "--log-level", "warning"]
    server = Server()
    server.append_worker(Drawing, num=1, max_batch_size=8, max_wait_time=10)
    server.append_worker(Encoding, num=2)
    server.run()
