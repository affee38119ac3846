#!/bin/sh
# Makes sure that the embedded ClickHouse engine lies in the user's cache directory, where the
# binary looks for it: <cache>/chaoban/engine/<version>, with <cache> as Go's os.UserCacheDir.
# Does nothing when it is there. CHAOBAN_ENGINE (a libchdb.so of one's own) switches it off.
# usage: scripts/engine.sh [--where]
set -eu

cd "$(dirname "$0")/../tools/engine"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)

case $(uname -s) in
Darwin) cache=$HOME/Library/Caches ;;
*) cache=${XDG_CACHE_HOME:-$HOME/.cache} ;;
esac
target=$cache/chaoban/engine/$version

if [ "${1:-}" = --where ]; then
	echo "$target"
	exit 0
fi

if [ -n "${CHAOBAN_ENGINE:-}" ]; then
	[ -s "$CHAOBAN_ENGINE" ] && exit 0
	echo "engine: CHAOBAN_ENGINE names $CHAOBAN_ENGINE, which is not a file" >&2
	exit 1
fi

# The directory appears only complete (fetch.mjs renames it into place), so a look is enough.
for library in "$target"/node_modules/@chdb/*/libchdb.so; do
	[ -s "$library" ] && exit 0
done

for tool in node npm; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "engine: $tool was not found; install Node.js 20 or newer with npm (https://nodejs.org)" >&2
		exit 1
	fi
done
major=$(node -p 'process.versions.node.split(".")[0]')
if [ "$major" -lt 20 ]; then
	echo "engine: Node.js $(node --version) is too old, 20 or newer is needed (https://nodejs.org)" >&2
	exit 1
fi

exec node fetch.mjs "$target"
