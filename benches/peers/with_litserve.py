"""LitServe with batches: requests in, one `predict` for up to eight of them, one answer each."""

import os

import litserve
from fastapi import Response

from model import Model, png


class Sampler(litserve.LitAPI):
    def setup(self, device):
        self.model = Model()

    def decode_request(self, request):
        return request["seed"]

    def batch(self, inputs):
        return inputs

    def predict(self, seeds):
        return self.model.draw(seeds)

    def unbatch(self, output):
        return list(output)

    def encode_response(self, pixels):
        return Response(png(pixels), media_type="image/png")


if __name__ == "__main__":
    api = Sampler(max_batch_size=8, batch_timeout=0.01, api_path="/sample")
    server = litserve.LitServer(api, accelerator="cpu")
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, log_level="warning")
