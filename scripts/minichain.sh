#!/bin/sh
# The `minichain` command for npx: minichain.mjs under the Node.js that `npm ci` installed, once that is known to run.
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
  /*) self=$target ;;
  *) self=$(dirname "$self")/$target ;;
  esac
done
scripts=$(cd "$(dirname "$self")" && pwd -P) || exit 1
"$scripts/check-setup.sh" || exit 1
PATH="$scripts/../node_modules/.bin:$PATH"
export PATH
exec node "$scripts/minichain.mjs" "$@"
