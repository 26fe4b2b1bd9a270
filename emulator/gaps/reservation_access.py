"""IAM for Capacity Reservations, resource shares and the groups of reservations: their ARNs and their tags."""

import json

from . import patching, reservations, shares

_actions = patching.module("core.iam_actions")
_evaluator = patching.module("core.iam_evaluator")
_groups = patching.module("services.resource_groups")


def install():
    patching.require(_groups, "_group_tags", "_resolve_name")
    patching.wrap(_actions, "extract_resource_arn", _naming)
    patching.wrap(_evaluator, "enforce", _with_tags)


def _param(params, key):
    value = params.get(key, "")
    return value[0] if isinstance(value, list) else value


def _naming(original):
    def extract(service, method, path, headers, body, query_params, region, account_id):
        arn = original(service, method, path, headers, body, query_params, region, account_id)
        if service == "ec2" and "CapacityReservation" in _param(query_params, "Action"):
            return _reservation_arn(query_params, region, account_id)
        if service == "ram":
            return _share_arn(path, body, query_params, region, account_id)
        if service == "resource-groups":
            return _json(body).get("Group") or arn
        return arn

    return extract


def _reservation_arn(params, region, account):
    if _param(params, "Action").startswith("Describe"):
        return "*"
    named = _param(params, "SourceCapacityReservationId") or _param(params, "CapacityReservationId") or "*"
    return f"arn:aws:ec2:{region}:{account}:capacity-reservation/{named}"


def _share_arn(path, body, params, region, account):
    if path.startswith("/get"):
        return "*"
    asked = _json(body)
    return (asked.get("resourceShareArn") or _param(params, "resourceShareArn")
            or asked.get("resourceShareInvitationArn") or f"arn:aws:ram:{region}:{account}:resource-share/*")


def _json(body):
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _with_tags(original):
    def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        keys = {f"aws:ResourceTag/{key}": value for key, value in _tags_of(service, resource_arn)}
        return original(access_key_id, iam_action, service, region, resource_arn=resource_arn,
                        service_context={**keys, **(service_context or {})})

    return enforce


def _tags_of(service, arn):
    if service == "ec2" and ":capacity-reservation/" in arn:
        record = reservations.find(arn.rsplit("/", 1)[-1])
        return [(tag["Key"], tag["Value"]) for tag in (record or {}).get("Tags", [])]
    if service == "ram" and ":resource-share/" in arn:
        return [(tag["key"], tag["value"]) for tag in shares.tags_of(arn)]
    if service == "resource-groups" and ":group/" in arn:
        return list((_groups._group_tags.get(_groups._resolve_name(group=arn)) or {}).items())
    return []
