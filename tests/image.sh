#!/usr/bin/env bash
# Build the image, and run a project of its own with it, as a user who is not root and without a network.
set -euo pipefail
cd "$(dirname "$0")/.."
image=harness-test:$$
folder=$(mktemp -d)
trap 'docker image rm --force "$image" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

docker build --quiet --tag "$image" .
in_image() { docker run --rm --network none --user "$(id -u):$(id -g)" --volume "$folder:/project" "$@"; }

[ "$(docker run --rm --entrypoint id "$image" -u)" = 1000 ] || { echo "the image runs as root" >&2; exit 1; }
in_image "$image" --help | grep -q "harness"
in_image "$image" init shop
in_image --workdir /project/shop "$image" eval | grep -q "12 of 12 examples"
echo "megabytes: $(($(docker image inspect --format '{{.Size}}' "$image") / 1000000))"
