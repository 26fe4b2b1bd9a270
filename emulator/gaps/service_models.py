"""Requests and answers of services that the emulator lacks, checked against botocore's own model of the service.

A request with a member that the service does not know, without one that it needs, or with a value of the wrong type is
refused as AWS refuses it. An answer is written from the model, read again with botocore's parser, and must come back as
it went in: an answer that no SDK would understand is an error here, not in the product.
"""

import json
from datetime import datetime, timezone
from functools import cache
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator


class Refused(Exception):
    """A call that AWS would refuse: the name of the error, its message, the HTTP status."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@cache
def model_of(service):
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def require_operations(service, names):
    """The names of `names` that botocore's model of the service lacks."""
    known = model_of(service).operation_names
    return [name for name in names if name not in known]


def read_query(service, action, params):
    """The input of a query or ec2 call as a dictionary.

    Raises Refused when a parameter is unknown, missing or of the wrong kind.
    """
    flat = {key: value[0] if isinstance(value, list) else value for key, value in params.items()}
    used = {"Action", "Version"}
    shape = model_of(service).operation_model(action).input_shape
    found = _read(service, shape, "", flat, used) or {}
    unknown = sorted(key for key in flat if key not in used and not key.startswith("X-Amz-"))
    if unknown:
        raise Refused("UnknownParameter", f"The parameter {unknown[0]} is not recognized")
    validate(found, shape)
    return found


def read_part(service, action, member, params):
    """One member of the input of a query call, or None when it is not given."""
    flat = {key: value[0] if isinstance(value, list) else value for key, value in params.items()}
    shape = model_of(service).operation_model(action).input_shape.members[member]
    found = _read(service, shape, member, flat, set())
    if found is not None:
        validate(found, shape)
    return found


def _read(service, shape, prefix, flat, used):
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            wire = _request_name(service, member, name)
            value = _read(service, member, f"{prefix}.{wire}" if prefix else wire, flat, used)
            if value is not None:
                found[name] = value
        return found or None
    if shape.type_name == "list":
        # The ec2 protocol numbers the list itself, the query protocol a `member` below it.
        base = prefix if service == "ec2" else f"{prefix}.member"
        found = []
        while (value := _read(service, shape.member, f"{base}.{len(found) + 1}", flat, used)) is not None:
            found.append(value)
        return found or None
    if prefix not in flat:
        return None
    used.add(prefix)
    return _scalar(shape, prefix, flat[prefix])


def _request_name(service, member, name):
    serialized = member.serialization
    if service == "ec2":
        if "queryName" in serialized:
            return serialized["queryName"]
        given = serialized.get("name", name)
        return given[0].upper() + given[1:]
    return serialized.get("name", name)


def _scalar(shape, name, text):
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "timestamp":
            return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused("InvalidParameterValue", f"Value ({text}) for parameter {name} is invalid.") from None
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            raise Refused("InvalidParameterValue", f"Value ({text}) for parameter {name} is invalid. Expected a boolean.")
        return text.lower() == "true"
    choices = getattr(shape, "enum", None)
    if choices and text not in choices:
        raise Refused("InvalidParameterValue", f"Value ({text}) for parameter {name} is invalid.")
    return text


def validate(value, shape, code="InvalidParameterValue"):
    """Raises Refused when the value does not fit the shape: what botocore would refuse before sending it."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        text = report.generate_report()
        raise Refused("MissingParameter" if text.startswith("Missing required") else code, text.replace("\n", "; "))


def write_xml(service, action, answer, request_id):
    """The answer to an ec2 call: (status, headers, body)."""
    shape = model_of(service).operation_model(action).output_shape
    inner = "".join(_element(shape, answer)) + f"<requestId>{request_id}</requestId>"
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response '
            f'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{inner}</{action}Response>').encode()
    _must_read_back("ec2", shape, answer, body)
    return 200, {"Content-Type": "application/xml"}, body


def xml_of(service, shape_name, value):
    """The members of a structure of a query or ec2 answer, without a tag around them."""
    return "".join(_element(model_of(service).shape_for(shape_name), value))


def _element(shape, value):
    if shape.type_name == "structure":
        unknown = [name for name in value if name not in shape.members]
        if unknown:
            raise AssertionError(f"{shape.name} has no member {unknown[0]}")
        for name, member in shape.members.items():
            if name in value:
                tag = member.serialization.get("name", name)
                yield f"<{tag}>{''.join(_element(member, value[name]))}</{tag}>"
    elif shape.type_name == "list":
        tag = shape.member.serialization.get("name", "member")
        for each in value:
            yield f"<{tag}>{''.join(_element(shape.member, each))}</{tag}>"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, datetime):
        yield value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    else:
        yield escape(str(value))


def _must_read_back(protocol, shape, answer, body):
    parsed = create_parser(protocol).parse({"status_code": 200, "headers": {}, "body": body}, shape)
    parsed.pop("ResponseMetadata", None)
    if parsed != answer:
        raise AssertionError(f"botocore reads {parsed!r} where {answer!r} was written")


def read_json(service, action, body, query):
    """The input of a rest-json call whose members are in the body or in the query string. Raises Refused."""
    shape = model_of(service).operation_model(action).input_shape
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise Refused("InvalidParameterException", "the body is not JSON") from None
    for name, member in shape.members.items():
        if member.serialization.get("location") == "querystring":
            given = query.get(member.serialization.get("name", name))
            if given is not None:
                found[name] = given[0] if isinstance(given, list) else given
    validate(found, shape, "InvalidParameterException")
    return found


def write_json(service, action, answer):
    """The answer to a rest-json call: (status, headers, body)."""
    shape = model_of(service).operation_model(action).output_shape
    body = json.dumps(answer, default=lambda at: at.timestamp()).encode()
    _must_read_back("rest-json", shape, answer, body)
    return 200, {"Content-Type": "application/json"}, body


def this_second():
    """Now, in whole seconds: what both protocols carry without loss."""
    return datetime.now(timezone.utc).replace(microsecond=0)
