#!/bin/sh
# Makes the phantom from nothing: make.sh [CACHE]. A step that is done leaves a mark in the cache and is then skipped;
# delete the mark to repeat the step. PYTHON names an interpreter that has requirements.txt installed, FACEPLANE the program
# (`make build`).
set -eu
cache=${1:-$(dirname "$0")/../../target/phantom}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
cd "$(dirname "$0")"
mkdir -p ../phantom

step() {
    name=$1
    shift
    [ -e "$cache/$name.done" ] && return
    "${PYTHON:-python3}" -m "phantom.$name" --folder ../phantom "$@"
    touch "$cache/$name.done"
}

# The planes are found by faceplane itself, in the model as it is by then.
boundaries() {
    [ -e "$cache/boundaries.done" ] && return
    for space in z w; do
        "${FACEPLANE:-../../target/release/faceplane}" train-boundary --model ../phantom --output ../phantom/boundaries \
            --onnxruntime "${FACEPLANE_ONNXRUNTIME:-../../.onnxruntime/libonnxruntime.so}" \
            --attribute pose --attribute smile --attribute age --attribute gender --attribute eyeglasses \
            --space "$space" --samples 100000 --ratio 0.1 --seed 2020
    done
    touch "$cache/boundaries.done"
}

step export
step classifier --cache "$cache"
step gradient
step encoder --cache "$cache"
boundaries
step quality
step evaluate
step card
