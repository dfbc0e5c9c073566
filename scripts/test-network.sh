#!/usr/bin/env bash
# Plays four scenarios with three real nodes as a user would: with the start scripts, the shipped configurations and
# ports, curl and jq. Chains are in a temporary directory. The exit code is 0 if all four pass. Runs with bash 3.2 and with
# the tools of BSD, as macOS has them.
set -uo pipefail

DEADLINE_SECONDS=60
JSON='Content-Type: application/json'

scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pids='' # of the nodes that run
passed=0
failed=0
phase=0

refuse() {
  echo "test-network.sh: $*" >&2
  exit 2
}

for tool in curl jq; do
  command -v "$tool" >/dev/null || refuse "$tool is missing: install it first (for example \`apt-get install $tool\`)"
done
for port in 8091 8092 8093 9091 9092 9093; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    refuse "port $port is taken: first stop the process that listens there (a running minichain?)"
  fi
done
for variable in ${!MINICHAIN_@}; do unset "$variable"; done # test the configurations as they are shipped
export no_proxy='localhost,127.0.0.1'

work=$(mktemp -d "${TMPDIR:-/tmp}/minichain.XXXXXX")
trap 'stop_nodes; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# start_node N: in the background, with this phase's data directory.
start_node() {
  MINICHAIN_NODE_DATA_DIR="$work/$phase/node$1" "$scripts/start-node$1.sh" >"$work/node$1.log" 2>&1 &
  pids="$pids $!"
}

stop_nodes() {
  local pid
  for pid in $pids; do kill -TERM "$pid" 2>/dev/null; done
  for pid in $pids; do
    wait_until 15 is_gone "$pid" || kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  pids=''
}

is_gone() {
  ! kill -0 "$1" 2>/dev/null
}

# wait_until SECONDS COMMAND...: repeats the command until it succeeds; fails after SECONDS.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.2
  done
}

# fetch N PATH: prints the answer of node N's REST API.
fetch() {
  curl --silent --fail --max-time 10 "localhost:809$1$2"
}

# has_peers N EXPECTED: checks the sorted ids of the nodes that node N is connected to.
has_peers() {
  [[ $(fetch "$1" /peers | jq -r '[.peers[] | select(.connected).id] | sort | join(" ")') == "$2" ]]
}

# block_with N DATA: prints the hash of the block for each time that the entry is in node N's chain.
block_with() {
  fetch "$1" '/chain?limit=1000' | jq -r --arg data "$2" '.blocks[] | .hash as $hash | .transactions[] | select(.data == $data) | $hash'
}

has_length() {
  [[ $(fetch "$1" /chain | jq '.length') == "$2" ]]
}

# agree DATA...: all three have one tip and nothing pending, and each entry is exactly once in that chain.
agree() {
  local data tip
  tip=$(fetch 1 /status | jq -r '.tip')
  [[ -n $tip && $(fetch 2 /status | jq -r '.tip') == "$tip" && $(fetch 3 /status | jq -r '.tip') == "$tip" ]] || return 1
  [[ $(for n in 1 2 3; do fetch "$n" /mempool | jq '.transactions'; done | tr '\n' ' ') == '0 0 0 ' ]] || return 1
  for data in "$@"; do
    (($(block_with 1 "$data" | wc -l) == 1)) || return 1
  done
}

same_block() {
  local hash
  hash=$(block_with 1 "$1")
  [[ -n $hash && $(block_with 2 "$1") == "$hash" && $(block_with 3 "$1") == "$hash" ]]
}

start_scenario() {
  local n
  start_node 3
  start_node 1
  start_node 2
  wait_until $DEADLINE_SECONDS has_peers 1 'node-2 node-3' || fail 'node-1 is not connected to both others' || return
  wait_until $DEADLINE_SECONDS has_peers 2 'node-1 node-3' || fail 'node-2 is not connected to both others' || return
  wait_until $DEADLINE_SECONDS has_peers 3 'node-1 node-2' || fail 'node-3 is not connected to both others' || return
  for n in 1 2 3; do
    for other in 1 2 3; do
      [[ $n == "$other" ]] || grep -q "Connected to peer node-$other" "$work/node$n.log" ||
        fail "node-$n did not log \"Connected to peer node-$other\"" || return
    done
  done
}

propagation_scenario() {
  curl --silent --fail -X POST http://localhost:8091/blocks -H "$JSON" -d '{"data":"Test from Node 1"}' >/dev/null ||
    fail 'node-1 did not take the entry' || return
  wait_until $DEADLINE_SECONDS same_block 'Test from Node 1' || fail 'the three do not have it in the same block'
}

late_joiner_scenario() {
  local i n
  stop_nodes
  phase=$((phase + 1))
  start_node 1
  start_node 2
  wait_until $DEADLINE_SECONDS has_peers 1 'node-2' || fail 'node-1 is not connected to node-2' || return
  for i in {1..5}; do
    curl --silent --fail -X POST http://localhost:8091/blocks -d "{\"data\":\"Block $i\"}" >/dev/null ||
      fail "node-1 did not take \"Block $i\"" || return
    sleep 1
  done
  for n in 1 2; do
    wait_until $DEADLINE_SECONDS has_length "$n" 6 || fail "node-$n has $(fetch "$n" /chain | jq '.length') blocks, not 6" || return
  done
  start_node 3
  wait_until $DEADLINE_SECONDS has_length 3 6 || fail "node-3 has $(fetch 3 /chain | jq '.length') blocks, not 6"
}

competition_scenario() {
  local n post posts=''
  wait_until $DEADLINE_SECONDS has_peers 3 'node-1 node-2' || fail 'node-3 is not connected to both others' || return
  for n in 1 2 3; do
    curl --silent --fail -X POST "http://localhost:809$n/blocks" -H "$JSON" -d "{\"data\":\"Tx$n\"}" >/dev/null &
    posts="$posts $!"
  done
  n=0
  for post in $posts; do
    n=$((n + 1))
    wait "$post" || fail "node-$n did not take Tx$n" || return
  done
  wait_until $DEADLINE_SECONDS agree Tx1 Tx2 Tx3 || fail 'no single chain with each of Tx1, Tx2 and Tx3 exactly once'
}

# fail REASON: stores the reason and returns 1, so that it can end a chain of ||.
fail() {
  reason=$1
  return 1
}

# play NAME PROMISE: runs NAME_scenario and reports the result.
play() {
  local n reason=''
  if "$1_scenario"; then
    passed=$((passed + 1))
    echo "PASS  $2"
  else
    failed=$((failed + 1))
    echo "FAIL  $2"
    echo "      $reason"
    for n in 1 2 3; do
      [[ ! -f $work/node$n.log ]] || tail -n 15 "$work/node$n.log" | sed "s/^/      node-$n | /"
    done
  fi
}

play start 'Start: three nodes, in any order, connect to each other'
play propagation 'Propagation: an entry posted to node-1 is in the same block on all three'
play late_joiner 'Late joiner: node-3 starts later and has all 6 blocks'
play competition 'Competition: entries posted to all three at once are exactly once in one chain'
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
