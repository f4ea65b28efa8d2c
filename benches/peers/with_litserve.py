"""LitServe with batches: one `predict` serves up to eight requests, and each request gets its own response."""

import os
from typing import Any

import litserve
from fastapi import Response

from model import Model, Pixels, png


class Sampler(litserve.LitAPI):
    """Serves requests in batches."""

    def setup(self, device: str) -> None:  # noqa: ARG002
        self.model = Model()

    def decode_request(self, request: dict[str, Any]) -> int:
        return int(request["seed"])

    def batch(self, inputs: list[int]) -> list[int]:
        return inputs

    def predict(self, seeds: list[int]) -> Pixels:
        return self.model.synthesize(seeds)

    def unbatch(self, output: Pixels) -> list[Pixels]:
        return list(output)

    def encode_response(self, pixels: Pixels) -> Response:
        return Response(png(pixels), media_type="image/png")


if __name__ == "__main__":
    api = Sampler(max_batch_size=8, batch_timeout=0.01, api_path="/sample")
    server = litserve.LitServer(api, accelerator="cpu")
    server.run(host="127.0.0.1", port=int(os.environ["PORT"]), generate_client_file=False, log_level="warning")
