"""Runs cfn-guard. Reads {"rules": TEXT, "templates": [...]} from standard input, and writes for each template which rules
it does not comply with."""

import json
import re
import sys

from cfn_guard_rs.cfn_guard_rs import run_checks_rs


def check(text, rule):
    """The report of one rule. This binding now and then gives back memory that it has freed: then it is asked again."""
    for attempt in range(100):
        try:
            report = json.loads(run_checks_rs(text + " " * 37 * attempt, rule, False))
        except (ValueError, UnicodeError):
            continue
        if {"not_compliant", "compliant", "not_applicable"} <= report.keys():
            return report
    sys.exit(f"cfn-guard gives no report of {text}")


case = json.load(sys.stdin)
rules = [block for block in re.split(r"\n\n", case["rules"]) if "\nrule " in block]
kinds = {rule: set(re.findall(r'"(AWS::[^"]+)"', rule)) for rule in rules}
answers = []
for template in case["templates"]:
    text, own = json.dumps(template), {one["Type"] for one in template["Resources"].values()}
    failed, known = [], 0
    for rule in rules:
        known += 1
        # A rule on another type is skipped; once is enough to see that.
        if not kinds[rule] & own and answers:
            continue
        report = check(text, rule)
        failed += [one["Rule"]["name"] for one in report["not_compliant"]]
    answers.append({"failed": sorted(failed), "known": known})
json.dump(answers, sys.stdout)
