#!/bin/sh
# Make one of the shipped models from nothing.
#
#     make.sh MODEL [CACHE]
#
# MODEL is phantom or portraits. Each finished step leaves a file STEP.done in the cache and is skipped from then on;
# delete that file to repeat the step. PYTHON names an interpreter with requirements.txt installed, FACEPLANE the
# program (`make build`).
set -eu
model=${1:-}
case $model in
phantom | portraits) ;;
*)
    echo "make.sh: found MODEL '$model', expected phantom or portraits" >&2
    exit 2
    ;;
esac
cache=${2:-$(dirname "$0")/../../target/$model}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
cd "$(dirname "$0")"
folder=../$model
mkdir -p "$folder"

# step NAME COMMAND…: run a command unless it has finished before.
step() {
    name=$1
    shift
    [ -e "$cache/$name.done" ] && return
    "$@"
    touch "$cache/$name.done"
}

# module NAME OPTION…: run a module of the model.
module() {
    name=$1
    shift
    step "$name" "${PYTHON:-python3}" -m "$model.$name" --folder "$folder" "$@"
}

# The phantom's boundaries, by faceplane, which samples and scores with the finished graphs.
phantom_boundaries() {
    for space in z w; do
        "${FACEPLANE:-../../target/release/faceplane}" train-boundary --replace --model "$folder" --output "$folder/boundaries" \
            --onnxruntime "${FACEPLANE_ONNXRUNTIME:-../../.onnxruntime/libonnxruntime.so}" \
            --attribute pose --attribute smile --attribute age --attribute gender --attribute eyeglasses \
            --space "$space" --samples 100000 --seed 2020
    done
}

case $model in
phantom)
    module export
    module classifier --cache "$cache"
    module encoder --cache "$cache"
    step errors "${PYTHON:-python3}" encoder_errors.py --folder "$folder"
    step boundaries phantom_boundaries
    module quality
    module evaluate
    module card
    ;;
portraits)
    module classifier --cache "$cache"
    module train --cache "$cache"
    module export --cache "$cache"
    module encoder --cache "$cache"
    module quality --cache "$cache"
    module boundaries --cache "$cache"
    module evaluate --cache "$cache"
    module card
    ;;
esac
