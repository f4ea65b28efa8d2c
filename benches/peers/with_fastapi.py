"""FastAPI on uvicorn with a plain `def`, which FastAPI runs in its thread pool, as documented for blocking work."""

import os

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel

from model import Model, png

app = FastAPI()
model = Model()


class Sample(BaseModel):
    """The body of a request."""

    seed: int


@app.post("/sample")
def sample(body: Sample) -> Response:
    return Response(png(model.synthesize([body.seed])[0]), media_type="image/png")


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
