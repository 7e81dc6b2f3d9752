#!/bin/sh
# Builds both oracles and writes golden/hpa.txt and golden/kpa.txt anew. Needs Go 1.26 and the module
# proxy; from cold caches this takes some minutes and about 3 GB of cache.
set -eu
cd "$(dirname "$0")"
export CGO_ENABLED=0
build="$PWD/.build"
mkdir -p "$build" golden
trap 'rm -rf "$build" kpa/.upstream' EXIT

(cd hpa && go test -vet=off -c -o "$build/hpa.test" .)
"$build/hpa.test" -test.run '^TestGenerate$' -test.timeout 60m -out "$PWD/golden/hpa.txt"

# The zero logic of Knative sits in an unexported type: a copy of the module, with one file more that
# exports it, stands in for the module (see the replace line in kpa/go.mod).
version=$(sed -n 's/^\s*knative.dev\/serving \(v[^ ]*\).*/\1/p' kpa/go.mod | head -n 1)
upstream=$(cd "$build" && GOFLAGS=-mod=mod go mod download -json "knative.dev/serving@$version" |
	sed -n 's/^\s*"Dir": "\(.*\)",*$/\1/p')
rm -rf kpa/.upstream
mkdir -p kpa/.upstream/serving
cp -r "$upstream/pkg" "$upstream/go.mod" kpa/.upstream/serving/
chmod -R u+w kpa/.upstream
find kpa/.upstream -name '*_test.go' -delete
cp kpa/export.go.txt kpa/.upstream/serving/pkg/reconciler/autoscaling/kpa/export_oracle.go
(cd kpa && go test -vet=off -c -o "$build/kpa.test" .)
"$build/kpa.test" -test.run '^TestGenerate$' -test.timeout 60m -out "$PWD/golden/kpa.txt"
