#!/usr/bin/env bash
# Starts an S3 server on loopback and compares; the Makefile's bench-etl.
set -euo pipefail
mkdir -p "$BENCH"
store=$(mktemp -d "$(cd "$BENCH" && pwd)/s3-XXXXXX") # the server wants whole paths
mkdir -p "$store/data/bench" "$store/meta"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY=benchbench AWS_REGION=us-east-1 AWS_ENDPOINT_URL="http://127.0.0.1:$port"
ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY "$TOOLS/bin/versitygw" --port "127.0.0.1:$port" --quiet --keep-alive \
	posix --sidecar "$store/meta" "$store/data" >"$store/log" 2>&1 &
server=$!
trap 'kill $server; rm -rf "$store"' EXIT
for _ in $(seq 50); do
	if curl -s -o /dev/null "$AWS_ENDPOINT_URL"; then break; fi
	kill -0 $server || { cat "$store/log" >&2; exit 1; }
	sleep 0.1
done
"$BIN/bench-etl" -boon "$BIN/boon" -python "$PYTHON" -dir "$BENCH" -events "$EVENTS" -s3 s3://bench/lake
