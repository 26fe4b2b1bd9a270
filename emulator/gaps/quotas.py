"""CloudWatch's metric math function SERVICE_QUOTA, for the quotas that /_entangle/quotas has set."""

import json
import re

from . import patching

_cw = patching.module("services.cloudwatch")
_responses = patching.module("core.responses")

_SERVICE_QUOTA = re.compile(r"^SERVICE_QUOTA\((\w+)\)$")
# (account, Class dimension of the usage metric) -> the quota
_quotas = {}


def install():
    patching.require(_responses, "get_account_id")
    patching.wrap(_cw, "_get_metric_data", _with_quotas)


def configure(request):
    """PUT /_entangle/quotas. Raises ValueError for a wrong request."""
    for name in ("accountId", "class"):
        if not isinstance(request.get(name), str) or not request[name]:
            raise ValueError(f"{name} is required, a string")
    vcpus = request.get("vcpus")
    if vcpus is None:
        _quotas.pop((request["accountId"], request["class"]), None)
    elif isinstance(vcpus, int) and vcpus >= 0:
        _quotas[(request["accountId"], request["class"])] = vcpus
    else:
        raise ValueError("vcpus must be a whole number of 0 or more, or null for no quota")


def _quota_of(query):
    metric = (query.get("MetricStat") or {}).get("Metric") or {}
    named = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or []}
    if metric.get("Namespace") != "AWS/Usage":
        return None
    return _quotas.get((_responses.get_account_id(), named.get("Class")))


def _with_quotas(original):
    """A value for each datapoint of the usage metric; none for a metric without a quota, as on AWS."""

    def get(params, data, is_cbor, is_json=False):
        queries = (data or {}).get("MetricDataQueries") or [] if is_json else []
        asked = [(query, match[1]) for query in queries
                 if (match := _SERVICE_QUOTA.match((query.get("Expression") or "").replace(" ", "")))]
        if not asked:
            return original(params, data, is_cbor, is_json)
        others = [query for query in queries if all(query is not each for each, _ in asked)]
        status, headers, body = original(params, {**data, "MetricDataQueries": others}, is_cbor, is_json)
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        by_id = {query["Id"]: query for query in others}
        for query, used in asked:
            quota = _quota_of(by_id.get(used, {}))
            times = [] if quota is None else \
                [at for result in answer["MetricDataResults"] if result["Id"] == used for at in result["Timestamps"]]
            answer["MetricDataResults"].append({"Id": query["Id"], "Label": query.get("Label", query["Id"]),
                                                "Timestamps": times, "Values": [quota] * len(times),
                                                "StatusCode": "Complete"})
        return status, headers, json.dumps(answer).encode()

    return get
