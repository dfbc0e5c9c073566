#!/usr/bin/env bash
# Runs node-3 in the foreground with config/node3.toml. Ctrl-C stops it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/check-setup.sh
export PATH="$PWD/node_modules/.bin:$PATH" # `npm ci` installs a current Node.js there
exec node scripts/minichain.mjs start --config config/node3.toml "$@"
