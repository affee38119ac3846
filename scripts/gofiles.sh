#!/bin/sh
# Lists the Go files of the repository, without what tools put beside them.
set -eu
cd "$(dirname "$0")/.."
find . -type d \( -name .git -o -name bin -o -name data -o -name node_modules -o -name testdata \) -prune -o -name '*.go' -print
