"""Opens or seals (second argument) standard input with AWS's own Encryption SDK, by the KMS key named; prints the result.

Where KMS is, who calls and which region come from the environment, as for every tool of AWS.
"""
import sys

import aws_encryption_sdk
from aws_encryption_sdk import CommitmentPolicy, StrictAwsKmsMasterKeyProvider

client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
provider = StrictAwsKmsMasterKeyProvider(key_ids=[sys.argv[1]])
if sys.argv[2] == "open":
    plain, header = client.decrypt(source=sys.stdin.buffer.read(), key_provider=provider)
    sys.stdout.buffer.write(plain)
else:
    message, header = client.encrypt(
        source=sys.stdin.buffer.read(),
        key_provider=provider,
        algorithm=aws_encryption_sdk.Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        encryption_context={"kind": "test"},
    )
    sys.stdout.buffer.write(message)
