"""What checkov finds in the golden template, written to `checkov.json` beside this script.

Not part of the tests, because checkov is a large installation. Run it when the golden template changes:

    python3 -m venv /tmp/checkov && /tmp/checkov/bin/pip install checkov==3.3.30
    /tmp/checkov/bin/python crates/blueprint/reference/checkov.py
"""

import hashlib
import json
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).parent
template = here.parent / "tests" / "golden" / "credit-scoring.yaml"
program = pathlib.Path(sys.executable).with_name("checkov")
words = [program, "-f", template, "--framework", "cloudformation", "--output", "json", "--skip-download"]
output = subprocess.run(words, capture_output=True, text=True, check=False).stdout
report = json.loads(output)
failed = sorted(
    {"check": one["check_id"], "resource": one["resource"]}.items() for one in report["results"]["failed_checks"]
)
answer = {
    "checkov": report["summary"]["checkov_version"],
    "template": hashlib.sha256(template.read_bytes()).hexdigest(),
    "passed": report["summary"]["passed"],
    "failed": [dict(one) for one in failed],
    "unread": report["summary"]["parsing_errors"],
}
(here / "checkov.json").write_text(json.dumps(answer, indent=2) + "\n")
