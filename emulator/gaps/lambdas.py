"""Lambda: a Node error's name is its errorType, crashes can be ordered, every invocation is logged and answered at once."""

import contextvars
import json
import queue
import random
import threading
import time

from . import calls, faults, patching

_runtime = patching.module("core.lambda_runtime")
_lambda = patching.module("services.lambda_svc")
_events = patching.module("services.eventbridge")

ASYNC_PAUSE_SECONDS = 1
ASYNC_PAUSE_SECONDS_MAX = 300
ASYNC_AGE_SECONDS_MAX = 21_600

_last = threading.local()

# The emulator waits 50 ms for log lines of a function that logs nothing. The worker says instead where its log ends.
_END_OF_LOG = "\u001eend of the invocation's log"
_LOG_SECONDS_MAX = 0.25
_SAY_END = f'_stderrWrite({_END_OF_LOG!r} + "\\n"); '

# The Node worker reports message and stack only; AWS also reports the name and the stack's lines.
_WORKER_EDITS = (
    ('status: "error", error: String(err.message || err), trace: err.stack || ""',
     'status: "error", error: String(err.message || err), trace: err.stack || "", type: (err && err.name) || "Error"'),
    ('status: "error", error: e.message, trace: e.stack',
     'status: "error", error: e.message, trace: e.stack, type: (e && e.name) || "Error"'),
)


_ANSWERS = (
    '_realStdoutWrite(JSON.stringify({\n            status: "error", error: String(err.message || err)',
    '_realStdoutWrite(JSON.stringify({ status: "ok", result: res })',
    '_realStdoutWrite(JSON.stringify({\n        status: "error", error: e.message, trace: e.stack',
)


def install():
    patching.require(_runtime, "_NODEJS_WORKER_SCRIPT", "Worker", "ProvidedWorker")
    script = _runtime._NODEJS_WORKER_SCRIPT
    for old, new in (*((answer, _SAY_END + answer) for answer in _ANSWERS), *_WORKER_EDITS):
        if script.count(old) != 1:
            raise patching.IncompatibleEmulator(f"lambda_runtime._NODEJS_WORKER_SCRIPT has no {old!r}")
        script = script.replace(old, new)
    _runtime._NODEJS_WORKER_SCRIPT = script
    patching.wrap(_runtime.Worker, "invoke", _remembering)
    patching.wrap(_runtime.Worker, "_drain_stderr_bounded", _draining)
    patching.wrap(_lambda, "_execute_function_warm", _typed)
    patching.wrap(_lambda, "_execute_function_dispatch", _faulty)
    patching.wrap(_lambda, "_throttle_response", _named)
    patching.require(_lambda, "_get_func_record_for_ref", "_execution_record_for_config",
                     "_execute_function_with_config_scope")
    patching.wrap(_events, "_dispatch_to_lambda", _waiting)


def _draining(original):
    def drain(self, *arguments, **named):
        if isinstance(self, _runtime.ProvidedWorker) or not self.config.get("Runtime", "").startswith("nodejs"):
            return original(self, *arguments, **named)
        lines = []
        deadline = time.monotonic() + _LOG_SECONDS_MAX
        while True:
            try:
                line = self._stderr_queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            text, end, _ = line.partition(_END_OF_LOG)
            if text or not end:
                lines.append(text)
            if end:
                break
        return "\n".join(lines)

    return drain


def _remembering(original):
    def invoke(self, *arguments, **named):
        _last.result = result = original(self, *arguments, **named)
        return result

    return invoke


def _typed(original):
    def execute(func, event, request_id):
        _last.result = {}
        result = original(func, event, request_id)
        reported = _last.result or {}
        body = result.get("body") if result.get("error") else None
        if isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            if reported.get("type"):
                body["errorType"] = reported["type"]
                body["trace"] = str(reported.get("trace") or "").split("\n")
            elif reported.get("error") == "Worker process died":
                body["errorType"] = "Runtime.ExitError"
        return result

    return execute


def _named(original):
    """Step Functions reports a throttled function by this name; the emulator reports an unknown error."""

    def throttled(*arguments, **named):
        result = original(*arguments, **named)
        body = result["body"]
        body.update(errorType="Lambda.TooManyRequestsException", errorMessage=body.get("message", ""))
        return result

    return throttled


def _waiting(original):
    """An event whose function is throttled waits in Lambda's own queue; the emulator drops it.

    Source: Lambda developer guide, "Error handling for asynchronous invocations": it is tried again for six hours, after
    one second at first and five minutes at most.
    """

    def dispatch(arn, payload):
        func, config, name = _lambda._get_func_record_for_ref(arn)
        if not func or not config:
            return original(arn, payload)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(_until_accepted, arn, json.loads(payload)), daemon=True).start()
        _events.logger.info("EventBridge → Lambda %s: dispatched", name)

    return dispatch


def _until_accepted(arn, event):
    pause_seconds = ASYNC_PAUSE_SECONDS
    deadline = time.monotonic() + ASYNC_AGE_SECONDS_MAX
    while time.monotonic() < deadline:
        func, config, _ = _lambda._get_func_record_for_ref(arn)
        if not func or not config:
            return
        record = _lambda._execution_record_for_config(func, config)
        result = _lambda._execute_function_with_config_scope(record, event)
        if not (result or {}).get("throttle"):
            return
        time.sleep(pause_seconds * random.uniform(0.5, 1))
        pause_seconds = min(2 * pause_seconds, ASYNC_PAUSE_SECONDS_MAX)


def _faulty(original):
    def execute(func, config, event, request_id, started):
        name = config.get("FunctionName", "")
        fault = faults.take("lambda", "Invoke", name, "before")
        calls.record("lambda", "Invoke", resource=name, **({"fault": fault["errorCode"]} if fault else {}))
        if fault:
            return _crash(fault)
        result = original(func, config, event, request_id, started)
        fault = faults.take("lambda", "Invoke", name, "after")
        return _crash(fault) if fault else result

    return execute


def _crash(fault):
    return {"error": True, "body": {"errorType": fault["errorCode"], "errorMessage": fault["message"], "trace": []}}
