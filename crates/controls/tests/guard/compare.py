"""Runs cfn-guard. Reads {"rules": TEXT, "templates": [...]} from standard input, and writes for each template which rules
it does not comply with."""

import json
import re
import sys

from cfn_guard_rs.cfn_guard_rs import run_checks_rs


def complies(text, rule):
    """Whether a template complies with a rule, or the rule is skipped. This binding loses the beginning of some reports, so
    that only their end is read: what is in neither list does not comply."""
    said = run_checks_rs(text, rule, False)
    end = json.loads("{" + said[said.rindex('"not_applicable": [') :])
    assert set(end) == {"not_applicable", "compliant"}, end
    return bool(end["compliant"] or end["not_applicable"])


case = json.load(sys.stdin)
rules = [block for block in case["rules"].split("\n\n") if "\nrule " in block]
names = {rule: re.search(r"^rule (\w+)", rule, re.M)[1] for rule in rules}
kinds = {rule: set(re.findall(r'"(AWS::[^"]+)"', rule)) for rule in rules}
answers = []
for template in case["templates"]:
    text, own = json.dumps(template), {one["Type"] for one in template["Resources"].values()}
    # A rule on another type is skipped; once is enough to see that.
    asked = [rule for rule in rules if kinds[rule] & own or not answers]
    failed = [names[rule] for rule in asked if not complies(text, rule)]
    answers.append({"failed": sorted(failed), "known": len(rules)})
json.dump(answers, sys.stdout)
