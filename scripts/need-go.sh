#!/bin/sh
# Fails with one clear sentence when Go is missing or older than go.mod asks for.
# usage: scripts/need-go.sh [go command]
set -eu
cd "$(dirname "$0")/.."
go=${1:-go}
want=$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod)

if ! command -v "$go" >/dev/null 2>&1; then
	echo "Go was not found; install Go $want or newer (https://go.dev/dl)" >&2
	exit 1
fi
# Outside the module, so that the answer is the installed Go even when it is too old for go.mod
# and may not fetch a newer one (GOTOOLCHAIN=local). A Go that may fetch one answers inside.
if have=$("$go" env GOVERSION 2>/dev/null) && [ -n "$have" ]; then :; else have=$(cd / && "$go" env GOVERSION); fi
echo "$have $want" | awk '{
	sub(/^go/, "", $1); split($1, have, /[.a-z]/); split($2, want, ".")
	exit !(have[1] > want[1] || (have[1] == want[1] && have[2] >= want[2]))
}' || {
	echo "Go $want or newer is needed, this is $have (https://go.dev/dl)" >&2
	exit 1
}
