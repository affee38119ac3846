#!/bin/sh
# Runs every fuzz target of the module for FUZZTIME (default 30s), one after the other: go test
# takes one target of one package at a time. Stops at the first target that finds something.
# Inputs that reach new code are kept as they are (-fuzzminimizetime 1x): shortening each for up to a
# minute, the default, would use up the time of the search.
set -eu
cd "$(dirname "$0")/.."

targets=$(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:func /:/' | sort)
if [ -z "$targets" ]; then
	echo "no fuzz targets" >&2
	exit 1
fi
for target in $targets; do
	file=${target%%:*}
	name=${target##*:}
	echo "== $name ($(dirname "$file"))"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-30s}" -fuzzminimizetime 1x "$(dirname "$file")"
done
