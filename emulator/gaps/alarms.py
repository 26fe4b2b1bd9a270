"""CloudWatch alarms evaluated as AWS does, and their state changes published as EventBridge events."""

import json
import threading
import time
from datetime import datetime, timezone

from . import alarm_events, alarm_rules, patching

POINTS_PER_METRIC_MAX = 20_000
HISTORY_ENTRIES_MAX = 5_000
VALID_SHORT_PERIODS_SECONDS = (10, 20, 30)

_cw = patching.module("services.cloudwatch")
_responses = patching.module("core.responses")

# Evaluation runs on the server's thread (PutMetricData) and on the background thread.
_lock = threading.RLock()
# alarm ARN -> what PutMetricAlarm's replacement of the stored record would lose
_memory = {}


def install():
    patching.require(_cw, "_alarms", "_metrics", "_calc_stats", "_stat_value", "_dims_key", "_record_history",
                     "_evaluate_parent_alarms", "_history_entries", "_error")
    alarm_events.install()
    patching.require(_responses, "request_scope", "get_account_id", "get_region")
    patching.wrap(_cw, "_evaluate_alarm", lambda _: evaluate)
    patching.wrap(_cw, "_dispatch_alarm_actions", _publishing)
    patching.wrap(_cw, "_set_alarm_state", _setting_state)
    patching.wrap(_cw, "_put_metric_alarm", _validating)
    patching.wrap(_cw, "_store_datum", _bounding)
    patching.wrap(_cw, "_record_history", _bounding_history)
    threading.Thread(target=_evaluate_forever, daemon=True, name="alarms").start()


def _bounding(original):
    def store(namespace, name, dims, *rest):
        original(namespace, name, dims, *rest)
        points = _cw._metrics.get((namespace, name, _cw._dims_key(dims)))
        if points is not None and len(points) > POINTS_PER_METRIC_MAX:
            del points[: POINTS_PER_METRIC_MAX // 10]

    return store


def _bounding_history(original):
    def record(*arguments, **named):
        original(*arguments, **named)
        entries = _cw._history_entries()
        if len(entries) > HISTORY_ENTRIES_MAX:
            del entries[: HISTORY_ENTRIES_MAX // 10]

    return record


def _validating(original):
    def put(params, data, is_cbor, is_json=False):
        raw = (data if is_cbor or is_json else {k: _cw._p(params, k) for k in params})
        refusal = refuse_alarm(raw)
        if refusal:
            return _cw._error("ValidationError", refusal, 400, use_json=is_json, use_cbor=is_cbor)
        return original(params, data, is_cbor, is_json)

    return put


def refuse_alarm(alarm):
    """Why AWS would refuse this PutMetricAlarm request, or None."""
    period = int(alarm.get("Period") or 0)
    if alarm.get("MetricName") and period not in VALID_SHORT_PERIODS_SECONDS and (period <= 0 or period % 60):
        return "Period must be 10, 20, 30 or a multiple of 60"
    periods = int(alarm.get("EvaluationPeriods") or 1)
    datapoints = alarm.get("DatapointsToAlarm")
    if datapoints and int(datapoints) > periods:
        return "DatapointsToAlarm must be less than or equal to EvaluationPeriods"
    if period * periods > (86_400 if period < 3_600 else 604_800):
        return "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)"
    return None


def _evaluate_forever():
    while True:
        time.sleep(1)
        for (account, region, _), alarm in _cw._alarms.all_items():
            try:
                with _responses.request_scope(account, region):
                    evaluate(alarm)
            except Exception:
                _cw.logger.exception("alarm %s could not be evaluated", alarm.get("AlarmName"))


def evaluate(alarm):
    """Bring one alarm of the current account and region up to date."""
    if not alarm.get("Namespace") or not alarm.get("MetricName"):
        return
    with _lock:
        # A deleted or replaced record may still be in the background thread's snapshot.
        if _cw._alarms.get(alarm["AlarmName"]) is not alarm:
            return
        now = time.time()
        memory = _remember(alarm, now)
        points = _points(alarm)
        signature = (len(points), points[-1]["Timestamp"] if points else None,
                     now // min(alarm["Period"], 60), alarm["AlarmConfigurationUpdatedTimestamp"], id(alarm))
        # Like AWS, a state set by SetAlarmState lasts until the next datapoint or period.
        if memory.get("signature") == signature:
            return
        memory["signature"] = signature
        window = _window(alarm, points, now)
        state = alarm_rules.next_state(
            [status for _, _, status in window],
            alarm["EvaluationPeriods"],
            alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
            alarm.get("TreatMissingData") or "missing",
        )
        if state is not None and state != alarm["StateValue"]:
            _transition(alarm, state, window, now)


def _remember(alarm, now):
    memory = _memory.setdefault(alarm["AlarmArn"], {})
    if memory.get("record") is not alarm:
        memory["record"] = alarm
        for field in ("StateReasonData", "StateTransitionedTimestamp", "StateUpdatedTimestamp"):
            if field in memory and alarm["StateValue"] == memory.get("StateValue"):
                alarm[field] = memory[field]
        alarm.setdefault("StateTransitionedTimestamp", round(now, 3))
    return memory


def _points(alarm):
    dimensions = {d["Name"]: d["Value"] for d in alarm.get("Dimensions") or []}
    points = _cw._metrics.get((alarm["Namespace"], alarm["MetricName"], _cw._dims_key(dimensions))) or []
    unit = alarm.get("Unit")
    return [p for p in points if p.get("Unit", "None") == unit] if unit else points


def _window(alarm, points, now):
    """Oldest first: (start of the period, its value or None, its status)."""
    period = alarm["Period"]
    count = alarm["EvaluationPeriods"] + alarm_rules.EXTRA_PERIODS
    earliest = now - (count + 1) * period
    buckets = {}
    for point in points:
        if point["Timestamp"] >= earliest:
            buckets.setdefault(int(point["Timestamp"] // period) * period, []).append(point)
    newest = alarm_rules.newest_period_start(now, period, lambda start: start in buckets)
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    breaches = alarm_rules.COMPARISONS[alarm["ComparisonOperator"]]
    window = []
    for start in range(newest - (count - 1) * period, newest + period, period):
        in_period = buckets.get(start)
        stats = _cw._calc_stats(in_period) if in_period else {}
        value = _cw._stat_value(stats, statistic, in_period) if stats else None
        status = alarm_rules.MISSING
        if value is not None:
            status = alarm_rules.BREACHING if breaches(value, alarm["Threshold"]) else alarm_rules.WITHIN
        window.append((start, value, status))
    return window


def _transition(alarm, state, window, now):
    previous = alarm_events.state_of(alarm)
    recent = [(start, value) for start, value, status in window if status is not alarm_rules.MISSING]
    recent = list(reversed(recent[-alarm["EvaluationPeriods"]:]))
    alarm["StateReason"] = _reason(alarm, state, recent)
    alarm["StateReasonData"] = json.dumps(_reason_data(alarm, recent, now), separators=(",", ":"))
    alarm["StateValue"] = state
    alarm["StateUpdatedTimestamp"] = alarm["StateTransitionedTimestamp"] = round(now, 3)
    _after_change(alarm, previous)
    _cw._record_history(alarm["AlarmName"], previous["value"], state, alarm["StateReason"],
                        reason_data=json.loads(alarm["StateReasonData"]))
    _cw._dispatch_alarm_actions(alarm, previous["value"], state, alarm["StateReason"])
    _cw._evaluate_parent_alarms(alarm)


def _after_change(alarm, previous):
    memory = _memory.setdefault(alarm["AlarmArn"], {})
    memory["previous"] = previous
    for field in ("StateValue", "StateReasonData", "StateTransitionedTimestamp", "StateUpdatedTimestamp"):
        memory[field] = alarm.get(field)


def _reason(alarm, state, recent):
    if not recent:
        return f"Insufficient Data: {alarm['EvaluationPeriods']} datapoints were unknown." \
            if state == "INSUFFICIENT_DATA" else \
            f"Threshold Crossed: no datapoints were received for {alarm['EvaluationPeriods']} periods and " \
            f"{alarm['EvaluationPeriods']} missing datapoints were treated as [{_treated(state)}]."
    listed = ", ".join(f"{value} ({datetime.fromtimestamp(start, timezone.utc).strftime('%d/%m/%y %H:%M:%S')})"
                       for start, value in recent)
    words = {
        "GreaterThanOrEqualToThreshold": "greater than or equal to",
        "GreaterThanThreshold": "greater than",
        "LessThanThreshold": "less than",
        "LessThanOrEqualToThreshold": "less than or equal to",
    }[alarm["ComparisonOperator"]]
    was = "was" if state == "ALARM" else "was not"
    noun = "datapoint" if len(recent) == 1 else "datapoints"
    return (f"Threshold Crossed: {len(recent)} {noun} [{listed}] {was} {words} the threshold "
            f"({alarm['Threshold']}).")


def _treated(state):
    return "Breaching" if state == "ALARM" else "NonBreaching"


def _reason_data(alarm, recent, now):
    data = {
        "version": "1.0",
        "queryDate": alarm_events.stamp(now),
        "statistic": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
        "period": alarm["Period"],
        "recentDatapoints": [value for _, value in recent],
        "threshold": alarm["Threshold"],
        "evaluatedDatapoints": [{"timestamp": alarm_events.stamp(start), "value": value} for start, value in recent],
    }
    if recent:
        data["startDate"] = alarm_events.stamp(recent[-1][0])
    if alarm.get("Unit"):
        data["unit"] = alarm["Unit"]
    return data


def _setting_state(original):
    def set_state(params, data, is_cbor, is_json=False):
        name = data.get("AlarmName") if is_cbor or is_json else _cw._p(params, "AlarmName")
        with _lock:
            alarm = _cw._alarms.get(name)
            if alarm is None:
                return original(params, data, is_cbor, is_json)
            value = data.get("StateValue") if is_cbor or is_json else _cw._p(params, "StateValue")
            if value not in ("OK", "ALARM", "INSUFFICIENT_DATA"):
                return _cw._error("ValidationError", f"Value '{value}' at 'stateValue' failed to satisfy constraint: "
                                  "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
                                  400, use_json=is_json, use_cbor=is_cbor)
            previous = alarm_events.state_of(alarm)
            alarm.pop("StateReasonData", None)
            alarm["_stateSetAt"] = now = round(time.time(), 3)
            _memory.setdefault(alarm["AlarmArn"], {})["previous"] = previous
            response = original(params, data, is_cbor, is_json)
            alarm.pop("_stateSetAt")
            alarm["StateUpdatedTimestamp"] = now
            if previous["value"] != alarm["StateValue"]:
                alarm["StateTransitionedTimestamp"] = now
            _after_change(alarm, previous)
            return response

    return set_state


def _publishing(original):
    def dispatch(alarm, old_state, new_state, reason):
        if "_stateSetAt" in alarm:
            alarm["StateUpdatedTimestamp"] = alarm["_stateSetAt"]
        previous = (_memory.get(alarm["AlarmArn"]) or {}).get("previous") or {"value": old_state}
        # AWS sends the event even when the alarm's actions are disabled.
        alarm_events.publish(alarm, previous)
        original(alarm, old_state, new_state, reason)

    return dispatch
