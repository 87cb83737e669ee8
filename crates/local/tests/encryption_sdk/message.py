"""Opens or seals messages with AWS's own Encryption SDK, by a raw AES keyring.

    message.py open FOLDER KEY NAME    each FILE.message in the folder into FILE.plain, and its encryption context into FILE.context
    message.py seal FOLDER KEY NAME    each FILE.plain into FILE.message, with the encryption context of FILE.context

KEY is the wrapping key in hexadecimal, NAME its name in the keyring. A message that is not opened leaves FILE.refused.
"""
import json
import pathlib
import sys

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
from aws_encryption_sdk import CommitmentPolicy

what, folder, key, name = sys.argv[1:5]
providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
keyring = providers.create_raw_aes_keyring(
    CreateRawAesKeyringInput(
        key_namespace="wardmote-local",
        key_name=name,
        wrapping_key=bytes.fromhex(key),
        wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
    )
)
client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
for file in sorted(pathlib.Path(folder).glob("*.message" if what == "open" else "*.plain")):
    if what == "seal":
        message, _ = client.encrypt(
            source=file.read_bytes(),
            keyring=keyring,
            algorithm=aws_encryption_sdk.Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
            encryption_context=json.loads(file.with_suffix(".context").read_text()),
        )
        file.with_suffix(".message").write_bytes(message)
        continue
    try:
        plain, header = client.decrypt(source=file.read_bytes(), keyring=keyring)
    except Exception as error:  # whatever it is, it is not opened
        file.with_suffix(".refused").write_text(repr(error))
        continue
    file.with_suffix(".plain").write_bytes(plain)
    file.with_suffix(".context").write_text(json.dumps(header.encryption_context))
