"""BentoML with adaptive batching: a service of its own draws, and the one in front of it encodes."""

import bentoml
import numpy as np

from model import Model, png


@bentoml.service
class Drawing:
    def __init__(self):
        self.model = Model()

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=60000)
    def draw(self, seeds: list[int]) -> np.ndarray:
        return self.model.draw(seeds)


@bentoml.service
class Sampler:
    drawing = bentoml.depends(Drawing)

    @bentoml.api
    async def sample(self, seed: int, ctx: bentoml.Context) -> bytes:
        ctx.response.headers["Content-Type"] = "image/png"
        pixels = await self.drawing.to_async.draw([seed])
        return png(pixels[0])
