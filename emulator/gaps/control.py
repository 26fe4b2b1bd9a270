"""The /_entangle/ endpoints, and the log and the faults of every AWS call that arrives over HTTP."""

import json
from urllib.parse import parse_qs

from . import calls, faults, fleet, patching, quotas, reservations

_app = patching.module("app")
_actions = patching.module("core.iam_actions")
_evaluator = patching.module("core.iam_evaluator")

BASE = "/_entangle/"
_SERVER_ERRORS = ("InternalServerError", "InternalFailure", "ServiceUnavailable", "InternalError")


def install():
    """Wrap the request dispatcher and return the ASGI application."""
    patching.require(_app, "app", "detect_service", "_routing_params", "extract_access_key_id")
    patching.require(_actions, "extract_iam_action", "access_denied_response")
    patching.wrap(_app, "_dispatch_service_request", _observed)
    emulator = _app.app

    async def application(scope, receive, send):
        if scope["type"] == "http" and scope["path"].startswith(BASE):
            await _answer(scope, receive, send)
        else:
            await emulator(scope, receive, send)

    return application


def _observed(original):
    async def dispatch(method, path, headers, body, query_params, request_id):
        params = _app._routing_params(method, path, headers, body, query_params)
        protocol_service = _app.detect_service(method, path, headers, params)
        service, action = _name_call(protocol_service, method, path, headers, body, params)
        if (service, action) == ("lambda", "Invoke"):
            # Counted and failed where the function runs, together with the invocations of other services.
            return await original(method, path, headers, body, query_params, request_id)
        principal = (_evaluator.resolve_caller_identity(_app.extract_access_key_id(headers, query_params)) or {})
        arn = principal.get("userArn", "")
        text = path + "\n" + body.decode("utf-8", "replace") if body else path
        entry = calls.record(service, action, arn)
        fault = faults.take(service, action, text, "before")
        if not fault:
            metered, asked = _metering(service, action, body)
            response = await original(method, path, headers, metered, query_params, request_id)
            response = _read_meter(entry, response, asked)
            fault = faults.take(service, action, text, "after")
        if not fault:
            entry["statusCode"] = response[0]
            return response
        entry["fault"] = fault["errorCode"]
        status = fault["statusCode"] or (500 if fault["errorCode"] in _SERVER_ERRORS else 400)
        entry["statusCode"] = status
        _, reply_headers, reply = _actions.access_denied_response(
            protocol_service, action, arn, request_id, error_code=fault["errorCode"], message=fault["message"],
            headers=headers)
        return status, {**reply_headers, "x-amzn-requestid": request_id}, reply

    return dispatch


def _name_call(protocol_service, method, path, headers, body, params):
    named = _actions.extract_iam_action(protocol_service, method, path, headers, body, params) or \
        f"{protocol_service}:{method}"
    service, _, action = named.partition(":")
    return faults.service_name(service), faults.action_name(action)


_METERED = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")


def _metering(service, action, body):
    """Ask DynamoDB what a write consumes, when the caller did not ask itself: (body, whether the caller asked)."""
    if service != "dynamodb" or action not in _METERED:
        return body, None
    try:
        request = json.loads(body)
    except ValueError:
        return body, None
    if request.get("ReturnConsumedCapacity") in ("TOTAL", "INDEXES"):
        return body, True
    return json.dumps({**request, "ReturnConsumedCapacity": "TOTAL"}).encode(), False


def _read_meter(entry, response, asked):
    if asked is None or response[0] != 200:
        return response
    status, headers, body = response
    answer = json.loads(body)
    consumed = answer.get("ConsumedCapacity") or []
    tables = consumed if isinstance(consumed, list) else [consumed]
    entry["writeUnits"] = sum(t.get("WriteCapacityUnits", t.get("CapacityUnits", 0)) for t in tables)
    if asked:
        return response
    answer.pop("ConsumedCapacity", None)
    # The checksum header is over the body that just changed.
    kept = {k: v for k, v in headers.items() if k.lower() not in ("x-amz-crc32", "content-length")}
    return status, kept, json.dumps(answer).encode()


async def _read_json(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    value = json.loads(body or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


async def _answer(scope, receive, send):
    try:
        status, value = await _route(scope, receive)
    except ValueError as error:
        status, value = 400, {"message": str(error)}
    body = json.dumps(value).encode()
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def _route(scope, receive):
    route = (scope["method"], scope["path"][len(BASE):])
    if route == ("GET", "health"):
        return 200, {"status": "ready"}
    if route == ("POST", "faults"):
        faults.add(await _read_json(receive))
    elif route == ("DELETE", "faults"):
        faults.clear()
    elif route == ("PUT", "instances"):
        fleet.configure(await _read_json(receive))
    elif route == ("PUT", "reservations"):
        reservations.configure(await _read_json(receive))
    elif route == ("PUT", "quotas"):
        quotas.configure(await _read_json(receive))
    elif route == ("GET", "calls"):
        query = parse_qs(scope.get("query_string", b"").decode())
        found = calls.since(int(query.get("since", ["0"])[0]))
        return 200, {"calls": found}
    elif route == ("POST", "reset-calls"):
        calls.reset()
    else:
        return 404, {"message": f"no such control endpoint: {scope['method']} {scope['path']}"}
    return 200, {}
