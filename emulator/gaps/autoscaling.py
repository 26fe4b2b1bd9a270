"""Auto Scaling: the validation, the errors and the instances AWS would answer with."""

import json
from xml.sax.saxutils import escape

from . import fleet, patching

_asg = patching.module("services.autoscaling")
_provisioners = patching.module("services.cloudformation.provisioners")

NOT_FOUND = "AutoScalingGroup name not found - null"


def install():
    patching.require(_asg, "_asgs", "_tags", "_p", "_parse_member_list", "_xml", "_error")
    patching.wrap(_asg, "_reconcile_instances", lambda _: _reconcile)
    patching.wrap(_asg, "_error", _escaping)
    table = _asg._ACTION_MAP
    patching.wrap_entry(table, "CreateAutoScalingGroup", "_ACTION_MAP", _creating)
    patching.wrap_entry(table, "UpdateAutoScalingGroup", "_ACTION_MAP", _updating)
    patching.wrap_entry(table, "SetDesiredCapacity", "_ACTION_MAP", _setting_capacity)
    patching.wrap_entry(table, "DeleteAutoScalingGroup", "_ACTION_MAP", _deleting)
    patching.wrap_entry(table, "DescribeAutoScalingGroups", "_ACTION_MAP", _filtering)
    patching.wrap_entry(table, "DescribeScalingActivities", "_ACTION_MAP", lambda _: _describe_activities)
    handlers = _provisioners._RESOURCE_HANDLERS["AWS::AutoScaling::AutoScalingGroup"]
    patching.wrap_entry(handlers, "create", "AWS::AutoScaling::AutoScalingGroup", _templated_create)
    patching.wrap_entry(handlers, "update", "AWS::AutoScaling::AutoScalingGroup", _templated_update)
    fleet.start()


def _reconcile(group):
    fleet.reconcile(group, group.pop("_cause", None) or _limits(group, "a user request created an AutoScalingGroup"))


def _limits(group, who):
    return (f"{who} with limits min: {group['MinSize']}, max: {group['MaxSize']}, "
            f"desired: {group['DesiredCapacity']}.")


def _escaping(original):
    return lambda code, message, status=400: original(code, escape(message), status)


def refuse_size(minimum, maximum, desired):
    """Why AWS would refuse these sizes, or None."""
    for name, value in (("minSize", minimum), ("maxSize", maximum), ("desiredCapacity", desired)):
        if value is not None and value < 0:
            return (f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
                    "Member must have value greater than or equal to 0")
    if minimum > maximum:
        return f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}"
    if desired is not None and not minimum <= desired <= maximum:
        return f"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}"
    return None


def _number(params, name):
    text = _asg._p(params, name)
    return int(text) if text != "" else None


def _sizes(params):
    try:
        return [_number(params, name) for name in ("MinSize", "MaxSize", "DesiredCapacity")], None
    except ValueError as error:
        return None, _asg._error("ValidationError", f"A size is not a whole number: {error}")


def _creating(original):
    def create(params):
        sizes, refused = _sizes(params)
        if refused:
            return refused
        minimum, maximum, desired = sizes
        if minimum is None or maximum is None:
            missing = "minSize" if minimum is None else "maxSize"
            return _asg._error("ValidationError", f"1 validation error detected: Value null at '{missing}' failed to "
                               "satisfy constraint: Member must not be null")
        refusal = refuse_size(minimum, maximum, desired)
        return _asg._error("ValidationError", refusal) if refusal else original(params)

    return create


def _updating(original):
    def update(params):
        with fleet.lock:
            group = _asg._asgs.get(_asg._p(params, "AutoScalingGroupName"))
            if group is None:
                return _asg._error("ValidationError", NOT_FOUND)
            sizes, refused = _sizes(params)
            if refused:
                return refused
            minimum, maximum, desired = sizes
            minimum = group["MinSize"] if minimum is None else minimum
            maximum = group["MaxSize"] if maximum is None else maximum
            refusal = refuse_size(minimum, maximum, desired)
            if refusal:
                return _asg._error("ValidationError", refusal)
            if desired is None:
                # AWS: a new MaxSize below, or MinSize above, the present size moves the desired capacity with it.
                desired = min(max(group["DesiredCapacity"], minimum), maximum)
            before = group["DesiredCapacity"]
            group["DesiredCapacity"] = desired
            group["_cause"] = (f"a user request update of AutoScalingGroup constraints to min: {minimum}, max: "
                               f"{maximum}, desired: {desired} changing the desired capacity from {before} to "
                               f"{desired}.")
            _apply_plain(group, params)
            return original({**params, "DesiredCapacity": str(desired)})

    return update


def _apply_plain(group, params):
    """Members of UpdateAutoScalingGroup that the emulator's own handler ignores."""
    protected = _asg._p(params, "NewInstancesProtectedFromScaleIn")
    if protected:
        group["NewInstancesProtectedFromScaleIn"] = protected == "true"
    policies = _asg._parse_member_list(params, "TerminationPolicies")
    if policies:
        group["TerminationPolicies"] = policies


def _setting_capacity(original):
    def set_capacity(params):
        with fleet.lock:
            group = _asg._asgs.get(_asg._p(params, "AutoScalingGroupName"))
            if group is None:
                return _asg._error("ValidationError", NOT_FOUND)
            sizes, refused = _sizes(params)
            if refused:
                return refused
            desired = sizes[2]
            if desired is not None and desired < 0:
                return _asg._error("ValidationError", refuse_size(0, 0, desired))
            for bad, word, bound in ((desired is not None and desired > group["MaxSize"], "above max", "MaxSize"),
                                     (desired is not None and desired < group["MinSize"], "below min", "MinSize")):
                if bad:
                    return _asg._error("ValidationError", f"New SetDesiredCapacity value {desired} is {word} value "
                                       f"{group[bound]} for the AutoScalingGroup.")
            group["_cause"] = (f"a user request explicitly set group desired capacity changing the desired capacity "
                               f"from {group['DesiredCapacity']} to {desired}.")
            return original(params)

    return set_capacity


def _deleting(original):
    def delete(params):
        with fleet.lock:
            group = _asg._asgs.get(_asg._p(params, "AutoScalingGroupName"))
            if group is None:
                return _asg._error("ValidationError", NOT_FOUND)
            if group["Instances"] and _asg._p(params, "ForceDelete") != "true":
                return _asg._error("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances "
                                   "or pending Spot instance request(s) still in the group.")
            return original(params)

    return delete


def _filtering(original):
    def describe(params):
        filters = _asg._parse_nested(params, "Filters") or []
        if not filters:
            return original(params)
        asked = _asg._parse_member_list(params, "AutoScalingGroupNames")
        names = [name for name, group in _asg._asgs.items()
                 if (not asked or name in asked) and all(_matches(group, one) for one in filters)]
        if not names:
            return _asg._xml(200, "DescribeAutoScalingGroupsResponse",
                             "<DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult>")
        kept = {k: v for k, v in params.items() if not k.startswith("AutoScalingGroupNames.")}
        kept.update({f"AutoScalingGroupNames.member.{i}": name for i, name in enumerate(names, 1)})
        return original(kept)

    return describe


def _matches(group, one):
    name, values = one.get("Name", ""), one.get("Values") or []
    tags = group.get("Tags", [])
    if name == "tag-key":
        return any(tag["Key"] in values for tag in tags)
    if name == "tag-value":
        return any(tag["Value"] in values for tag in tags)
    return any(f"tag:{tag['Key']}" == name and tag["Value"] in values for tag in tags)


def _describe_activities(params):
    name = _asg._p(params, "AutoScalingGroupName")
    if name and name not in _asg._asgs and not fleet.activities(name):
        return _asg._error("ValidationError", NOT_FOUND)
    wanted = _asg._parse_member_list(params, "ActivityIds")
    rows = fleet.activities(name) if name else fleet.all_activities()
    rows = [row for row in rows if not wanted or row["ActivityId"] in wanted]
    start = int(_asg._p(params, "NextToken") or 0)
    page = rows[start:start + min(int(_asg._p(params, "MaxRecords") or 100), 100)]
    following = start + len(page)
    token = f"<NextToken>{following}</NextToken>" if following < len(rows) else ""
    members = "".join(f"<member>{_activity_xml(row)}</member>" for row in page)
    return _asg._xml(200, "DescribeScalingActivitiesResponse", "<DescribeScalingActivitiesResult>"
                     f"<Activities>{members}</Activities>{token}</DescribeScalingActivitiesResult>")


def _activity_xml(row):
    fields = {**row, "Details": json.dumps(row["Details"])}
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())


def _templated_create(original):
    def create(logical_id, props, stack_name):
        refusal = _refuse_props(props)
        if refusal:
            raise ValueError(refusal)
        name, attributes = original(logical_id, props, stack_name)
        group = _asg._asgs[name]
        fleet.reconcile(group, _limits(group, "a user request created an AutoScalingGroup"))
        return name, attributes

    return create


def _templated_update(original):
    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        refusal = _refuse_props(new_props)
        if refusal:
            raise ValueError(refusal)
        with fleet.lock:
            group = _asg._asgs.get(physical_id)
            if group is not None and "DesiredCapacity" not in new_props:
                # CloudFormation leaves the desired capacity alone when the template does not state it.
                kept = min(max(group["DesiredCapacity"], int(new_props["MinSize"])), int(new_props["MaxSize"]))
                new_props = {**new_props, "DesiredCapacity": kept}
            name, attributes = original(physical_id, old_props, new_props, stack_name, logical_id)
            group = _asg._asgs[name]
            fleet.reconcile(group, _limits(group, "a user request updated an AutoScalingGroup"))
            return name, attributes

    return update


def _refuse_props(props):
    try:
        minimum, maximum = int(props["MinSize"]), int(props["MaxSize"])
        desired = int(props["DesiredCapacity"]) if "DesiredCapacity" in props else None
    except (KeyError, ValueError) as error:
        return f"AWS::AutoScaling::AutoScalingGroup: MinSize, MaxSize or DesiredCapacity is missing or wrong: {error}"
    return refuse_size(minimum, maximum, desired)
