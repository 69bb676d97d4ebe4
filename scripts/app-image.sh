#!/bin/sh
# Builds the example app's images: scripts/app-image.sh [TAG...], by default v1 and v2.
# Each image is hello:TAG and says TAG as its version. FAULT=... is built in (see examples/hello/app/fault.go).
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- v1 v2

GOARCH=$(docker version --format '{{.Server.Arch}}')
export GOARCH GOOS=linux CGO_ENABLED=0
go build -buildvcs=false -trimpath -ldflags '-s -w' -o bin/image/hello ./examples/hello
for tag; do
	# What docker says is worth reading only when it fails: without buildx it warns on every build.
	said=$(docker build -q -f examples/hello/Dockerfile -t "hello:$tag" \
		--build-arg "VERSION=$tag" --build-arg "FAULT=${FAULT:-}" . 2>&1) || { echo "$said" >&2 && exit 1; }
	echo "hello:$tag"
done
