"""Packages of others in the SageMaker Model Registry, with model data in S3. Arguments: `make`, the endpoint, a bucket and a
folder whose files are the model."""
import hashlib
import io
import json
import pathlib
import sys
import tarfile

import boto3

_, url, bucket, folder = sys.argv[1:]
named = {"endpoint_url": url, "region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
s3, sagemaker = boto3.client("s3", **named), boto3.client("sagemaker", **named)
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
files = {
    str(path.relative_to(folder)): path.read_bytes() for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()
}


def put(key, body):
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def packed(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content, link in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if link:
                info.type, info.linkname = tarfile.SYMTYPE, link
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def container(**of):
    return {"Containers": [{"Image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving:1", **of}],
            "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}


def package(group, specification, **more):
    sagemaker.create_model_package(ModelPackageGroupName=group, InferenceSpecification=specification, **more)


for group in ["churn", "strange"]:
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
archive = put("models/1/model.tar.gz", packed([(name, content, None) for name, content in files.items()]))
figures = put("models/1/statistics.json", json.dumps({
    "binary_classification_metrics": {"auc": {"value": 0.83, "standard_deviation": "NaN"}, "confusion_matrix": {"0": {"0": 7}}},
}).encode())
package("churn", container(ModelDataUrl=archive), ModelApprovalStatus="Approved", ModelPackageDescription="churn of customers",
        CustomerMetadataProperties={"team": "crm", "reviewed by": "nobody"},
        MetadataProperties={"CommitId": "4be1c0ffee", "Repository": "https://git.bank.example/churn"},
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": figures}},
                      "Bias": {"Report": {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/nowhere.json"}}})
for name, content in files.items():
    put(f"models/2/{name}", content)
source = {"S3Uri": f"s3://{bucket}/models/2/", "S3DataType": "S3Prefix", "CompressionType": "None"}
package("churn", container(ModelDataSource={"S3DataSource": source}), ModelApprovalStatus="PendingManualApproval")
# What no archive may hold, one version each; then one cut short, one that is none, one that is not there, and no data.
for wrong in [("../outside", b"x", None), ("/absolute", b"x", None), ("link", b"", "/etc/passwd"), ("model.onnx/x", b"x", None)]:
    body = packed([("model.onnx", b"1", None), wrong])
    package("strange", container(ModelDataUrl=put(f"strange/{hashlib.sha256(body).hexdigest()}", body)))
whole = packed([("model.onnx", b"12345" * 5000, None)])
package("strange", container(ModelDataUrl=put("strange/cut", whole[:-30])))
package("strange", container(ModelDataUrl=put("strange/none", b"no archive")))
package("strange", container(ModelDataUrl=f"s3://{bucket}/strange/absent"))
package("strange", {"Containers": [{"Image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/serving:1"}],
                    "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]})
