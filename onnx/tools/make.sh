#!/bin/sh
# Makes one of the models that come along from nothing: make.sh MODEL [CACHE], with MODEL phantom or portraits. A step that is done leaves a mark
# in the cache and is then skipped; delete the mark to repeat the step. PYTHON names an interpreter that has requirements.txt
# installed, FACEPLANE the program (`make build`).
set -eu
model=$1
cache=${2:-$(dirname "$0")/../../target/$model}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
cd "$(dirname "$0")"
mkdir -p "../$model"

step() {
    name=$1
    shift
    [ -e "$cache/$name.done" ] && return
    "${PYTHON:-python3}" -m "$model.$name" "$@"
    touch "$cache/$name.done"
}

# How far the phantom's encoder misses: by the graphs alone.
errors() {
    [ -e "$cache/errors.done" ] && return
    "${PYTHON:-python3}" errors.py --folder ../phantom
    touch "$cache/errors.done"
}

# The phantom's planes are found by faceplane itself, in the model as it is by then.
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

case $model in
phantom)
    step export --folder ../phantom
    step classifier --folder ../phantom --cache "$cache"
    step gradient --folder ../phantom
    step encoder --folder ../phantom --cache "$cache"
    errors
    boundaries
    step quality --folder ../phantom
    step evaluate --folder ../phantom
    step card --folder ../phantom
    ;;
portraits)
    step classifier --folder ../portraits --cache "$cache"
    step train --folder ../portraits --cache "$cache"
    step export --folder ../portraits --cache "$cache"
    step gradient --folder ../portraits
    step encoder --folder ../portraits --cache "$cache"
    step quality --folder ../portraits --cache "$cache"
    step boundaries --folder ../portraits --cache "$cache"
    step evaluate --folder ../portraits --cache "$cache"
    step card --folder ../portraits
    ;;
*)
    echo "make.sh: no recipe for $model; there are phantom and portraits" >&2
    exit 2
    ;;
esac
