"""Instances and scaling activities of Auto Scaling groups."""

import json
import threading
import time
import uuid
from datetime import datetime, timezone

from . import patching

ACTIVITIES_PER_GROUP_MAX = 1_000
TICK_SECONDS = 0.1
RETRY_SECONDS = 1.0
LIVE = ("Pending", "InService")

_asg = patching.module("services.autoscaling")
_events = patching.module("services.eventbridge")
_responses = patching.module("core.responses")

lock = threading.RLock()
# (account or "*", group name or "*") -> {"startSeconds", "stopSeconds", "failLaunches", "errorCode"}
_behaviours = {}
# (account, region, group name) -> activities, newest first; kept after the group's end, as on AWS
_activities = {}


def choose_place(group, zone):
    """((zone, Capacity Reservation id or None), None), or (None, error code); launch_targets knows reservations."""
    return (zone, None), None


def begin_termination(group, instance, now, stop_seconds):
    """The instance is on its way out; termination knows the hooks in which it may wait."""
    instance["LifecycleState"] = "Terminating"
    instance["_dueAt"] = now + stop_seconds


def advance_termination(instance, now):
    """The time of an instance that waits in a hook has come; termination knows hooks."""


def start():
    threading.Thread(target=_tick_forever, daemon=True, name="auto-scaling").start()


def configure(request):
    """PUT /_entangle/instances: how the instances of matching groups start, stop and fail from now on."""
    key = (request.get("accountId") or "*", request.get("groupName") or "*")
    behaviour = {
        "startSeconds": float(request.get("startSeconds", 0)),
        "stopSeconds": float(request.get("stopSeconds", 0)),
        "failLaunches": int(request.get("failLaunches", 0)),
        "errorCode": request.get("errorCode") or "InsufficientInstanceCapacity",
    }
    if min(behaviour["startSeconds"], behaviour["stopSeconds"], behaviour["failLaunches"]) < 0:
        raise ValueError("startSeconds, stopSeconds and failLaunches must be 0 or more")
    with lock:
        _behaviours[key] = behaviour


def _behaviour(group_name):
    account = _responses.get_account_id()
    for key in ((account, group_name), ("*", group_name), (account, "*"), ("*", "*")):
        if key in _behaviours:
            return _behaviours[key]
    return {"startSeconds": 0.0, "stopSeconds": 0.0, "failLaunches": 0, "errorCode": ""}


def activities(group_name):
    return _activities.get(_key(group_name), [])


def all_activities():
    scope = (_responses.get_account_id(), _responses.get_region())
    found = [a for key, rows in _activities.items() if key[:2] == scope for a in rows]
    return sorted(found, key=lambda a: a["StartTime"], reverse=True)


def _key(group_name):
    return (_responses.get_account_id(), _responses.get_region(), group_name)


def reconcile(group, cause):
    """Launch or terminate until the group has its desired capacity. `cause` says in words who asked."""
    with lock:
        live = [i for i in group["Instances"] if i["LifecycleState"] in LIVE]
        missing = group["DesiredCapacity"] - len(live)
        if missing > 0:
            for _ in range(missing):
                _launch(group, cause, len(live), group["DesiredCapacity"])
        elif missing < 0:
            _scale_in(group, live, -missing, cause)
        _advance(group, time.time())


def _launch(group, cause, size_before, size_after):
    now = time.time()
    name = group["AutoScalingGroupName"]
    behaviour = _behaviour(name)
    zone = _emptiest_zone(group)
    cause = (f"At {_iso(now)} {cause}  At {_iso(now)} an instance was started in response to a difference between "
             f"desired and actual capacity, increasing the capacity from {size_before} to {size_after}.")
    if behaviour["failLaunches"] > 0:
        behaviour["failLaunches"] -= 1
        group["_retryAt"] = now + RETRY_SECONDS
        _fail_launch(group, cause, zone, behaviour["errorCode"], now)
        return
    place, error_code = choose_place(group, zone)
    if place is None:
        group["_retryAt"] = now + RETRY_SECONDS
        _fail_launch(group, cause, zone, error_code, now)
        return
    zone, reservation_id = place
    instance_id = "i-" + uuid.uuid4().hex[:17]
    activity = _add(group, {
        "Description": f"Launching a new EC2 instance: {instance_id}", "Cause": cause, "StartTime": _iso(now),
        "StatusCode": "InProgress", "Progress": 30, "Details": {"Availability Zone": zone}})
    group["Instances"].append({
        "InstanceId": instance_id, "LifecycleState": "Pending", "HealthStatus": "Healthy", "AvailabilityZone": zone,
        "ProtectedFromScaleIn": group["NewInstancesProtectedFromScaleIn"],
        "LaunchTemplate": group.get("LaunchTemplate") or {},
        "LaunchConfigurationName": group.get("LaunchConfigurationName", ""),
        "_launchedAt": now, "_dueAt": now + behaviour["startSeconds"], "_activity": activity,
        **({"_reservationId": reservation_id} if reservation_id else {})})


def _fail_launch(group, cause, zone, code, now):
    message = {
        "InsufficientInstanceCapacity": f"We currently do not have sufficient capacity in the Availability Zone you "
                                        f"requested ({zone}). Our system will be working on provisioning additional "
                                        "capacity.",
    }.get(code, f"{code}.")
    activity = _add(group, {
        "Description": "Launching a new EC2 instance", "Cause": cause, "StartTime": _iso(now), "EndTime": _iso(now),
        "StatusCode": "Failed", "StatusMessage": f"{message} Launching EC2 instance failed.", "Progress": 100,
        "Details": {"Availability Zone": zone, "Error Code": code}})
    _publish(group, "EC2 Instance Launch Unsuccessful", activity, "")


def _emptiest_zone(group):
    zones = group["AvailabilityZones"] or [f"{_responses.get_region()}a"]
    live = [i["AvailabilityZone"] for i in group["Instances"] if i["LifecycleState"] in LIVE]
    return min(zones, key=lambda zone: (live.count(zone), zones.index(zone)))


def _scale_in(group, live, count, cause):
    candidates = [i for i in live if not i["ProtectedFromScaleIn"]]
    now = time.time()
    stop_seconds = _behaviour(group["AutoScalingGroupName"])["stopSeconds"]
    size = len(live)
    for _ in range(min(count, len(candidates))):
        chosen = choose_victim(candidates, group["TerminationPolicies"])
        candidates.remove(chosen)
        begin_termination(group, chosen, now, stop_seconds)
        chosen["_activity"] = _add(group, {
            "Description": f"Terminating EC2 instance: {chosen['InstanceId']}",
            "Cause": f"At {_iso(now)} {cause}  At {_iso(now)} an instance was taken out of service in response to a "
                     f"difference between desired and actual capacity, shrinking the capacity from {size} to "
                     f"{size - 1}.  At {_iso(now)} instance {chosen['InstanceId']} was selected for termination.",
            "StartTime": _iso(now), "StatusCode": "InProgress", "Progress": 0,
            "Details": {"Availability Zone": chosen["AvailabilityZone"]}})
        size -= 1
    if size > group["DesiredCapacity"]:
        _add(group, {
            "Description": "Scaling in", "Cause": f"At {_iso(now)} {cause}", "StartTime": _iso(now),
            "EndTime": _iso(now), "StatusCode": "Failed", "Progress": 100, "Details": {},
            "StatusMessage": "Could not scale to desired capacity because all remaining instances are protected "
                             "from scale in."})


def interrupt(group, instance):
    """EC2 ends an instance of the group, which replaces it where it still can."""
    with lock:
        now = time.time()
        name = group["AutoScalingGroupName"]
        instance["LifecycleState"] = "Terminating"
        instance["_dueAt"] = now + _behaviour(name)["stopSeconds"]
        instance["_activity"] = _add(group, {
            "Description": f"Terminating EC2 instance: {instance['InstanceId']}",
            "Cause": f"At {_iso(now)} an instance was taken out of service in response to an EC2 health check "
                     "indicating it has been terminated or stopped.",
            "StartTime": _iso(now), "StatusCode": "InProgress", "Progress": 0,
            "Details": {"Availability Zone": instance["AvailabilityZone"]}})
        reconcile(group, "an instance was started in response to an instance that was ended.")


def choose_victim(candidates, policies):
    """AWS's order: the zone with the most instances first, then the group's own policies."""
    zones = [i["AvailabilityZone"] for i in candidates]
    fullest = max(zones, key=lambda zone: (zones.count(zone), zone))
    candidates = [i for i in candidates if i["AvailabilityZone"] == fullest]
    policy = policies[0] if policies else "Default"
    oldest = min(candidates, key=lambda i: i["_launchedAt"])
    if policy == "NewestInstance":
        return max(candidates, key=lambda i: i["_launchedAt"])
    # Default ends at the oldest launch template version, then the next billing hour: the oldest instance here.
    return oldest


def _advance(group, now):
    """Pending → InService, Terminating → gone, each with its activity ended and its event sent."""
    for instance in list(group["Instances"]):
        if instance["_dueAt"] > now:
            continue
        if instance["LifecycleState"] == "Pending":
            instance["LifecycleState"] = "InService"
            _finish(group, instance, "EC2 Instance Launch Successful", now)
        elif instance["LifecycleState"] == "Terminating:Wait":
            advance_termination(instance, now)
        elif instance["LifecycleState"] in ("Terminating", "Terminating:Proceed"):
            group["Instances"].remove(instance)
            _finish(group, instance, "EC2 Instance Terminate Successful", now)


def _finish(group, instance, detail_type, now):
    activity = instance.pop("_activity", None)
    instance["_dueAt"] = now
    if activity is None:
        return
    activity.update(StatusCode="Successful", Progress=100, EndTime=_iso(now))
    _publish(group, detail_type, activity, instance["InstanceId"])


def _add(group, fields):
    activity = {"ActivityId": str(uuid.uuid4()), "AutoScalingGroupName": group["AutoScalingGroupName"],
                "AutoScalingGroupARN": group["AutoScalingGroupARN"], **fields}
    rows = _activities.setdefault(_key(group["AutoScalingGroupName"]), [])
    rows.insert(0, activity)
    del rows[ACTIVITIES_PER_GROUP_MAX:]
    return activity


def _publish(group, detail_type, activity, instance_id):
    arns = [group["AutoScalingGroupARN"]]
    if instance_id:
        arns.append(f"arn:aws:ec2:{_responses.get_region()}:{_responses.get_account_id()}:instance/{instance_id}")
    _events._put_events({"Entries": [{
        "Source": "aws.autoscaling", "DetailType": detail_type, "Resources": arns,
        "Detail": json.dumps({
            "StatusCode": "Complete" if activity["StatusCode"] == "Successful" else "Failed",
            "AutoScalingGroupName": group["AutoScalingGroupName"], "ActivityId": activity["ActivityId"],
            "Details": activity["Details"], "RequestId": activity["ActivityId"],
            "StatusMessage": activity.get("StatusMessage", ""), "EndTime": activity["EndTime"],
            "EC2InstanceId": instance_id, "StartTime": activity["StartTime"], "Cause": activity["Cause"],
            "Origin": "EC2", "Destination": "AutoScalingGroup"}),
    }]}, allow_aws_source=True)


def _iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _tick_forever():
    while True:
        time.sleep(TICK_SECONDS)
        for (account, region, _), group in _asg._asgs.all_items():
            try:
                with lock, _responses.request_scope(account, region):
                    _tick(group)
            except Exception:
                _asg.logger.exception("group %s could not be advanced", group.get("AutoScalingGroupName"))


def _tick(group):
    now = time.time()
    _advance(group, now)
    if group.get("_retryAt") and now >= group["_retryAt"]:
        group["_retryAt"] = None
        reconcile(group, "the group retried a launch.")
