"""Where the instances of an Auto Scaling group are launched: its mixed instances policy and its Capacity Reservations."""

from . import fleet, patching, reservations, shares
from .service_models import read_part, xml_of

_asg = patching.module("services.autoscaling")
_ec2 = patching.module("services.ec2")
_groups = patching.module("services.resource_groups")
_provisioners = patching.module("services.cloudformation.provisioners")
_responses = patching.module("core.responses")

_MEMBERS = ("MixedInstancesPolicy", "CapacityReservationSpecification")
_INTERRUPTIBLE = "interruptible-capacity-reservation"


def install():
    patching.require(_asg, "_ACTION_MAP", "_asgs")
    patching.require(_groups, "_group_members", "_resolve_name")
    table = _asg._ACTION_MAP
    patching.wrap_entry(table, "CreateAutoScalingGroup", "_ACTION_MAP", _keeping)
    patching.wrap_entry(table, "UpdateAutoScalingGroup", "_ACTION_MAP", _keeping)
    patching.wrap_entry(table, "DescribeAutoScalingGroups", "_ACTION_MAP", _showing)
    patching.wrap(_provisioners, "_asg_fields", _from_template)
    fleet.choose_place = choose_place


def _keeping(original):
    """Auto Scaling's members that MiniStack drops are kept before the group launches its first instance."""

    def call(params):
        given = {name: found for name in _MEMBERS
                 if (found := read_part("autoscaling", "CreateAutoScalingGroup", name, params)) is not None}
        refusal = _refuse_policy(given.get("MixedInstancesPolicy"))
        if refusal:
            return _asg._error("ValidationError", refusal)
        name = _asg._p(params, "AutoScalingGroupName")
        with fleet.lock:
            _given[(_responses.get_account_id(), _responses.get_region(), name)] = given
            if name in _asg._asgs:
                _asg._asgs[name].update(given)
            answer = original(params)
            _given.pop((_responses.get_account_id(), _responses.get_region(), name), None)
            if answer[0] == 200 and name in _asg._asgs:
                _asg._asgs[name].update(given)
            return answer

    return call


# What the group of a call that is being answered was given: CreateAutoScalingGroup launches before it returns.
_given = {}


def _refuse_policy(policy):
    if policy is None:
        return None
    if not policy.get("LaunchTemplate", {}).get("LaunchTemplateSpecification"):
        return "You must use a valid fully-formed launch template. The mixed instances policy has none."
    for segment in policy.get("InstancesDistribution", {}).get("DistributionSegments", []):
        if not segment.get("TargetCapacityTypes"):
            return "A distribution segment must have at least one target capacity type."
    return None


def _showing(original):
    def describe(params):
        status, headers, body = original(params)
        text = body.decode()
        for group in list(_asg._asgs.values()):
            shown = "".join(f"<{name}>{xml_of('autoscaling', name, group[name])}</{name}>"
                            for name in _MEMBERS if group.get(name))
            arn = f"<AutoScalingGroupARN>{group['AutoScalingGroupARN']}</AutoScalingGroupARN>"
            if shown:
                text = text.replace(arn, arn + shown)
        return status, headers, text.encode()

    return describe


def _from_template(original):
    """A template's members are named as the API's, but for the launch template's `Overrides`, which are named alike too."""

    def fields(props):
        return {**original(props), **{name: props[name] for name in _MEMBERS if name in props}}

    return fields


def _member(group, name):
    given = _given.get((_responses.get_account_id(), _responses.get_region(), group["AutoScalingGroupName"]), {})
    return given.get(name) or group.get(name) or {}


def choose_place(group, zone):
    """Where the group's next instance goes: (zone, reservation id or None), or the error its launch fails with."""
    types, tenancy, market = _launched(group)
    segments = _member(group, "MixedInstancesPolicy").get("InstancesDistribution", {}).get("DistributionSegments", [])
    wanted = _member(group, "CapacityReservationSpecification")
    preference = wanted.get("CapacityReservationPreference", "default")
    target = wanted.get("CapacityReservationTarget", {})
    targeted = [*target.get("CapacityReservationIds", []),
                *(member for arn in target.get("CapacityReservationResourceGroupArns", []) for member in _members_of(arn))]
    zones = [zone, *(each for each in group["AvailabilityZones"] if each != zone)]
    fits = [record for record in _usable(types, tenancy, zones) if preference != "none"]
    order = [kind for segment in segments for kind in segment["TargetCapacityTypes"]] or _kinds(preference, market)
    for kind in order:
        if kind == "on-demand":
            return (zone, None), None
        found = next((record for record in fits if _is_of(record, kind, targeted)), None)
        if found:
            return (found["AvailabilityZone"], found["CapacityReservationId"]), None
    return None, "InsufficientInstanceCapacity" if segments else "ReservationCapacityExceeded"


def _kinds(preference, market):
    if market == _INTERRUPTIBLE:
        return [_INTERRUPTIBLE]
    if preference == "capacity-reservations-only":
        return ["on-demand-capacity-reservation"]
    return ["on-demand-capacity-reservation", "on-demand"]


def _is_of(record, kind, targeted):
    if (kind == _INTERRUPTIBLE) != bool(record.get("Interruptible")):
        return False
    named = record["CapacityReservationId"] in targeted or record["CapacityReservationArn"] in targeted
    # An interruptible reservation is never used unless it is named; an open one of the account's own always may be.
    return named or (kind == "on-demand-capacity-reservation" and not targeted
                     and record["InstanceMatchCriteria"] == "open" and record["OwnerId"] == _responses.get_account_id())


def _usable(types, tenancy, zones):
    """Reservations, own or shared, that such an instance fits into, in the order of the group's zones."""
    account, region = _responses.get_account_id(), _responses.get_region()
    shared = shares.shared_with(account)
    ids = [_ec2._az_id_for_zone_name(zone) for zone in zones]
    found = [record for record in reservations.all_records()
             if record["_region"] == region and record["AvailabilityZoneId"] in ids
             and record["InstanceType"] in types and record["Tenancy"] == tenancy
             and record["InstancePlatform"] == "Linux/UNIX"
             and (record["OwnerId"] == account or record["CapacityReservationArn"] in shared)
             and reservations.available(record) > 0]
    return sorted(found, key=lambda record: ids.index(record["AvailabilityZoneId"]))


def _launched(group):
    """The instance types, the tenancy and the market of what the group launches."""
    template = _member(group, "MixedInstancesPolicy").get("LaunchTemplate", {})
    specification = template.get("LaunchTemplateSpecification") or group.get("LaunchTemplate") or {}
    data = _template_data(specification)
    types = [one["InstanceType"] for one in template.get("Overrides", []) if one.get("InstanceType")]
    if not types and data.get("InstanceType"):
        types = [data["InstanceType"]]
    return types, data.get("Placement", {}).get("Tenancy", "default"), \
        data.get("InstanceMarketOptions", {}).get("MarketType")


def _template_data(specification):
    ids = (specification.get("LaunchTemplateId"), specification.get("LaunchTemplateName"))
    for template in _ec2._launch_templates.values():
        if template["LaunchTemplateId"] in ids or template["LaunchTemplateName"] in ids:
            wanted = str(specification.get("Version") or "$Default")
            number = {"$Default": template["DefaultVersionNumber"], "$Latest": template["LatestVersionNumber"]}.get(wanted, wanted)
            for version in template["Versions"]:
                if str(version["VersionNumber"]) == str(number):
                    return version.get("LaunchTemplateData", {})
    return {}


def _members_of(group_arn):
    """ARNs in a resource group of the caller."""
    return list(_groups._group_members.get(_groups._resolve_name(group=group_arn)) or [])
