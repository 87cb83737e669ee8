"""Grants, as AWS KMS keeps them and moto 5.2.5 does not (AWS KMS API Reference, CreateGrant; Developer Guide, "Grants in AWS
KMS"):
- the same grant again is the one that is there;
- a role that somebody has assumed, and that the key policy does not name, may do what its grants let it do, for the encryption
  contexts of their constraints, and nothing else (AccessDeniedException). Other callers are the account, which may everything;
- a grant is retired by whoever it names for that, by the ARN of the key; one that is not there is an error.
"""
import json

from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.sts.models import sts_backends

GUARDED = (
    "create_grant", "decrypt", "describe_key", "disable_key", "enable_key", "generate_data_key", "generate_mac",
    "get_public_key", "list_grants", "list_key_rotations", "revoke_grant", "rotate_key_on_demand", "sign",
)


def caller(response):
    backend = sts_backends[response.current_account][response.partition]
    assumed = backend.get_assumed_role_from_access_key(response.get_access_key())
    return assumed.role_arn if assumed else None


def named(key, role, action):
    for statement in json.loads(key.policy)["Statement"]:
        who = statement["Principal"].get("AWS", [])
        what = statement["Action"]
        who, what = ([one] if isinstance(one, str) else one for one in (who, what))
        if role in who and ({action, "kms:*"} & set(what)):
            return True
    return any(":root" in str(statement["Principal"]) for statement in json.loads(key.policy)["Statement"])


def allows(grant, role, operation, given):
    if grant.grantee_principal != role or operation not in grant.operations:
        return False
    for how, wanted in (grant.constraints or {}).items():
        if how == "EncryptionContextEquals" and wanted != given:
            return False
        if how == "EncryptionContextSubset" and any(given.get(name) != value for name, value in wanted.items()):
            return False
    return True


def retire(self):
    key = self.kms_backend.describe_key(self._get_param("KeyId"))
    if self._get_param("KeyId") != key.arn:
        raise JsonRESTError("InvalidArnException", "because")
    grant = key.grants.get(self._get_param("GrantId"))
    if not grant:
        raise JsonRESTError("NotFoundException", "because")
    role = caller(self)
    if role and role != grant.retiring_principal:
        raise JsonRESTError("AccessDeniedException", "because")
    key.grants.pop(grant.id)
    return "{}"


def guarded(name, original):
    operation = "".join(part.title() for part in name.split("_"))

    def answer(self):
        role = caller(self)
        if role:
            key = self.kms_backend.describe_key(self._get_param("KeyId"))
            given = self._get_param("EncryptionContext") or {}
            granted = any(allows(grant, role, operation, given) for grant in key.grants.values())
            if not granted and not named(key, role, f"kms:{operation}"):
                raise JsonRESTError("AccessDeniedException", "because")
        return original(self)

    return answer


def mend():
    for name in GUARDED:
        setattr(KmsResponse, name, guarded(name, getattr(KmsResponse, name)))
    KmsResponse.retire_grant = retire
    create = KmsBackend.create_grant

    def create_once(self, key_id, grantee_principal, operations, name, constraints, retiring_principal):
        for known in self.describe_key(key_id).grants.values():
            terms = (known.grantee_principal, known.operations, known.name, known.constraints)
            if name and terms == (grantee_principal, operations, name, constraints):
                return known.id, known.token
        return create(self, key_id, grantee_principal, operations, name, constraints, retiring_principal)

    KmsBackend.create_grant = create_once
