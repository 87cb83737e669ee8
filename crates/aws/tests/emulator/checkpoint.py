"""Verifies the signature of a KMS key in a signed note, after the specification alone (C2SP signed-note, signature type 0x02:
ECDSA over SHA-256; the key id is the beginning of SHA-256 over the SubjectPublicKeyInfo), and prints its verifier key.
Arguments: `verify`, the endpoint, and an alias and a file with the note: `ALIAS|FILE`."""
import base64
import hashlib
import sys

import boto3
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_, url, words = sys.argv[1:4]
alias, file = words.split("|")
kms = boto3.client("kms", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
spki = kms.get_public_key(KeyId=alias)["PublicKey"]
with open(file, encoding="utf-8") as note:
    text, lines = note.read().rsplit("\n\n", 1)
text += "\n"
origin, id = text.split("\n")[0], hashlib.sha256(spki).digest()[:4]
found = 0
for line in lines.splitlines():
    dash, name, encoded = line.split(" ")
    signature = base64.b64decode(encoded)
    if (dash, name, signature[:4]) == ("\u2014", origin, id):
        serialization.load_der_public_key(spki).verify(signature[4:], text.encode(), ec.ECDSA(hashes.SHA256()))
        found += 1
assert found == 1, f"{found} signatures of {alias} in {lines}"
print(f"{origin}+{id.hex()}+{base64.b64encode(bytes([2]) + spki).decode()}")
