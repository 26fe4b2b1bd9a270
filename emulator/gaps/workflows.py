"""Step Functions: AWS's idempotent StartExecution, the machine's own timeout, its role enforced."""

import contextvars
import json
import threading

from . import access, calls, patching

_sfn = patching.module("services.stepfunctions")
_lambda = patching.module("services.lambda_svc")
_responses = patching.module("core.responses")

_role = contextvars.ContextVar("state_machine_role", default="")


def install():
    patching.require(_sfn, "_executions", "_state_machines", "_resolve_state_machine_arn", "_ExecutionError",
                     "_add_event", "_emit_execution_status_event")
    patching.require(_lambda, "_get_func_record_for_ref")
    patching.wrap(_sfn, "_start_execution", _idempotent)
    patching.wrap(_sfn, "_run_execution", _as_role)
    patching.wrap(_sfn, "_call_lambda", _permitted_lambda)
    patching.wrap(_sfn, "_invoke_dynamodb", _permitted_dynamodb)
    patching.wrap(_sfn, "_s3_object_text", _permitted_object)
    patching.wrap(_sfn, "_invoke_aws_sdk_integration", _logged_sdk)


def _idempotent(original):
    def start(data):
        machine = _sfn._resolve_state_machine_arn(data.get("stateMachineArn", "").split("#", 1)[0])
        name = data.get("name")
        if machine is None or not name:
            return original(data)
        arn = machine.replace(":stateMachine:", ":execution:") + f":{name}"
        running = _sfn._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
            return _responses.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return original(data)

    return start


def _as_role(original):
    def run(execution_arn):
        execution = _sfn._executions.get(execution_arn) or {}
        machine = _sfn._state_machines.get(execution.get("stateMachineArn")) or {}
        token = _role.set(machine.get("roleArn", ""))
        timer = _timer(execution, machine)
        try:
            return original(execution_arn)
        finally:
            _role.reset(token)
            if timer:
                timer.cancel()

    return run


def _timer(execution, machine):
    """The TimeoutSeconds of the whole state machine, which the emulator does not read."""
    seconds = json.loads(machine.get("definition") or "{}").get("TimeoutSeconds")
    if not seconds:
        return None
    timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
    timer.daemon = True
    timer.start()
    return timer


def _time_out(execution):
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=_responses.now_iso(), error="States.Timeout", cause="")
    _sfn._add_event(execution, "ExecutionTimedOut",
                    {"executionTimedOutEventDetails": {"error": "States.Timeout", "cause": ""}})
    _sfn._emit_execution_status_event(execution)


def _refuse(action, resource, error):
    if access.enforced() and _role.get() and not access.role_may(_role.get(), action, resource):
        raise _sfn._ExecutionError(error, f"User: {_role.get()} is not authorized to perform: {action} on resource: "
                                   f"{resource} because no identity-based policy allows the {action} action")


def _permitted_lambda(original):
    def call(func_ref, event):
        _, config, _ = _lambda._get_func_record_for_ref(func_ref)
        if config:
            _refuse("lambda:InvokeFunction", config.get("FunctionArn", func_ref), "Lambda.AWSLambdaException")
        return original(func_ref, event)

    return call


def _permitted_dynamodb(original):
    def call(operation, input_data):
        action = operation[0].upper() + operation[1:]
        table = str((input_data or {}).get("TableName", ""))
        arn = table if table.startswith("arn:") else \
            f"arn:aws:dynamodb:{_responses.get_region()}:{_responses.get_account_id()}:table/{table}"
        _refuse(f"dynamodb:{action}", arn, "DynamoDB.AccessDeniedException")
        calls.record("dynamodb", action, _role.get())
        return original(operation, input_data)

    return call


def _permitted_object(original):
    """The items of a Distributed Map, which its state machine reads itself."""

    def read(bucket, key):
        _refuse("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", "States.ItemReaderFailed")
        calls.record("s3", "GetObject", _role.get())
        return original(bucket, key)

    return read


def _logged_sdk(original):
    def call(resource, input_data):
        service, _, action = resource.split("aws-sdk:", 1)[1].partition(":")
        action = action.split(".", 1)[0]
        calls.record(service, action[:1].upper() + action[1:], _role.get())
        return original(resource, input_data)

    return call
