"""Runs steps against a tracking server and prints one JSON line for each: what came back, or how it failed.

What differs from run to run (ids, times, folders, addresses) is replaced by placeholders numbered in order of
appearance, so that two servers that behave the same give the same transcript.
"""

import json
import os
import re
import sys
import tempfile
import traceback

from mlflow.exceptions import MlflowException

HEX = re.compile(r"\bm-[0-9a-f]{32}\b|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
STORED = re.compile(r"mlflow-artifacts:[^\s'\"\\]*?/artifacts(?![\w-])")
POOL = re.compile(r"HTTPConnectionPool\([^)]*\)")
ASKED = re.compile(r"mlflow-artifacts/artifacts[/?][^\s'\"\\]*[^\s'\"\\.:]")
TIME = re.compile(r"(^|_)(time|timestamp|timestamp_ms)$")
# A sentence of the server after its code: what it says is its own.
SENTENCE = re.compile(
    r"\b(RESOURCE_\w+|INVALID_\w+|PERMISSION_DENIED|UNAUTHENTICATED|BAD_REQUEST|INTERNAL_ERROR): .*", re.DOTALL
)
RESPONSE = re.compile(r"Response text: .*", re.DOTALL)
# What the client says of the machine it runs on.
OF_THE_MACHINE = re.compile(r"^mlflow\.(source|user|git|databricks)")


class Steps:
    """The steps of one script in the order in which they ran."""

    def __init__(self, tracking_uri, sentences=False):
        self.sentences = sentences
        self.tracking_uri = tracking_uri
        # The client prints where to look at a run; that goes elsewhere.
        self.out, sys.stdout = sys.stdout, sys.stderr
        self.kept = tempfile.TemporaryDirectory(prefix="steps-")
        self.folder = self.kept.name
        self.names = {}
        self.seen = set()

    def __call__(self, name):
        """Runs the decorated function as the step `name`; what it returned is then the value of its name."""

        def run(function):
            assert name not in self.seen, f"two steps are called {name}"
            self.seen.add(name)
            value = None
            line = {"step": name}
            try:
                value = function()
                line["ok"] = self.plain(value)
            except Exception as error:  # every failure is an answer
                line["error"] = self.failure(error)
                if os.environ.get("STEPS_TRACEBACK"):
                    traceback.print_exc(file=sys.stderr)
            print(json.dumps(line, sort_keys=True, ensure_ascii=False), file=self.out, flush=True)
            return value

        return run

    def failure(self, error):
        code = error.error_code if isinstance(error, MlflowException) else None
        message = self.text(str(error))
        if not self.sentences:
            message = RESPONSE.sub("Response text: <text>", SENTENCE.sub(r"\1: <sentence>", message))
        return {"type": type(error).__name__, "code": code, "message": message}

    def text(self, text):
        text = POOL.sub("HTTPConnectionPool(<server>)", text)
        text = text.replace(self.tracking_uri, "<server>").replace(self.folder, "<folder>")
        text = ASKED.sub("mlflow-artifacts/artifacts/<path>", STORED.sub("<artifacts>", text))
        return HEX.sub(lambda found: self.placeholder(found.group()), text)

    def placeholder(self, identity):
        kind = "model" if identity.startswith("m-") else "id"
        number = sum(name.startswith(f"<{kind}-") for name in self.names.values()) + 1
        return self.names.setdefault(identity, f"<{kind}-{number}>")

    def experiment(self, identity):
        """Numbers of experiments are the server's own; 0 is the one that is always there."""
        if identity in (None, "", "0"):
            return identity
        number = sum(name.startswith("<experiment-") for name in self.names.values()) + 1
        return self.names.setdefault(f"experiment {identity}", f"<experiment-{number}>")

    def plain(self, value, key=""):
        if isinstance(value, bool) or value is None:
            return value
        if TIME.search(key) and isinstance(value, (int, float)) and value > 10**9:
            return "<time>"
        if key == "experiment_id":
            return self.experiment(str(value))
        if isinstance(value, float):
            return round(value, 9) if value == value and abs(value) != float("inf") else str(value)
        if isinstance(value, int):
            return value
        if isinstance(value, str):
            return self.string(value, key)
        if isinstance(value, dict):
            kept = {str(name): inner for name, inner in value.items() if not OF_THE_MACHINE.match(str(name))}
            return {self.text(name): self.plain(inner, name) for name, inner in sorted(kept.items())}
        if isinstance(value, (list, tuple)):
            return [self.plain(one, key) for one in value]
        return self.entity(value)

    def string(self, value, key):
        # Ours is who called, which MLflow's server cannot know.
        if key == "user_id":
            return "<user>"
        # Where files are is the server's own affair.
        if key == "artifact_location":
            return "<artifacts>" if value.startswith("mlflow-artifacts:") else value
        if key in ("mlflow.runName", "run_name") and re.fullmatch(r"[a-z]+-[a-z]+-\d+", value):
            return "<made-up>"
        if value[:1] in ("[", "{"):
            try:
                return {"json": self.plain(json.loads(value))}
            except ValueError:
                pass
        value = self.text(value)
        return value if len(value) <= 300 else f"{value[:20]}... {len(value)} characters"

    def entity(self, value):
        if hasattr(value, "__iter__") and hasattr(type(value), "_properties"):
            return self.plain(dict(value))
        if hasattr(value, "tolist"):
            return self.plain(value.tolist())
        if hasattr(value, "to_dict"):
            return self.plain(value.to_dict())
        if hasattr(value, "__getitem__"):
            return [self.plain(one) for one in value]
        return type(value).__name__
