"""Ordered failures: the next `times` matching AWS calls fail, before or after they take effect."""

import threading

from . import patching

_responses = patching.module("core.responses")
_lock = threading.Lock()
_faults = []

_SERVICE_ALIASES = {"monitoring": "cloudwatch", "sfn": "states", "stepfunctions": "states", "eventbridge": "events",
                    "auto-scaling": "autoscaling"}
_ACTION_ALIASES = {"InvokeFunction": "Invoke"}


def service_name(name):
    return _SERVICE_ALIASES.get(name, name)


def action_name(name):
    return _ACTION_ALIASES.get(name, name)


def add(request):
    """POST /_entangle/faults. Raises ValueError for a wrong request."""
    for name in ("service", "action", "errorCode"):
        if not isinstance(request.get(name), str) or not request[name]:
            raise ValueError(f"{name} is required, a string")
    when = request.get("when", "before")
    if when not in ("before", "after"):
        raise ValueError("when must be 'before' or 'after'")
    times = request.get("times", 1)
    if not isinstance(times, int) or times < 1:
        raise ValueError("times must be a whole number of 1 or more")
    with _lock:
        _faults.append({
            "service": service_name(request["service"]),
            "action": action_name(request["action"]),
            "accountId": request.get("accountId"),
            "match": request.get("match"),
            "times": times,
            "errorCode": request["errorCode"],
            "statusCode": request.get("statusCode"),
            "message": request.get("message") or f"{request['errorCode']} (ordered by /_entangle/faults)",
            "when": when,
        })


def clear():
    with _lock:
        _faults.clear()


def take(service, action, text, when):
    """The fault this call has to suffer, counted down, or None."""
    if not _faults:
        return None
    account = _responses.get_account_id()
    with _lock:
        for fault in _faults:
            if (fault["service"] == service and fault["action"] == action and fault["when"] == when
                    and fault["accountId"] in (None, account) and (fault["match"] or "") in text):
                fault["times"] -= 1
                if fault["times"] == 0:
                    _faults.remove(fault)
                return fault
    return None
