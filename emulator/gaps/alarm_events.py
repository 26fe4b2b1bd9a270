"""The CloudWatch Alarm State Change event, in AWS's shape."""

import json
import time
import uuid
from datetime import datetime, timezone

from . import patching

_events = patching.module("services.eventbridge")


def install():
    patching.require(_events, "_put_events")


def publish(alarm, previous):
    """Send the event of a change that was made, to the default bus of the current account and region."""
    _events._put_events({"Entries": [{
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [alarm["AlarmArn"]],
        "Detail": json.dumps({
            "alarmName": alarm["AlarmName"],
            "state": state_of(alarm),
            "previousState": previous,
            "configuration": _configuration(alarm),
        }),
    }]}, allow_aws_source=True)


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + \
        f"{int(seconds * 1000) % 1000:03d}+0000"


def state_of(alarm):
    state = {"value": alarm["StateValue"], "reason": alarm.get("StateReason", "")}
    if alarm.get("StateReasonData"):
        state["reasonData"] = alarm["StateReasonData"]
    state["timestamp"] = stamp(alarm.get("StateUpdatedTimestamp") or time.time())
    return state


def _configuration(alarm):
    if "AlarmRule" in alarm:
        return {"alarmRule": alarm["AlarmRule"], "description": alarm.get("AlarmDescription", "")}
    metric = {
        "namespace": alarm.get("Namespace"),
        "name": alarm.get("MetricName"),
        "dimensions": {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or []},
    }
    stat = {
        "metric": metric,
        "period": alarm.get("Period"),
        "stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
    }
    if alarm.get("Unit"):
        stat["unit"] = alarm["Unit"]
    configuration = {"metrics": [{"id": _metric_id(alarm), "metricStat": stat, "returnData": True}]}
    if alarm.get("AlarmDescription"):
        configuration["description"] = alarm["AlarmDescription"]
    return configuration


def _metric_id(alarm):
    """AWS generates a UUID; it stays the same for an alarm."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, alarm["AlarmArn"]))
