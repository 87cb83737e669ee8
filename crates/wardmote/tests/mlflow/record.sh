#!/usr/bin/env bash
# Records what the real `mlflow server` answers to the script, for both clients: `record.sh ENVIRONMENT SERVER`.
# ENVIRONMENT is the folder that the tests made for the clients (`mlflow` in the temporary folder of the build), SERVER
# a virtual environment with the whole of mlflow 3.17.2, which the tests do without.
set -euo pipefail
clients=$1 server=$2
here=$(cd "$(dirname "$0")" && pwd)
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true MLFLOW_HTTP_REQUEST_MAX_RETRIES=1 PYTHONDONTWRITEBYTECODE=1
record() { # client path-of-its-packages port
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && exec setsid "$server/bin/mlflow" server --host 127.0.0.1 --port "$3" --workers 1 \
    --backend-store-uri "sqlite:///$folder/record.db" --artifacts-destination "$folder/artifacts") >"$folder/log" 2>&1 &
  local process=$!
  for _ in $(seq 300); do curl -sf "http://127.0.0.1:$3/health" >/dev/null && break; sleep 0.5; done
  (cd "$folder" && PYTHONPATH=$2 "$clients/bin/python" "$here/script.py" "http://127.0.0.1:$3") \
    >"$here/expected-$1.jsonl" 2>"$folder/remarks" || cat "$folder/remarks" >&2
  kill -- "-$process" || true
  wait "$process" || true
  rm -rf "$folder"
}
record 3 "$clients/three" 5301
record 2.22 "" 5302
