#!/bin/sh
# Makes prometheus-rule.yaml from deploy/prometheus/alerts.yml, because kustomize can neither read a file outside its
# directory nor insert YAML into a resource. ../../render.sh runs it; a test compares the two files.
set -eu
cd "$(dirname "$0")"
{
  cat <<'HEAD'
# Made by make-prometheus-rule.sh from deploy/prometheus/alerts.yml: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: minichain
  labels:
    app.kubernetes.io/name: minichain
spec:
HEAD
  sed -e 's/^\(.\)/  \1/' ../../../prometheus/alerts.yml
} >prometheus-rule.yaml
