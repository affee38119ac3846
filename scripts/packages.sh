#!/bin/sh
# Lists the packages of the module, chosen by what they and their tests start.
# usage: scripts/packages.sh without-engine | with-server
set -eu
cd "$(dirname "$0")/.."

list='{{.ImportPath}} {{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}}'
engine='internal/clickhouseserver'
servers="$engine|internal/store"

packages=$(go list -f "$list" ./...) # not in the pipe: a failure must end the script

case ${1:-} in
without-engine) echo "$packages" | grep -Ev "$engine" | cut -d ' ' -f 1 ;;
with-server) echo "$packages" | grep -E "$servers" | cut -d ' ' -f 1 ;;
*)
	echo "usage: scripts/packages.sh without-engine | with-server" >&2
	exit 2
	;;
esac
