#!/bin/sh
# Renders base and overlays into rendered/, for test/contract and for clusters without kustomize. Needs kubectl. Run it after
# every change of a manifest or an alert: a test compares the digest of the sources.
set -eu
cd "$(dirname "$0")"
components/monitoring/make-prometheus-rule.sh
digest=$(find base components overlays -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1)
trap 'rm -f rendered/*.new' EXIT
for kustomization in base overlays/*; do
  file=rendered/$(basename "$kustomization").yaml
  {
    echo "# Made by render.sh from $kustomization: change it there."
    echo "# Digest of the sources: $digest"
    kubectl kustomize "$kustomization"
  } >"$file.new"
  mv "$file.new" "$file"
done
