"""What data scientists do all day with the public client of MLflow, as one script: `script.py TRACKING_URI`.

Prints one line of JSON for each step. `expected-*.jsonl` hold what the real `mlflow server` answers to it.
"""

import sys
import warnings

warnings.filterwarnings("ignore")

import mlflow
from steps import Steps

mlflow.set_tracking_uri(sys.argv[1])
step = Steps(sys.argv[1])
# The parts find these two here.
sys.modules["script"] = sys.modules[__name__]

import tracking  # noqa: E402
import searches  # noqa: E402
import models  # noqa: E402
import registry  # noqa: E402
import mistakes  # noqa: E402

print(f"{len(step.seen)} steps", file=sys.stderr)
