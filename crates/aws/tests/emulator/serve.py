"""Serves the emulator moto on a free port of the loopback interface, with its known defects in KMS mended.

Prints the port, and ends when its standard input ends, so that it never outlives the tests.

What AWS KMS does and moto 5.2.5 does not (AWS KMS API Reference, "Errors" of each operation):
- a disabled key is refused with DisabledException;
- a data key under an asymmetric key, and a signature under a symmetric one, are refused with InvalidKeyUsageException;
- Decrypt with another key than the one that encrypted is refused with IncorrectKeyException;
- RotateKeyOnDemand of a key that is not symmetric is refused with UnsupportedOperationException;
- Sign with MessageType DIGEST signs the digest as it is;
- EnableKey, DisableKey and ScheduleKeyDeletion take ARNs too;
- grants (see `grants.py`).

What AWS CloudFormation takes and moto does not (AWS CloudFormation Template Reference):
- tags of AWS::KMS::Key have `Key` and `Value`;
- an integration of the type MOCK has neither method nor address;
- a route table of a stack goes with the stack, so that its network can.
What other services do and moto 5.2.5 does not know (their API references):
- GetAuthorizers of API Gateway version 2;
- uploads to S3 in parts (see `uploads.py`);
- endpoints of SageMaker (see `endpoints.py`), deployments of ECS services (see `services.py`), and change sets (see
  `stacks.py`), and nested stacks (see `nested.py`);
- AssociateKmsKey and DisassociateKmsKey of CloudWatch Logs;
- ListNotebookInstanceLifecycleConfigs of SageMaker;
- model packages as a whole (see `model_packages.py`);
- what `answers.json` answers (see `answers.py`).

Whom a call of STS is of when its signature is in the query, moto does not see; it is shown in a header.
By their signatures alone, moto takes the calls of two services for those of others: Agents for Amazon Bedrock, and the
control plane of AgentCore.
"""
import json
import sys
import urllib.parse

import answers
import endpoints
import grants
import later
import model_packages  # mends by being there
import uploads
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.logs.responses import LogsResponse
from moto.moto_server import threaded_moto_server, werkzeug_app
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.sagemaker.responses import SageMakerResponse

USE = {
    "decrypt": None,
    "generate_data_key": "ENCRYPT_DECRYPT",
    "generate_mac": "GENERATE_VERIFY_MAC",
    "get_public_key": "SIGN_VERIFY",
    "rotate_key_on_demand": None,
    "sign": "SIGN_VERIFY",
}


def mended(name, original):
    def answer(self):
        self._validate_key_id(self._get_param("KeyId"))
        key = self.kms_backend.describe_key(self._get_param("KeyId"))
        if key.key_state == "Disabled":
            raise JsonRESTError("DisabledException", f"{key.arn} is disabled.")
        if USE[name] and key.key_usage != USE[name]:
            raise JsonRESTError("InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage}")
        if name == "rotate_key_on_demand" and key.key_spec != "SYMMETRIC_DEFAULT":
            raise JsonRESTError("UnsupportedOperationException", "")
        if name == "sign" and self._get_param("MessageType") == "DIGEST":
            self.kms_backend.digest = True
        return original(self)

    return answer


for operation in USE:
    setattr(KmsResponse, operation, mended(operation, getattr(KmsResponse, operation)))

decrypt = KmsBackend.decrypt


def decrypt_with_the_right_key(self, ciphertext_blob, encryption_context, key_id=None):
    plaintext, arn = decrypt(self, ciphertext_blob, encryption_context)
    if key_id is not None and self.describe_key(key_id).arn != arn:
        raise JsonRESTError("IncorrectKeyException", "")
    return plaintext, arn


sign = KmsBackend.sign


def sign_digest(self, key_id, message, signing_algorithm):
    if not self.__dict__.pop("digest", False):
        return sign(self, key_id, message, signing_algorithm)
    key = self.describe_key(key_id)
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    return key.arn, key.private_key.private_key.sign(message, algorithm), signing_algorithm


KmsBackend.decrypt = decrypt_with_the_right_key
KmsBackend.sign = sign_digest


def by_any_id(original):
    return lambda self, key_id, *more, **named: original(self, self.any_id_to_key_id(key_id), *more, **named)


for operation in ("enable_key", "disable_key", "schedule_key_deletion"):
    setattr(KmsBackend, operation, by_any_id(getattr(KmsBackend, operation)))



def mend_stacks():
    from moto.apigateway.models import Method
    from moto.ec2.models.vpcs import VPCBackend
    from moto.kms.models import Key

    def mended_before(model, mend):
        original = model.create_from_cloudformation_json.__func__

        def create(cls, name, resource, *more, **named):
            properties = mend(dict(resource["Properties"]))
            return original(cls, name, {**resource, "Properties": properties}, *more, **named)

        model.create_from_cloudformation_json = classmethod(create)

    def tags(properties):
        pairs = properties.get("Tags", [])
        properties["Tags"] = [{"TagKey": pair["Key"], "TagValue": pair["Value"]} for pair in pairs]
        return properties

    def mock(properties):
        integration = {"IntegrationHttpMethod": "POST", "Uri": "", **properties["Integration"]}
        return {**properties, "Integration": integration}

    delete_vpc = VPCBackend.delete_vpc

    def delete_with_routes(self, vpc_id):
        for table in self.describe_route_tables(filters={"vpc-id": vpc_id}):
            if not table.main_association_id:
                table.associations.clear()
                self.delete_route_table(table.id)
        return delete_vpc(self, vpc_id)

    VPCBackend.delete_vpc = delete_with_routes
    mended_before(Key, tags)
    mended_before(Method, mock)


grants.mend()
endpoints.mend()
uploads.mend()


def mend_cloudformation():
    import nested
    import stacks

    mend_stacks()
    stacks.mend()
    nested.mend()


def mend_services():
    import services

    services.mend()


# Most tests need neither stacks nor services, and what these are made of takes more than a second to load.
later.after("moto.cloudformation.models", mend_cloudformation)
later.after("moto.ecs.models", mend_services)


def associate_kms_key(self):
    self.logs_backend.groups[self._get_param("logGroupName")].kms_key_id = self._get_param("kmsKeyId")
    return "{}"


LogsResponse.associate_kms_key = associate_kms_key
LogsResponse.disassociate_kms_key = associate_kms_key


def list_lifecycle_configs(self):
    all = self.sagemaker_backend.notebook_instance_lifecycle_configurations.values()
    name, arn = "NotebookInstanceLifecycleConfigName", "NotebookInstanceLifecycleConfigArn"
    return ActionResult({"NotebookInstanceLifecycleConfigs": [
        {name: one.notebook_instance_lifecycle_config_name, arn: one.arn} for one in all]})


def get_authorizers(self):
    api = self.apigatewayv2_backend.get_api(self.path.split("/")[-2])
    return 200, {}, json.dumps({"items": [one.to_json() for one in api.authorizers.values()]})


SageMakerResponse.list_notebook_instance_lifecycle_configs = list_lifecycle_configs
ApiGatewayV2Response.get_authorizers = get_authorizers

OF_AGENTS = ("/agents", "/knowledgebases", "/prompts", "/flows", "/tags/")


class Dispatcher(werkzeug_app.DomainDispatcherApplication):
    def infer_service_region_host(self, environ, path):
        query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
        if "HTTP_AUTHORIZATION" not in environ and "/sts/" in query.get("X-Amz-Credential", [""])[0]:
            credential, signature = query["X-Amz-Credential"][0], query["X-Amz-Signature"][0]
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature={signature}"
            )
        host = super().infer_service_region_host(environ, path) or ""
        if host.startswith("bedrock.") and environ["PATH_INFO"].startswith(OF_AGENTS):
            return host.replace("bedrock.", "bedrock-agent.", 1)
        return host.replace("bedrock-agentcore.", "bedrock-agentcore-control.", 1) or None


threaded_moto_server.DomainDispatcherApplication = lambda create: answers.before(Dispatcher(create))

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
