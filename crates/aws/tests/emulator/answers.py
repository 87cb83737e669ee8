"""Answers of operations that the emulator moto does not know, written by hand in `answers.json` in the shape of the services'
own models, which botocore has.

An answer is named by its service and operation, and by a value of the question if it is for that one alone:
`bedrock.GetGuardrail/posture-guard`. `NOW` in a text is the time; `{"error": [status, code, message]}` is a refusal.

Run as a program, it says where an answer is not of that shape.
"""
import datetime
import json
import pathlib
import re
import sys
import xml.sax.saxutils

import botocore.loaders
import botocore.model

# By the name in signatures: which models may be meant.
SERVICES = {
    "bedrock": ["bedrock", "bedrock-agent"],
    "bedrock-agentcore": ["bedrock-agentcore-control"],
    "macie2": ["macie2"],
    "sagemaker": ["sagemaker"],
    "cloudtrail": ["cloudtrail"],
    "iam": ["iam"],
}
NOW = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
ANSWERS = json.loads(pathlib.Path(__file__).with_name("answers.json").read_text().replace("NOW", NOW))
KNOWN = {name.split("/")[0] for name in ANSWERS}
MODELS = {}


def model(service):
    if service not in MODELS:
        MODELS[service] = botocore.model.ServiceModel(
            botocore.loaders.Loader().load_service_model(service, "service-2"), service)
    return MODELS[service]


def texts(value):
    if isinstance(value, dict):
        return [text for member in value.values() for text in texts(member)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def by_path(service, method, path):
    """The operation at a path, with the values in it."""
    for name in model(service).operation_names:
        http = model(service).operation_model(name).http
        at = re.escape(http["requestUri"].split("?")[0]).replace(r"\{", "{").replace(r"\}", "}")
        found = re.fullmatch(re.sub(r"\{[^}]+\}", "([^/]+)", at), path)
        if http["method"] == method and found:
            return name, list(found.groups())
    return None, []


def operation(signed, environ, body):
    """The name and the values of a question, if it may have an answer here."""
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        given = json.loads(body or b"{}")
        return f"{SERVICES[signed][0]}.{target.split('.')[-1]}", texts(given)
    form = re.match(rb"Action=(\w+)", body)
    if form:
        return f"{SERVICES[signed][0]}.{form[1].decode()}", []
    path = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    path, _, query = path.partition("?")
    for service in SERVICES[signed]:
        if any(name.startswith(f"{service}.") for name in KNOWN):
            name, values = by_path(service, environ["REQUEST_METHOD"], path)
            if name:
                return f"{service}.{name}", values + re.findall(r"=([^&]+)", query)
    return "", []


def find(name, values):
    if name not in KNOWN:
        return None
    for end in [",".join(values), *reversed(values)]:
        if f"{name}/{end}" in ANSWERS:
            return ANSWERS[f"{name}/{end}"]
    return ANSWERS.get(name)


def as_xml(value):
    if isinstance(value, dict):
        return "".join(f"<{name}>{as_xml(member)}</{name}>" for name, member in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{as_xml(item)}</member>" for item in value)
    return xml.sax.saxutils.escape(str(value).lower() if isinstance(value, bool) else str(value))


def before(app):
    """The application, with the answers before it."""
    def answer(environ, start):
        signed = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
        if not signed or signed[1] not in SERVICES:
            return app(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        name, values = operation(signed[1], environ, body)
        found = find(name, values)
        if found is None:
            import io
            environ["wsgi.input"] = io.BytesIO(body)
            return app(environ, start)
        status, headers = "200 OK", [("Content-Type", "application/json")]
        if "error" in found:
            code = found["error"][1]
            status, headers = f"{found['error'][0]} No", [*headers, ("x-amzn-ErrorType", code)]
            text = json.dumps({"__type": code, "message": found["error"][2]})
        elif body.startswith(b"Action="):
            short = name.split(".")[1]
            text = f"<{short}Response><{short}Result>{as_xml(found)}</{short}Result></{short}Response>"
        else:
            text = json.dumps(found)
        start(status, [*headers, ("Content-Length", str(len(text.encode())))])
        return [text.encode()]
    return answer


def wrong(shape, value, place):
    """Where a value is not of a shape."""
    if shape.type_name == "structure":
        names = {shape.members[name].serialization.get("name", name): name for name in shape.members}
        for name in value:
            if name not in names:
                yield f"{place}.{name} is none of {sorted(names)}"
            else:
                yield from wrong(shape.members[names[name]], value[name], f"{place}.{name}")
        for name in shape.required_members:
            if shape.members[name].serialization.get("name", name) not in value:
                yield f"{place}.{name} is missing"
    elif shape.type_name == "list":
        for at, item in enumerate(value):
            yield from wrong(shape.member, item, f"{place}[{at}]")
    elif shape.type_name == "map":
        for name in value:
            yield from wrong(shape.value, value[name], f"{place}.{name}")
    elif shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{place} is none of {shape.enum}"
    elif shape.type_name in ("string", "timestamp") and not isinstance(value, (str, int, float)):
        yield f"{place} is no {shape.type_name}"
    elif shape.type_name in ("boolean", "integer", "long") and not isinstance(value, (bool, int)):
        yield f"{place} is no {shape.type_name}"


if __name__ == "__main__":
    places = []
    for full, told in ANSWERS.items():
        service, named = full.split("/")[0].split(".")
        if "error" not in told:
            places += wrong(model(service).operation_model(named).output_shape, told, full)
    print("\n".join(places), end="")
    sys.exit(bool(places))
