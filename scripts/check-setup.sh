#!/bin/sh
# Says in one line what keeps the scripts of minichain from running, with exit code 1; is silent when all is well.
# check-setup.sh build: also looks for what a build needs.
cd "$(dirname "$0")/.." || exit 1

fail() {
  echo "minichain: $*" >&2
  exit 1
}

[ -d node_modules/.bin ] || fail "the packages are not installed: run \`npm ci\` in $PWD"

# npm ci installs a Node.js for Linux with glibc there, which all scripts find before any other.
node=node_modules/.bin/node
if [ -e "$node" ] && ! "$node" --version >/dev/null 2>&1; then
  fail "the Node.js in node_modules cannot run on this system (it needs glibc, which Alpine and NixOS do not have):" \
    "run \`rm $node\` in $PWD, and have Node.js 22.22 or newer installed"
fi

if [ "${1:-}" = build ]; then
  for tool in buf nest asc; do
    [ -e "node_modules/.bin/$tool" ] || fail "the packages that build minichain are not installed" \
      "(NODE_ENV=production and --omit=dev leave them out): run \`npm ci --include=dev\` in $PWD"
  done
fi
