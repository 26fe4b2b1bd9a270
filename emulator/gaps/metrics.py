"""CloudWatch metrics: what PutMetricData refuses, and GetMetricData's exact dimensions and order."""

import json
import time

from . import patching

PAST_SECONDS_MAX = 14 * 24 * 3_600
FUTURE_SECONDS_MAX = 2 * 3_600
DATA_MAX = 1_000

_cw = patching.module("services.cloudwatch")


def install():
    patching.require(_cw, "_parse_ts", "_error")
    patching.wrap(_cw, "_dims_from_list", _exact)
    patching.wrap(_cw, "_put_metric_data", _refusing)
    patching.wrap(_cw, "_get_metric_data", _newest_first)


class _ExactDimensions(dict):
    """True although empty: a query without dimensions means the metric that has none, not all of them."""

    def __bool__(self):
        return True


def _exact(original):
    return lambda dimensions: _ExactDimensions(original(dimensions))


def _refusing(original):
    def put(params, data, is_cbor, is_json=False):
        refusal = refuse_data(data.get("MetricData") or [], time.time()) if is_cbor or is_json else None
        if refusal:
            return _cw._error("InvalidParameterValue", refusal, 400, use_json=is_json, use_cbor=is_cbor)
        return original(params, data, is_cbor, is_json)

    return put


def refuse_data(data, now):
    """Why AWS would refuse this PutMetricData request, or None."""
    if len(data) > DATA_MAX:
        return f"The collection MetricData must not have a size greater than {DATA_MAX}."
    for index, datum in enumerate(data, 1):
        stamp = _cw._parse_ts(datum.get("Timestamp"))
        if stamp is not None and stamp < now - PAST_SECONDS_MAX:
            return f"The parameter MetricData.member.{index}.Timestamp must specify a time within the past two weeks."
        if stamp is not None and stamp > now + FUTURE_SECONDS_MAX:
            return (f"The parameter MetricData.member.{index}.Timestamp must specify a time no more than two hours in "
                    "the future.")
    return None


def _newest_first(original):
    """ScanBy's default is TimestampDescending. (Only the JSON protocol, which the JavaScript SDK speaks.)"""

    def get(params, data, is_cbor, is_json=False):
        status, headers, body = original(params, data, is_cbor, is_json)
        if not is_json or status != 200 or data.get("ScanBy") == "TimestampAscending":
            return status, headers, body
        answer = json.loads(body)
        for result in answer["MetricDataResults"]:
            result["Timestamps"].reverse()
            result["Values"].reverse()
        return status, headers, json.dumps(answer).encode()

    return get
