"""EventBridge Scheduler: prompt one-time schedules, universal targets, time zones, context attributes."""

import json
import re
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from . import access, patching

TICK_SECONDS = 0.5
UNIVERSAL_PREFIX = "arn:aws:scheduler:::aws-sdk:"

_scheduler = patching.module("services.scheduler")
_events = patching.module("services.eventbridge")
_sfn = patching.module("services.stepfunctions")
_responses = patching.module("core.responses")


def install():
    patching.require(_scheduler, "_SCHEDULE_TICK_INTERVAL", "_schedules", "_schedule_last_fired", "_tick_schedules")
    patching.require(_sfn, "_start_execution")
    _scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS
    patching.wrap(_scheduler, "_at_time_epoch", lambda _: at_time_epoch)
    patching.wrap(_scheduler, "_create_schedule", _saving)
    patching.wrap(_scheduler, "_update_schedule", _saving)
    patching.wrap(_scheduler, "_delete_schedule", _forgetting)
    patching.wrap(_events, "_invoke_target", _universal)


class _Zoned(str):
    """A schedule expression that remembers its time zone, which the emulator's ticker does not pass on."""

    zone = "UTC"


def at_time_epoch(expression):
    """Seconds since 1970 of `at(yyyy-mm-ddThh:mm:ss)`, or None for another expression."""
    match = re.fullmatch(r"\s*at\(\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\s*\)\s*", expression)
    if not match:
        return None
    try:
        return datetime.fromisoformat(match.group(1)).replace(tzinfo=_zone(getattr(expression, "zone", "UTC"))).timestamp()
    except ValueError:
        return None


def _zone(name):
    if name == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"Invalid ScheduleExpressionTimezone {name}.") from None


def remember_zone(schedule):
    expression = _Zoned(schedule["ScheduleExpression"])
    expression.zone = schedule.get("ScheduleExpressionTimezone") or "UTC"
    schedule["ScheduleExpression"] = expression


def _saving(original):
    def save(name, body):
        refusal = refuse_schedule(body)
        if refusal:
            return _scheduler._error(400, "ValidationException", refusal)
        group = body.get("GroupName", "default")
        response = original(name, body)
        if response[0] == 200:
            _scheduler._schedule_last_fired.pop(_key(name, group), None)
            remember_zone(_scheduler._schedules[f"{group}/{name}"])
        return response

    return save


def refuse_schedule(body):
    """Why AWS would refuse this schedule, or None."""
    expression = str(body.get("ScheduleExpression") or "")
    if expression.strip().startswith("at(") and at_time_epoch(expression) is None:
        return f"Invalid Schedule Expression {expression}."
    try:
        _zone(body.get("ScheduleExpressionTimezone") or "UTC")
    except ValueError as error:
        return str(error)
    target = body.get("Target") or {}
    if target.get("Arn", "").startswith(UNIVERSAL_PREFIX) and _universal_action(target["Arn"]) not in _UNIVERSAL:
        return f"{target['Arn']} is not a universal target this emulator knows: {', '.join(sorted(_UNIVERSAL))}"
    return None


def _forgetting(original):
    def delete(name, query):
        _scheduler._schedule_last_fired.pop(_key(name, query.get("groupName", "default")), None)
        return original(name, query)

    return delete


def _key(name, group):
    return (_responses.get_account_id(), _responses.get_region(), f"{group}/{name}")


def _universal_action(arn):
    return arn[len(UNIVERSAL_PREFIX):]


def _universal(original):
    def invoke(target, event, rule, view=None):
        if event.get("Source") == "aws.scheduler":
            target = {**target, "Input": _with_attributes(target.get("Input") or "{}", event, rule)}
        arn = target.get("Arn", "")
        if not arn.startswith(UNIVERSAL_PREFIX):
            return original(target, event, rule, view)
        return _UNIVERSAL[_universal_action(arn)](json.loads(target.get("Input") or "{}"), target.get("RoleArn"))

    return invoke


def _with_attributes(text, event, schedule):
    stamp = datetime.fromtimestamp(event["Time"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = {
        "schedule-arn": schedule.get("Arn", ""),
        "scheduled-time": stamp,
        "execution-id": event["EventId"],
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _start_execution(request, role_arn):
    machine = request["StateMachineArn"]
    if access.enforced() and not access.role_may(role_arn, "states:StartExecution", machine):
        _scheduler.logger.warning("Scheduler: role %s may not states:StartExecution on %s", role_arn, machine)
        return
    members = {"StateMachineArn": "stateMachineArn", "Name": "name", "Input": "input"}
    status, _, body = _sfn._start_execution({members[k]: v for k, v in request.items() if k in members})
    if status >= 400:
        _scheduler.logger.warning("Scheduler: StartExecution failed: %s", body)


def _put_events(request, role_arn):
    _events._put_events(request)


_UNIVERSAL = {"sfn:startExecution": _start_execution, "eventbridge:putEvents": _put_events}
