#!/usr/bin/env python3
"""Posts an entry, waits until it is in the chain, and checks the proof. Needs Python 3.8 and nothing else.

    python3 examples/python/post_and_prove.py "measured 4.2 bar" [confirmations]
    python3 examples/python/post_and_prove.py --check entry.proof.json

Environment: MINICHAIN_URL (default http://localhost:8091), MINICHAIN_TOKEN (if the node has a write token),
MINICHAIN_GENESIS (the genesis that a proof has to begin with; by default any).
"""

import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request

URL = os.environ.get("MINICHAIN_URL", "http://localhost:8091").rstrip("/")
TOKEN = os.environ.get("MINICHAIN_TOKEN")
GENESIS = os.environ.get("MINICHAIN_GENESIS")
TIMEOUT_SECONDS = 120
BUSY = (429, 502, 503, 504)


class Refused(Exception):
    """The node refused, and will refuse the same request again."""


class Wrong(Exception):
    """A proof does not hold."""


def ask(path, body=None):
    """A request, repeated while the node is busy or away. Only for requests that may arrive twice."""
    headers = {"Content-Type": "application/json"}
    if TOKEN:
        headers["Authorization"] = "Bearer " + TOKEN
    data = None if body is None else json.dumps(body).encode()
    end = time.monotonic() + TIMEOUT_SECONDS
    pause = 0.1
    while True:
        retry_after = 0.0
        try:
            request = urllib.request.Request(URL + path, data=data, headers=headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            if error.code not in BUSY:
                raise Refused(text) from error
            seconds = error.headers.get("Retry-After", "")
            retry_after = float(seconds) if seconds.isdigit() else 0.0
            problem = text
        except OSError as error:
            problem = str(error)
        pause = min(pause * 2, 5)
        wait = max(pause, retry_after)
        if time.monotonic() + wait > end:
            raise SystemExit("no answer from %s: %s" % (URL, problem))
        time.sleep(wait)


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def shown(digest):
    """A hash as Bitcoin and minichain show it: byte-reversed."""
    return digest[::-1].hex()


def from_shown(text):
    return bytes.fromhex(text)[::-1]


def compact_size(length):
    if length < 0xFD:
        return bytes([length])
    return b"\xfd" + length.to_bytes(2, "little")


def encode_entry(text, timestamp_ms, salt):
    """The bytes that the id is the hash of: kind, time, salt, text."""
    data = text.encode("utf-8")
    head = b"\x01" + timestamp_ms.to_bytes(8, "little")
    entry = head + compact_size(len(salt)) + salt + compact_size(len(data)) + data
    # 64 bytes are forbidden: such an entry could pass for two hashes of the Merkle tree.
    return entry if len(entry) != 64 else encode_entry(text, timestamp_ms, salt + b"\x00")


def salt_of(entry):
    return entry[10 : 10 + entry[9]]


def target_of(bits):
    """The largest hash that a header with these bits may have (Bitcoin's compact form)."""
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    return mantissa * 256 ** (exponent - 3) if exponent > 3 else mantissa >> (8 * (3 - exponent))


def check(holds, message):
    if not holds:
        raise Wrong(message)


def verify(proof):
    """Checks a proof as JSON: the entry is in its block, and the headers are a chain with all the work they claim.

    What it leaves out: that the genesis follows from the parameters, and the rules about the times of headers.
    `minichain verify` checks those too. Returns the blocks on the entry, its own counted, and the hashes they cost.
    """
    network = proof["network"]
    check(proof["proof"] == "minichain" and proof["version"] == 1, "this is no proof of version 1")
    check(proof["anchor"] == {"height": 0, "hash": network["genesis"]}, "the headers do not begin at the genesis")
    check(GENESIS in (None, network["genesis"]), "the proof is of another network")

    transaction = bytes.fromhex(proof["transaction"])
    digest = sha256d(transaction)
    check(shown(digest) == proof["id"], "the id is not the hash of the entry")
    check(proof["pos"] < 2 ** len(proof["merkle"]), "there is no such place in the tree")
    check(len(transaction) != 64, "64 bytes are two hashes of the Merkle tree, and no entry")
    check(transaction[0] in (1, 2), "the transaction is no entry")
    position = proof["pos"]
    for sibling in map(from_shown, proof["merkle"]):
        check(position % 2 == 0 or sibling != digest, "a hash is its own left neighbour")
        digest = sha256d(sibling + digest if position % 2 else digest + sibling)
        position //= 2
    root = digest

    limit = target_of(int(network["limitBits"], 16))
    parent = network["genesis"]
    confirmations = hashes = 0
    for height, header in enumerate(map(bytes.fromhex, proof["headers"]), 1):
        check(len(header) == 80, "a header has 80 bytes")
        check(shown(header[4:36]) == parent, "block %d does not follow the one before it" % height)
        parent = shown(sha256d(header))
        target = target_of(int.from_bytes(header[72:76], "little"))
        check(0 < target <= limit, "block %d has a target that is too easy" % height)
        check(network["retargetInterval"] > 0 or target == limit, "block %d has a wrong target" % height)
        check(int(parent, 16) <= target, "block %d does not have its work" % height)
        if height == proof["block_height"]:
            check(parent == proof["block_hash"], "block %d is another one" % height)
            check(header[36:68] == root, "the entry is not in block %d" % height)
        if height >= proof["block_height"]:
            confirmations += 1
            hashes += 2**256 // (target + 1)
    check(proof["tip"] == {"height": len(proof["headers"]), "hash": parent}, "the headers end elsewhere")
    check(confirmations > 0 and proof["block_height"] > 0, "the block of the entry is missing")
    return confirmations, hashes


def show(proof):
    confirmations, hashes = verify(proof)
    place = "block %d of network %s" % (proof["block_height"], proof["network"]["network"])
    print("proven: entry %s stands in %s" % (proof["id"], place))
    blocks = "1 block" if confirmations == 1 else "%d blocks" % confirmations
    print("work: %s from its own on, about %d hashes" % (blocks, hashes))


def main(arguments):
    if arguments[:1] == ["--check"]:
        with open(arguments[1], encoding="utf-8") as file:
            return show(json.load(file))
    text = arguments[0] if arguments else "Hello from Python"
    wanted = int(arguments[1]) if len(arguments) > 1 else 1

    # The id is known before anything is sent, and the same time and salt are the same entry.
    timestamp_ms = time.time_ns() // 1_000_000
    entry = encode_entry(text, timestamp_ms, os.urandom(16))
    entry_id = shown(sha256d(entry))
    print("entry", entry_id)
    body = {"data": text, "timestamp": timestamp_ms, "salt": salt_of(entry).hex()}
    receipt = ask("/blocks", body)
    check(receipt["id"] == entry_id, "the node made another entry of it")

    end = time.monotonic() + TIMEOUT_SECONDS
    while True:
        status = ask("/transactions/" + entry_id)
        if status["confirmations"] >= wanted:
            break
        if time.monotonic() > end:
            raise SystemExit("not confirmed after %d s: is any node mining?" % TIMEOUT_SECONDS)
        time.sleep(0.5)
    print("block", status["block"]["index"], status["block"]["hash"])

    proof = ask("/transactions/%s/proof" % entry_id)
    check(proof["transaction"] == entry.hex(), "this is the proof of another entry")
    return show(proof)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Wrong as error:
        sys.exit("not proven: %s" % error)
    except Refused as error:
        sys.exit("refused: %s" % error)
