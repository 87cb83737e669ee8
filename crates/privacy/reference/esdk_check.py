"""Opens a sealed object of a house with AWS's own Encryption SDK, by a raw AES keyring.

pip install aws-encryption-sdk aws-cryptographic-material-providers
python3 esdk_check.py HOUSE OBJECT KEY   (for example: wardmote-demo snapshots/<digest> credit-data)

Prints the encryption context and the first line of the content. Needs a house without a key passphrase.
"""
import json
import pathlib
import sys

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
from aws_encryption_sdk import CommitmentPolicy

house, name, key = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
versions = json.loads((house / "keys" / f"{key}.json").read_text())["versions"]
providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
keyring = providers.create_raw_aes_keyring(
    CreateRawAesKeyringInput(
        key_namespace="wardmote-local",
        key_name=f"{key}/{len(versions)}",
        wrapping_key=bytes.fromhex(versions[-1]["material"]),
        wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
    )
)
client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
plain, header = client.decrypt(source=(house / "objects" / name).read_bytes(), keyring=keyring)
print(header.encryption_context)
print(plain.splitlines()[0][:100])
