"""Uploads in parts, as Amazon S3 takes them and moto 5.2.5 does not (Amazon S3 API Reference, the errors and headers of
CreateMultipartUpload, UploadPart and CompleteMultipartUpload):
- an upload that was put together or taken back is gone: NoSuchUpload;
- a part whose bytes do not have the checksum that came with it is refused with BadDigest;
- a part whose checksum was promised with the upload, and is missing or another when the parts are put together, is refused;
- an object of another size than `x-amz-mp-object-size` says is refused;
- Object Lock that was asked for with the upload is on the object.

Run as a program, it shows the uploads of a bucket that are under way. Arguments: `show`, the endpoint, and the bucket.
"""
import base64
import hashlib
import json
import sys
from xml.dom import minidom

LOCKS = {}


def mend():
    from moto.s3.exceptions import NoSuchUpload, S3ClientError
    from moto.s3.models import S3Backend
    from moto.s3.responses import S3Response

    class Refused(S3ClientError):
        def __init__(self, code):
            self.code = code
            super().__init__("because")

    upload_part, post = S3Response.upload_part, S3Response._key_response_post
    create, complete = S3Backend.create_multipart_upload, S3Backend.complete_multipart_upload
    under_way = lambda self: self.backend.get_bucket(self.bucket_name).multiparts

    def checked_part(self):
        if self._get_param("uploadId") not in under_way(self):
            raise NoSuchUpload(self._get_param("uploadId"))
        if self.headers.get("x-amz-checksum-sha256") not in (None, of(self.body)):
            raise Refused("BadDigest")
        return upload_part(self)

    def checked_post(self, request, body, bucket_name, query, key_name):
        if "uploads" in query:
            names = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date")
            LOCKS["next"] = tuple(request.headers.get(name) for name in names)
        elif query.get("uploadId"):
            upload = under_way(self).get(query["uploadId"][0])
            if upload is None:
                raise NoSuchUpload(query["uploadId"][0])
            told = {}
            for part in minidom.parseString(body).getElementsByTagName("Part"):
                text = {child.tagName: child.firstChild.wholeText for child in part.childNodes}
                told[int(text["PartNumber"])] = text.get("ChecksumSHA256")
            for number, part in upload.parts.items():
                if upload.metadata.get("x-amz-checksum-algorithm") and told.get(number) != of(part.value):
                    raise Refused("InvalidPart")
            size = request.headers.get("x-amz-mp-object-size")
            if size and int(size) != sum(len(upload.parts[number].value) for number in told):
                raise Refused("InvalidRequest")
        return post(self, request, body, bucket_name, query, key_name)

    def locked_create(self, *args, **named):
        upload = create(self, *args, **named)
        LOCKS[upload.id] = LOCKS.pop("next", (None, None))
        return upload

    def locked_complete(self, bucket_name, multipart_id, body):
        key = complete(self, bucket_name, multipart_id, body)
        key.lock_mode, key.lock_until = LOCKS.pop(multipart_id, (None, None))
        return key

    S3Response.upload_part, S3Response._key_response_post = checked_part, checked_post
    S3Backend.create_multipart_upload, S3Backend.complete_multipart_upload = locked_create, locked_complete


def of(value):
    return base64.b64encode(hashlib.sha256(value).digest()).decode()


if __name__ == "__main__":
    import boto3

    _, url, bucket = sys.argv[1:4]
    s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
    uploads = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    parts = [s3.list_parts(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"]).get("Parts", []) for one in uploads]
    print(json.dumps([[one["Key"], len(held)] for one, held in zip(uploads, parts)]))
