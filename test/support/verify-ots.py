"""Checks OpenTimestamps proofs by Debian's python3-opentimestamps against the JSON-RPC of a node.

usage: verify-ots.py URL < lines of "FILE PROOF"; prints for each line the time of the block, or "refused: why".
"""
import sys

import bitcoin.rpc
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation
from opentimestamps.core.serialize import StreamDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

proxy = bitcoin.rpc.Proxy(service_url=sys.argv[1])


def verify(path, proof_path):
    with open(proof_path, "rb") as proof_file:
        proof = DetachedTimestampFile.deserialize(StreamDeserializationContext(proof_file))
    with open(path, "rb") as stamped:
        if proof.file_digest != proof.file_hash_op.hash_fd(stamped):
            raise ValueError("another file")
    attestations = [(m, a) for m, a in proof.timestamp.all_attestations() if isinstance(a, BitcoinBlockHeaderAttestation)]
    if not attestations:
        raise ValueError("no block is named")
    for message, attestation in attestations:
        if attestation.height > proxy.getblockcount():
            raise ValueError("no such block")
        header = proxy.getblockheader(proxy.getblockhash(attestation.height))
        return attestation.verify_against_blockheader(message, header)


for line in sys.stdin:
    path, proof_path = line.rstrip("\n").split("\t")
    try:
        print(verify(path, proof_path), flush=True)
    except Exception as error:
        print("refused:", type(error).__name__, " ".join(str(error).split()), flush=True)
