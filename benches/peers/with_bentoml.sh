#!/bin/sh
# BentoML's own server, on the port that the bench has chosen.
here=$(dirname "$0")
exec "$1" -m bentoml serve --working-dir "$here" --host 127.0.0.1 --port "$PORT" with_bentoml:Sampler
