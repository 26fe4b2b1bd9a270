"""Rule targets that are event buses of another account or region are delivered there."""

import contextvars
import json

from . import access, patching

EVENTS_KEPT_MAX = 5_000
# A rule may send an event on to a bus whose rule sends it back.
HOPS_MAX = 5

_events = patching.module("services.eventbridge")
_responses = patching.module("core.responses")
_lambda = patching.module("services.lambda_svc")

# The role of the target being delivered to: the caller another account's bus sees.
_target_role = contextvars.ContextVar("target_role", default="")


def install():
    patching.require(_events, "_event_buses", "_ensure_default_bus", "_event_bus_policies", "_dispatch_event",
                     "_events_log_list")
    patching.require(_lambda, "function_policy_for_arn")
    patching.wrap(_events, "_dispatch_to_event_bus", _delivering)
    patching.wrap(_events, "_put_events", _bounding)
    patching.wrap(_events, "_invoke_target", _as_the_targets_role)


def _bounding(original):
    def put(data, allow_aws_source=False):
        response = original(data, allow_aws_source)
        log = _events._events_log_list()
        if len(log) > EVENTS_KEPT_MAX:
            del log[: EVENTS_KEPT_MAX // 10]
        return response

    return put


def _delivering(original):
    def dispatch(spec, event, rule, event_path, target_input_payload=None):
        source = (_responses.get_account_id(), _responses.get_region())
        if (spec.account_id, spec.region) == source:
            return original(spec, event, rule, event_path, target_input_payload)
        with _responses.request_scope(spec.account_id, spec.region):
            return _deliver(spec, event, rule, event_path, target_input_payload, source)

    return dispatch


def _deliver(spec, event, rule, event_path, target_input_payload, source):
    account, region = source
    bus = spec.resource.split("/", 1)[1]
    _events._ensure_default_bus()
    if bus not in _events._event_buses:
        _events.logger.warning("EventBridge: event bus %s not found", spec)
        return
    if spec.account_id != account and not _bus_admits(spec, account, event):
        _events.logger.warning("EventBridge: the policy of %s refuses events of account %s", spec, account)
        return
    if len(event_path) >= HOPS_MAX:
        _events.logger.warning("EventBridge: event dropped after %d hops at %s", HOPS_MAX, spec)
        return
    # The event keeps the account and region it came from; only the bus is another one.
    forwarded = {"Account": account, "Region": region, **event, "EventBusName": bus,
                 "_DispatchPath": [*event_path, f"{account}/{region}/{rule.get('Name')}"]}
    if target_input_payload is not None:
        forwarded["Detail"] = target_input_payload
    _events._dispatch_event(forwarded)


def _bus_admits(spec, source_account, event):
    """Under AUTH=true the bus's own policy decides, as on AWS. Without AUTH nothing is refused."""
    if not access.enforced():
        return True
    policy = _events._event_bus_policies.get(spec.resource.split("/", 1)[1])
    if isinstance(policy, str):
        policy = json.loads(policy)
    role = _target_role.get()
    caller = f"arn:aws:sts::{source_account}:assumed-role/{role.rsplit('/', 1)[-1]}/events" if role else \
        f"arn:aws:iam::{source_account}:root"
    keys = {"events:source": event.get("Source", ""), "events:detail-type": event.get("DetailType", "")}
    return access.policy_admits(_explicit_principals(policy), caller, "events:PutEvents", str(spec), keys)


def _explicit_principals(policy):
    """PutPermission stores a bare account id where a policy document says {"AWS": id}."""
    statements = [{**one, "Principal": {"AWS": one["Principal"]}}
                  if isinstance(one.get("Principal"), str) and one["Principal"] != "*" else one
                  for one in (policy or {}).get("Statement", [])]
    return {**(policy or {}), "Statement": statements}


def _as_the_targets_role(original):
    """AWS drops what neither the target's role nor the function's own policy lets EventBridge do."""

    def invoke(target, event, rule, view=None):
        refusal = access.enforced() and _refusal(target, rule)
        if refusal:
            _events.logger.warning("EventBridge: %s: not delivered", refusal)
            return None
        token = _target_role.set(target.get("RoleArn") or "")
        try:
            return original(target, event, rule, view)
        finally:
            _target_role.reset(token)

    return invoke


def _refusal(target, rule):
    arn, role = target.get("Arn", ""), target.get("RoleArn")
    if ":function:" in arn and not role:
        policy = (_lambda.function_policy_for_arn(arn) or (None,))[0]
        admitted = access.service_may("events.amazonaws.com", policy, "lambda:InvokeFunction", arn, rule.get("Arn", ""))
        return None if admitted else f"the policy of {arn} does not let events.amazonaws.com invoke it"
    action = _action_of(arn)
    if action and not access.role_may(role, action, arn):
        return f"role {role} may not {action} on {arn}"
    return None


def _action_of(arn):
    if ":function:" in arn:
        return "lambda:InvokeFunction"
    if ":stateMachine:" in arn:
        return "states:StartExecution"
    own_account = f":{_responses.get_account_id()}:event-bus/"
    return "events:PutEvents" if ":event-bus/" in arn and own_account not in arn else None
