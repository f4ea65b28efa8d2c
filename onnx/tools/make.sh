#!/bin/sh
# Makes the phantom from nothing: make.sh [CACHE]. A step that is done leaves a mark in the cache and is then skipped;
# delete the mark to repeat the step. PYTHON names an interpreter that has requirements.txt installed.
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

step export
step classifier --cache "$cache"
step boundaries --cache "$cache"
step gradient
step encoder --cache "$cache"
step quality
step evaluate --cache "$cache"
step card
