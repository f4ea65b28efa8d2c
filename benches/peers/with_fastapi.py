"""FastAPI on uvicorn. A plain `def` runs in FastAPI's pool of threads, as its documentation has it for blocking work."""

import os

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel

from model import Model, png

app = FastAPI()
model = Model()


class Sample(BaseModel):
    seed: int


@app.post("/sample")
def sample(body: Sample):
    return Response(png(model.draw([body.seed])[0]), media_type="image/png")


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
