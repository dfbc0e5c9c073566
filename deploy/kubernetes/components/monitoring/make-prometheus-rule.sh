#!/bin/sh
# Makes prometheus-rule.yaml from deploy/prometheus/alerts.yml; run it after every change of the alerts (a test compares
# the two). kustomize itself can neither read a file outside of its directory nor put YAML into the YAML of a resource.
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
