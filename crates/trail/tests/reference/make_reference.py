"""Makes reference.json: a folder as CloudTrail fills it, ways to tamper with it, and what the AWS CLI says to each.

pip install awscli cryptography; python3 make_reference.py
"""
import base64
import binascii
import copy
import gzip
import hashlib
import io
import json
import pathlib
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta, timezone

import awscli
from awscli.customizations.cloudtrail import validation
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ACCOUNT, REGION, BUCKET = "111122223333", "eu-central-1", "bank-trail"
START = datetime(2025, 8, 17, 14, 1, 31, tzinfo=timezone.utc)
stamp = lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Signer:
    def __init__(self):
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self.private.public_key()
        self.der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        self.fingerprint = hashlib.md5(self.der).hexdigest()

    def sign(self, text):
        return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()


def packed(plain):
    return gzip.compress(plain, mtime=0)


def log(trail, time, number):
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{time.strftime('%Y%m%dT%H%MZ')}_{trail}{number:016d}.json.gz"
    events = [{"eventVersion": "1.08", "eventTime": stamp(time), "eventName": f"Call{number}", "n": i} for i in range(number * 20)]
    plain = json.dumps({"Records": events}).encode()
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{time.strftime('%Y/%m/%d')}/{name}", plain


class Trail:
    """Delivers digests, each after the other."""

    def __init__(self, name, signer):
        self.name, self.signer, self.files, self.last, self.number = name, signer, {}, None, 0

    def key(self, end):
        return (f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end.strftime('%Y/%m/%d')}/{ACCOUNT}_CloudTrail-Digest_{REGION}_"
                f"{self.name}_{REGION}_{end.strftime('%Y%m%dT%H%M%SZ')}.json.gz")

    def deliver(self, start, end, logs):
        listed = []
        for _ in range(logs):
            self.number += 1
            name, plain = log(self.name, start + timedelta(minutes=10 + self.number), self.number)
            self.files[name] = packed(plain)
            listed.append({"s3Bucket": BUCKET, "s3Object": name, "hashValue": hashlib.sha256(plain).hexdigest(),
                           "hashAlgorithm": "SHA-256", "newestEventTime": stamp(start), "oldestEventTime": stamp(start)})
        last = self.last or {}
        digest = {
            "awsAccountId": ACCOUNT, "digestStartTime": stamp(start), "digestEndTime": stamp(end), "digestS3Bucket": BUCKET,
            "digestS3Object": self.key(end), "digestPublicKeyFingerprint": self.signer.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": stamp(start), "oldestEventTime": stamp(start),
            "previousDigestS3Bucket": last.get("bucket"), "previousDigestS3Object": last.get("key"),
            "previousDigestHashValue": last.get("hash"), "previousDigestHashAlgorithm": last.get("algorithm"),
            "previousDigestSignature": last.get("signature"), "logFiles": listed,
        }
        self.put(digest)
        return self.key(end)

    def put(self, digest, signature=None):
        plain = json.dumps(digest).encode()
        key = digest["digestS3Object"]
        hash = hashlib.sha256(plain).hexdigest()
        text = "\n".join([digest["digestEndTime"], f"{BUCKET}/{key}", hash, digest["previousDigestSignature"] or "null"])
        signature = signature or self.signer.sign(text)
        self.files[key] = packed(plain)
        self.files[f"{key}.head.json"] = head(signature)
        self.last = {"bucket": BUCKET, "key": key, "hash": hash, "algorithm": "SHA-256", "signature": signature}


def head(signature):
    return json.dumps({"ContentType": "application/json", "Metadata": {
        "signature": signature, "signature-algorithm": "SHA256withRSA"}}).encode()


hour = lambda n: START + timedelta(hours=n)
signer, other = Signer(), Signer()
bank = Trail("bank", signer)
digests = [bank.deliver(hour(n), hour(n + 1), logs) for n, logs in enumerate([1, 2, 0, 1, 1])]
stopped = Trail("stopped", signer)
ends = [stopped.deliver(hour(n), hour(n + 1), 1) for n in range(2)]
stopped.last = None
ends += [stopped.deliver(hour(n), hour(n + 1), 1) for n in (4, 5)]
whole = {**bank.files}
logs = sorted(name for name in whole if "/CloudTrail/" in name)


def edited(key, change):
    digest = json.loads(gzip.decompress(whole[key]))
    change(digest)
    return packed(json.dumps(digest).encode())


def forged(signature=None, signer=other, fingerprint=None):
    """The newest digest without its log file, signed by somebody else."""
    trail = Trail("bank", signer)
    digest = json.loads(gzip.decompress(whole[digests[4]]))
    digest["logFiles"] = []
    digest["digestPublicKeyFingerprint"] = fingerprint or signer.fingerprint
    trail.put(digest, signature)
    return {**trail.files, logs[-1]: None}


def flipped(bytes, at):
    return bytes[:at] + binascii.a2b_hex(f"{bytes[at] ^ 1:02x}") + bytes[at + 1:]


plain = gzip.decompress(whole[logs[0]])
extra = dict([log("bank", hour(1), 99)])
own = json.loads(whole[f"{digests[4]}.head.json"])["Metadata"]["signature"]
cases = [
    ("nothing", {}),
    ("a log file is changed", {logs[0]: packed(plain.replace(b"Call1", b"Call2"))}),
    ("a log file is packed anew with the same content", {logs[0]: gzip.compress(plain, 1, mtime=1)}),
    ("a bit of the gzip of a log file is flipped", {logs[0]: flipped(whole[logs[0]], len(whole[logs[0]]) // 2)}),
    ("a log file is cut", {logs[0]: whole[logs[0]][:-5]}),
    ("something is put after a log file", {logs[0]: whole[logs[0]] + packed(b'{"Records": []}')}),
    ("a log file is deleted", {logs[1]: None}),
    ("a log file that no digest names is there", {next(iter(extra)): packed(next(iter(extra.values())))}),
    ("a digest in the middle is deleted", {digests[2]: None, f"{digests[2]}.head.json": None}),
    ("the first digest is deleted", {digests[0]: None, f"{digests[0]}.head.json": None}),
    ("the last digest is deleted", {digests[4]: None, f"{digests[4]}.head.json": None}),
    ("the hash of a log file is changed in the digest too", {
        logs[0]: packed(b"{}"),
        digests[0]: edited(digests[0], lambda d: d["logFiles"][0].update(hashValue=hashlib.sha256(b"{}").hexdigest()))}),
    ("a log file is taken out of the last digest too", {
        logs[-1]: None, digests[4]: edited(digests[4], lambda d: d.update(logFiles=[]))}),
    ("a digest stands in the place of another", {digests[3]: whole[digests[2]], f"{digests[3]}.head.json": whole[f"{digests[2]}.head.json"]}),
    ("a digest is no gzip", {digests[3]: b"nothing"}),
    ("a digest is no JSON", {digests[3]: packed(b"nothing")}),
    ("the last digest is signed by somebody else", forged()),
    ("the last digest is signed by somebody else in CloudTrail's name", forged(fingerprint=signer.fingerprint)),
    ("the last digest is forged and keeps its signature", forged(signature=own, signer=signer)),
    ("a signature is changed", {f"{digests[4]}.head.json": head(("0" if own[0] != "0" else "1") + own[1:])}),
    ("a signature in the middle is changed", {f"{digests[1]}.head.json": head(own)}),
    ("all but the newest signatures are deleted", {f"{key}.head.json": None for key in digests[:4]}),
    ("the newest signature is deleted", {f"{digests[4]}.head.json": None}),
]


class Bucket:
    """What the AWS CLI sees as S3."""

    def __init__(self, files):
        self.files = files

    def get_client(self, bucket):
        return self

    def get_object(self, Bucket, Key):
        if Key not in self.files:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        metadata = json.loads(self.files.get(f"{Key}.head.json", b'{"Metadata": {}}'))["Metadata"]
        return {"Body": io.BytesIO(self.files[Key]), "Metadata": metadata}

    def get_paginator(self, name):
        keys = sorted(key for key in self.files if not key.endswith(".head.json"))

        class Pages:
            def paginate(self, Bucket, Marker, Prefix=""):
                self.keys = [key for key in keys if key > Marker and key.startswith(Prefix)]
                return self

            def search(self, what):
                return self.keys

        return Pages()


class CloudTrail:
    def list_public_keys(self, **_):
        return {"PublicKeyList": [{"Value": base64.b64encode(signer.der).decode(), "Fingerprint": signer.fingerprint}]}

    def get_paginator(self, name):
        return type("Pages", (), {"paginate": lambda self, **_: type("Page", (), {
            "build_full_result": lambda self: CloudTrail().list_public_keys()})()})()


def cli(files, trail, hours):
    """The last two columns of what `aws cloudtrail validate-logs --verbose` says."""
    command = validation.CloudTrailValidateLogs(None)
    command.trail_arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{trail}"
    command.is_verbose = True
    command.start_time, command.end_time = START, START + timedelta(hours=hours)
    command.s3_bucket, command.s3_prefix, command._source_region = BUCKET, None, REGION
    command.s3_client_provider, command.cloudtrail_client, command.organization_client = Bucket(files), CloudTrail(), None
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        command._call()
    lines = [line.strip() for line in said.getvalue().splitlines()]
    keep = lambda line: "INVALID" in line and "files INVALID" not in line or line.startswith("No log files")
    short = lambda line: line.split("\t", 1)[1].replace(f"s3://{BUCKET}/", "") if "\t" in line else line
    return sorted({short(line) for line in lines if keep(line)})


b64 = lambda bytes: base64.b64encode(bytes).decode()
made = []
for name, changes in cases:
    files = {key: value for key, value in {**copy.copy(whole), **changes}.items() if value is not None}
    said = [line.replace("\t", ": ") for line in cli(files, "bank", 5)]
    made.append({"case": name, "changes": {key: value and b64(value) for key, value in changes.items()}, "cli": said})
keys = {"PublicKeyList": [{"Value": b64(signer.der), "Fingerprint": signer.fingerprint,
        "ValidityStartTime": "2025-06-01T00:00:00+00:00", "ValidityEndTime": "2026-06-01T00:00:00+00:00"}]}
result = {
    "versions": {"awscli": awscli.__version__},
    "keys": keys,
    "files": {name: b64(bytes) for name, bytes in sorted(whole.items())},
    "digests": digests,
    "cases": made,
    "stopped": {"files": {name: b64(bytes) for name, bytes in sorted(stopped.files.items())}, "cli": cli(stopped.files, "stopped", 6)},
}
path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps(result, indent=1) + "\n")
for case in [*made, {"case": "stopped", **result["stopped"]}]:
    print(case["case"], case["cli"])
