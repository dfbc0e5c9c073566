#!/usr/bin/env bash
# Runs node-2 in the foreground with config/node2.toml. Ctrl-C stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ ! -d node_modules/.bin ]]; then
  echo "start-node2.sh: the packages are not installed: run \`npm ci\` and \`npm run build\` in $PWD" >&2
  exit 1
fi
export PATH="$PWD/node_modules/.bin:$PATH" # `npm ci` installs a current Node.js there
exec node scripts/minichain.mjs start --config config/node2.toml "$@"
