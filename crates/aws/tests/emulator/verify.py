"""Says for each request in the files named whether its signature is the one that AWS's own botocore makes.

Arguments: region, secret access key, files with one raw request each. Prints one line for each: service, and `same` or
`differs` with what botocore signs.
"""
import pathlib
import re
import sys

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

region, secret, *files = sys.argv[1:]
for name in files:
    head, _, body = pathlib.Path(name).read_bytes().partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    method, target, _ = line.split(" ")
    headers = {key.lower(): value.strip() for key, _, value in (header.partition(":") for header in headers)}
    found = re.search(
        r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=(.*)",
        headers["authorization"],
    )
    key_id, scope_region, service, signed, signature = found.groups()
    assert scope_region == region
    maker = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = maker(Credentials(key_id, secret, headers.get("x-amz-security-token")), service, region)
    request = AWSRequest(
        method=method,
        url=f"http://{headers['host']}{target}",
        data=body,
        headers={key: headers[key] for key in signed.split(";")},
    )
    request.context["timestamp"] = headers["x-amz-date"]
    canonical = auth.canonical_request(request)
    same = auth.signature(auth.string_to_sign(request, canonical), request) == signature
    # Whatever AWS wants to be signed must be.
    missing = {key for key in headers if key.startswith("x-amz-") or key == "host"} - set(signed.split(";"))
    print(service, "same" if same and not missing else f"differs {missing} {canonical!r}")
