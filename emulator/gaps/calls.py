"""A counted, bounded log of the AWS API calls the emulator answered."""

import itertools
import threading
import time
from collections import deque

from . import patching

CALLS_KEPT_MAX = 200_000

_responses = patching.module("core.responses")
_lock = threading.Lock()
_counter = itertools.count(1)
_ring = deque(maxlen=CALLS_KEPT_MAX)


def record(service, action, principal_arn="", **more):
    entry = {
        "atMillis": int(time.time() * 1000),
        "accountId": _responses.get_account_id(),
        "service": service,
        "action": action,
        **({"principalArn": principal_arn} if principal_arn else {}),
        **more,
    }
    with _lock:
        entry = {"seq": next(_counter), **entry}
        _ring.append(entry)
    return entry


def since(seq):
    with _lock:
        return [entry for entry in _ring if entry["seq"] > seq]


def reset():
    with _lock:
        _ring.clear()
