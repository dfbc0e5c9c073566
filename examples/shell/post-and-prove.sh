#!/usr/bin/env bash
# Posts an entry, waits until it is in the chain, and checks its id and its way to the Merkle root of the block.
# Needs curl, jq, and sha256sum or shasum.
#
#   examples/shell/post-and-prove.sh "measured 4.2 bar" [confirmations]
#
# Environment: MINICHAIN_URL (default http://localhost:8091), MINICHAIN_TOKEN (if the node has a write token).
set -euo pipefail

text=${1:-Hello from the shell}
confirmations=${2:-1}
url=${MINICHAIN_URL:-http://localhost:8091}

fail() {
  echo "$*" >&2
  exit 1
}

hex() { od -An -v -tx1 | tr -d ' \n'; }

reversed() {
  local rest=$1 out=
  while [ -n "$rest" ]; do
    out=${rest:0:2}$out
    rest=${rest:2}
  done
  echo "$out"
}

# From hex digits to hex digits.
sha256() {
  printf '%b' "$(sed 's/../\\x&/g' <<<"$1")" |
    if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-64
}
sha256d() { sha256 "$(sha256 "$1")"; }

# Bitcoin's CompactSize, of up to 65,535.
compact() { if [ "$1" -lt 253 ]; then printf %02x "$1"; else printf 'fd%s' "$(reversed "$(printf %04x "$1")")"; fi; }

# The entry: kind, time in milliseconds, salt, text. Its id is the double hash, byte-reversed as Bitcoin shows hashes.
data=$(printf %s "$text" | hex)
salt=$(head -c 16 /dev/urandom | hex)
# An entry must not have 64 bytes.
[ ${#data} -eq 74 ] && salt=${salt}00
timestamp=$(date +%s)000
entry=01$(reversed "$(printf %016x "$timestamp")")$(compact $((${#salt} / 2)))$salt$(compact $((${#data} / 2)))$data
hash=$(sha256d "$entry")
id=$(reversed "$hash")
echo "entry $id"

# The same time and salt are the same entry, so curl may repeat the request as often as it likes.
body=$(jq -cn --arg data "$text" --arg salt "$salt" --argjson timestamp "$timestamp" '{$data, $timestamp, $salt}')
token=()
[ -n "${MINICHAIN_TOKEN:-}" ] && token=(-H "Authorization: Bearer $MINICHAIN_TOKEN")
answer=$(curl -sS --retry 8 --retry-all-errors ${token[@]+"${token[@]}"} -d "$body" "$url/blocks")
# Of several attempts the last counts.
[ "$(jq -rs 'last.id' <<<"$answer")" = "$id" ] || fail "not posted: $answer"

tries=240
until [ "$(curl -fsS --retry 8 --retry-all-errors "$url/transactions/$id" | jq .confirmations)" -ge "$confirmations" ]; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || fail 'not confirmed: is any node mining?'
  sleep 0.5
done

proof=$(curl -fsS "$url/transactions/$id/proof?headers=block")
position=$(jq .pos <<<"$proof")
for sibling in $(jq -r '.merkle[]' <<<"$proof"); do
  sibling=$(reversed "$sibling")
  if [ $((position % 2)) -eq 1 ]; then hash=$(sha256d "$sibling$hash"); else hash=$(sha256d "$hash$sibling"); fi
  position=$((position / 2))
done

header=$(jq -r '.headers[0]' <<<"$proof")
[ "$hash" = "${header:72:64}" ] || fail 'not proven: the entry is not in the block'
block=$(reversed "$(sha256d "$header")")
echo "block $(jq .block_height <<<"$proof") $block"
echo "proven: the text is in this block; a node that you trust says whether the block is in the chain: $url/blocks/$block"
