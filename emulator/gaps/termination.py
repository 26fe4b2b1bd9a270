"""Scale-in protection of single instances, and the hooks in which instances wait before they are terminated."""

import json
import time
import uuid

from . import fleet, patching

_asg = patching.module("services.autoscaling")
_events = patching.module("services.eventbridge")
_responses = patching.module("core.responses")

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
INSTANCES_MAX = 50
HEARTBEATS_MAX = 100
WAIT = "Terminating:Wait"


def install():
    patching.require(_asg, "_asgs", "_hooks", "_p", "_parse_member_list", "_xml", "_error")
    table = _asg._ACTION_MAP
    table["SetInstanceProtection"] = _set_protection
    patching.wrap_entry(table, "PutLifecycleHook", "_ACTION_MAP", _putting)
    patching.wrap_entry(table, "CompleteLifecycleAction", "_ACTION_MAP", lambda _: _complete)
    patching.wrap_entry(table, "RecordLifecycleActionHeartbeat", "_ACTION_MAP", lambda _: _heartbeat)
    fleet.begin_termination = begin
    fleet.advance_termination = advance


def _refuse(message):
    return _asg._error("ValidationError", message)


def _group_of(params):
    return _asg._asgs.get(_asg._p(params, "AutoScalingGroupName"))


def _set_protection(params):
    with fleet.lock:
        group = _group_of(params)
        if group is None:
            return _refuse("AutoScalingGroup name not found - null")
        ids = _asg._parse_member_list(params, "InstanceIds")
        if not 1 <= len(ids) <= INSTANCES_MAX:
            return _refuse(f"1 validation error detected: Value '{len(ids)}' at 'instanceIds' failed to satisfy "
                           f"constraint: Member must have length between 1 and {INSTANCES_MAX}")
        found = {instance["InstanceId"]: instance for instance in group["Instances"]}
        strangers = [one for one in ids if one not in found]
        if strangers:
            return _refuse(f"The instance {strangers[0]} is not part of Auto Scaling group "
                           f"{group['AutoScalingGroupName']}.")
        wanted = _asg._p(params, "ProtectedFromScaleIn") == "true"
        for one in ids:
            found[one]["ProtectedFromScaleIn"] = wanted
        # A scale-in that protection has stopped goes on once there is something to terminate.
        fleet.reconcile(group, "instances that were protected from scale in no longer are.")
    return _asg._xml(200, "SetInstanceProtectionResponse", "<SetInstanceProtectionResult/>")


def _putting(original):
    def put(params):
        if _group_of(params) is None:
            return _refuse("AutoScalingGroup name not found - null")
        timeout = _asg._p(params, "HeartbeatTimeout")
        if timeout and not 30 <= int(timeout) <= 7200:
            return _refuse(f"1 validation error detected: Value '{timeout}' at 'heartbeatTimeout' failed to satisfy "
                           "constraint: Member must have value between 30 and 7200")
        return original(params)

    return put


def _hooks_of(group):
    name = group["AutoScalingGroupName"]
    return [hook for hook in _asg._hooks.values()
            if hook["AutoScalingGroupName"] == name and hook["LifecycleTransition"] == TERMINATING]


def begin(group, instance, now, stop_seconds):
    """An instance that was chosen goes at once, or waits in the group's termination hooks."""
    hooks = _hooks_of(group)
    instance["_stopSeconds"] = stop_seconds
    if not hooks:
        instance["LifecycleState"] = "Terminating"
        instance["_dueAt"] = now + stop_seconds
        return
    instance["LifecycleState"] = WAIT
    instance["_waits"] = {hook["LifecycleHookName"]: now + hook["HeartbeatTimeout"] for hook in hooks}
    instance["_heartbeats"] = {}
    instance["_tokens"] = {hook["LifecycleHookName"]: str(uuid.uuid4()) for hook in hooks}
    instance["_dueAt"] = min(instance["_waits"].values())
    for hook in hooks:
        _tell(group, instance, hook)


def advance(instance, now):
    """The heartbeat timeout of a hook is over: its default result, which for a termination is to go on."""
    for name, until in list(instance["_waits"].items()):
        if until <= now:
            _end_wait(instance, name, now)


def _end_wait(instance, name, now):
    instance["_waits"].pop(name)
    if instance["_waits"]:
        instance["_dueAt"] = min(instance["_waits"].values())
        return
    instance["LifecycleState"] = "Terminating:Proceed"
    instance["_dueAt"] = now + instance["_stopSeconds"]


def _waiting(params):
    """The instance that waits in the named hook, or the error that AWS answers with."""
    group = _group_of(params)
    if group is None:
        return None, _refuse("AutoScalingGroup name not found - null")
    hook = _asg._p(params, "LifecycleHookName")
    wanted, token = _asg._p(params, "InstanceId"), _asg._p(params, "LifecycleActionToken")
    for instance in group["Instances"]:
        waits = instance.get("_waits") or {}
        if hook in waits and (instance["InstanceId"] == wanted or instance["_tokens"][hook] == token):
            return instance, None
    named = f"instance ID {wanted}" if wanted else f"token {token}"
    return None, _refuse(f"No active Lifecycle Action found with {named}")


def _complete(params):
    with fleet.lock:
        result = _asg._p(params, "LifecycleActionResult")
        if result not in ("CONTINUE", "ABANDON"):
            return _refuse(f"Lifecycle action result {result} is not CONTINUE or ABANDON")
        instance, refused = _waiting(params)
        if refused:
            return refused
        now = time.time()
        # ABANDON ends the other hooks of the instance too.
        names = [_asg._p(params, "LifecycleHookName")] if result == "CONTINUE" else list(instance["_waits"])
        for name in names:
            _end_wait(instance, name, now)
    return _asg._xml(200, "CompleteLifecycleActionResponse", "<CompleteLifecycleActionResult/>")


def _heartbeat(params):
    with fleet.lock:
        instance, refused = _waiting(params)
        if refused:
            return refused
        name = _asg._p(params, "LifecycleHookName")
        beats = instance["_heartbeats"].get(name, 0) + 1
        if beats > HEARTBEATS_MAX:
            return _refuse("The maximum number of heartbeats for the lifecycle action has been reached")
        instance["_heartbeats"][name] = beats
        group = _group_of(params)
        hook = next(one for one in _hooks_of(group) if one["LifecycleHookName"] == name)
        instance["_waits"][name] = time.time() + hook["HeartbeatTimeout"]
        instance["_dueAt"] = min(instance["_waits"].values())
    return _asg._xml(200, "RecordLifecycleActionHeartbeatResponse", "<RecordLifecycleActionHeartbeatResult/>")


def _tell(group, instance, hook):
    account, region = _responses.get_account_id(), _responses.get_region()
    name = hook["LifecycleHookName"]
    detail = {
        "LifecycleActionToken": instance["_tokens"][name], "AutoScalingGroupName": group["AutoScalingGroupName"],
        "LifecycleHookName": name, "EC2InstanceId": instance["InstanceId"], "LifecycleTransition": TERMINATING,
        "Origin": "AutoScalingGroup", "Destination": "EC2"}
    if hook["NotificationMetadata"]:
        detail["NotificationMetadata"] = hook["NotificationMetadata"]
    _events._put_events({"Entries": [{
        "Source": "aws.autoscaling", "DetailType": "EC2 Instance-terminate Lifecycle Action",
        "Resources": [group["AutoScalingGroupARN"],
                      f"arn:aws:ec2:{region}:{account}:instance/{instance['InstanceId']}"],
        "Detail": json.dumps(detail),
    }]}, allow_aws_source=True)
