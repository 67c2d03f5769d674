#!/usr/bin/env bash
# Build the image, and run a project of its own with it, as a user who is not root, without a network, a capability or
# a root to write to. DOCKER=podman builds and runs it with podman, as root.
set -euo pipefail
cd "$(dirname "$0")/.."
docker=${DOCKER:-docker}
image=harness-test:$$
folder=$(mktemp -d)
trap '"$docker" image rm --force "$image" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

user=$(id -u):$(id -g)
if [ "$(id -u)" = 0 ]; then # root would prove nothing: a user whom the image does not know owns the folder
    user=4321:4321
    chown "$user" "$folder"
fi
in_image() {
    "$docker" run --rm --network none --read-only --cap-drop ALL --user "$user" --volume "$folder:/project" "$@"
}
# The whole output is read before it is searched: a reader that stops early would break the pipe of a run that is right.
has() { case $1 in *"$2"*) ;; *) printf '%s\nexpected: %s\n' "$1" "$2" >&2; exit 1 ;; esac; }

"$docker" build --quiet --tag "$image" .
[ "$("$docker" run --rm --entrypoint id "$image" -u)" = 1000 ] || { echo "the image runs as root" >&2; exit 1; }
has "$(in_image "$image" --help)" "Usage: harness"
in_image "$image" init shop
has "$(in_image --workdir /project/shop "$image" eval)" "12 of 12 examples"
strangers=$(find "$folder" ! -user "${user%:*}")
[ -z "$strangers" ] || { printf 'written by somebody else:\n%s\n' "$strangers" >&2; exit 1; }
echo "megabytes: $(($("$docker" image inspect --format '{{.Size}}' "$image") / 1000000))"
