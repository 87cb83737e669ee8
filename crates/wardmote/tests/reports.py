"""Holds reports against what others take: models of OCSF and SARIF, and the shapes of Security Hub's own API.

Arguments: a SARIF file, an OCSF file, an ASFF file. Prints how many findings each has.
"""
import json
import sys

from botocore.session import Session
from botocore.validate import ParamValidator
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from sarif_pydantic import Sarif

sarif, ocsf, asff = (json.load(open(path)) for path in sys.argv[1:4])
print(len(Sarif.model_validate(sarif).runs[0].results or []))
print(len([ComplianceFinding.model_validate(event) for event in ocsf]))
findings = asff["Findings"] if isinstance(asff, dict) else asff
shape = Session().get_service_model("securityhub").operation_model("BatchImportFindings").input_shape
wrong = ParamValidator().validate({"Findings": findings[:100]}, shape).generate_report()
if wrong:
    sys.exit(wrong)
print(len(findings))
