"""BentoML with adaptive batching: one service synthesizes in batches, and the one in front of it encodes PNG files."""

import bentoml
import numpy as np
import numpy.typing as npt

from model import Model, png


@bentoml.service
class Synthesizer:
    """Synthesizes batches."""

    def __init__(self) -> None:
        self.model = Model()

    @bentoml.api(batchable=True, max_batch_size=8, max_latency_ms=60000)
    def synthesize(self, seeds: list[int]) -> npt.NDArray[np.uint8]:
        return self.model.synthesize(seeds)


@bentoml.service
class Sampler:
    """Serves requests."""

    synthesizer = bentoml.depends(Synthesizer)

    @bentoml.api
    async def sample(self, seed: int, ctx: bentoml.Context) -> bytes:
        ctx.response.headers["Content-Type"] = "image/png"
        pixels = await self.synthesizer.to_async.synthesize([seed])
        return png(pixels[0])
