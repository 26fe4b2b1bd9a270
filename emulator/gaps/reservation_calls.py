"""The EC2 calls on Capacity Reservations: AWS's checks, errors and answers."""

import json

from . import patching, reservations, shares
from .service_models import Refused, read_query, require_operations, write_xml

_ec2 = patching.module("services.ec2")
_responses = patching.module("core.responses")

INTERRUPTIBLE_COUNT_MAX = 1_000
# (account, region, action, client token) -> (the request without its token, its answer)
_answered = {}


def install():
    patching.require(_ec2, "_ACTION_MAP", "_error", "_xml", "_az_id_for_zone_name", "_zone_name_for_az_id")
    missing = require_operations("ec2", _CALLS)
    if missing:
        raise patching.IncompatibleEmulator(f"botocore's model of EC2 lacks {missing[0]}")
    for action, call in _CALLS.items():
        _ec2._ACTION_MAP[action] = _answering(action, call)
    for action, change in (("CreateTags", _tagged), ("DeleteTags", _untagged)):
        patching.wrap_entry(_ec2._ACTION_MAP, action, "_ACTION_MAP", _tagging(action, change))
    reservations.start()


def _answering(action, call):
    def answer(params):
        try:
            asked = read_query("ec2", action, params)
            if asked.pop("DryRun", False):
                raise Refused("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
            with reservations.lock:
                return write_xml("ec2", action, _once(action, asked, call), _responses.new_uuid())
        except Refused as refused:
            return _ec2._error(refused.code, _ec2._esc(refused.message), refused.status)

    return answer


def _once(action, asked, call):
    """A repeated client token gets the first answer again, and nothing is done twice."""
    token = asked.pop("ClientToken", None)
    if token is None:
        return call(asked)
    key = (_responses.get_account_id(), _responses.get_region(), action, token)
    request = json.dumps(asked, sort_keys=True, default=str)
    if key in _answered:
        earlier, answer = _answered[key]
        if earlier != request:
            raise Refused("IdempotentParameterMismatch", f"The client token {token} was used with other parameters.")
        return answer
    answer = call(asked)
    _answered[key] = (request, answer)
    return answer


def _tagging(action, change):
    """Tags of reservations stand in their records; those of everything else are MiniStack's."""

    def wrapping(original):
        def answer(params):
            named = [value[0] if isinstance(value, list) else value for key, value in params.items()
                     if key.startswith("ResourceId.")]
            if not any(name.startswith("cr-") for name in named):
                return original(params)
            try:
                asked = read_query("ec2", action, params)
                with reservations.lock:
                    for record in [_owned(name, _TAGGABLE) for name in asked["Resources"]]:
                        record["Tags"] = change(record["Tags"], asked.get("Tags", []))
                # botocore's model gives these two no output at all.
                return _ec2._xml(200, f"{action}Response", "<return>true</return>")
            except Refused as refused:
                return _ec2._error(refused.code, _ec2._esc(refused.message), refused.status)

        return answer

    return wrapping


_TAGGABLE = ("active", "cancelled", "expired")


def _tagged(tags, more):
    given = {tag["Key"]: tag.get("Value", "") for tag in more}
    kept = [tag for tag in tags if tag["Key"] not in given]
    return kept + [{"Key": key, "Value": value} for key, value in given.items()]


def _untagged(tags, gone):
    """A tag goes when its key is named, and its value too where one is given; all of them when none is named."""
    return [tag for tag in tags if gone and not any(
        one["Key"] == tag["Key"] and one.get("Value", tag["Value"]) == tag["Value"] for one in gone)]


def _owned(reservation_id, states=("active",)):
    """A reservation of the caller in one of these states."""
    if not reservation_id.startswith("cr-"):
        raise Refused("InvalidCapacityReservationId.Malformed", f"Invalid id: \"{reservation_id}\"")
    record = reservations.find(reservation_id)
    scope = (_responses.get_account_id(), _responses.get_region())
    if record is None or (record["OwnerId"], record["_region"]) != scope:
        raise Refused("InvalidCapacityReservationId.NotFound",
                      f"The capacity reservation ID '{reservation_id}' does not exist")
    if record["State"] not in states:
        raise Refused("InvalidCapacityReservationState", f"The capacity reservation '{reservation_id}' is "
                      f"{record['State']}; it must be {' or '.join(states)}")
    return record


def _described(record, own):
    """What DescribeCapacityReservations says of a reservation; tags and allocations are for its owner."""
    hidden = () if own else ("Tags", "InterruptibleCapacityAllocation", "InterruptionInfo")
    shown = {name: value for name, value in record.items() if not name.startswith("_") and name not in hidden}
    return {**shown, "AvailableInstanceCount": reservations.available(record)}


def _tags_in(asked):
    found = [tag for specification in asked.get("TagSpecifications", []) for tag in specification.get("Tags", [])]
    for specification in asked.get("TagSpecifications", []):
        if specification.get("ResourceType") != "capacity-reservation":
            raise Refused("InvalidParameterValue", f"'{specification.get('ResourceType')}' is not a valid taggable "
                          "resource type for this operation.")
    return [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in found]


def _at_least_one(count, name="InstanceCount"):
    if count < 1:
        raise Refused("InvalidParameterValue", f"Value ({count}) for parameter {name} is invalid. It must be at least 1.")


def _create(asked):
    _at_least_one(asked["InstanceCount"])
    name, zone_id = reservations.zone_of(asked.get("AvailabilityZone"), asked.get("AvailabilityZoneId"))
    limited = asked.get("EndDateType") == "limited"
    if limited != ("EndDate" in asked):
        raise Refused("InvalidParameterCombination", "EndDate must be given with EndDateType limited, and only then")
    record = reservations.create({
        "InstanceType": asked["InstanceType"], "InstancePlatform": asked["InstancePlatform"],
        "AvailabilityZone": name, "AvailabilityZoneId": zone_id, "Tenancy": asked.get("Tenancy", "default"),
        "TotalInstanceCount": asked["InstanceCount"], "EbsOptimized": asked.get("EbsOptimized", False),
        "InstanceMatchCriteria": asked.get("InstanceMatchCriteria", "open"),
        **({"EndDateType": "limited", "EndDate": asked["EndDate"]} if limited else {})}, _tags_in(asked))
    return {"CapacityReservation": _described(record, True)}


def _describe(asked):
    wanted = asked.get("CapacityReservationIds", [])
    account, region = _responses.get_account_id(), _responses.get_region()
    shared = shares.shared_with(account)
    seen = [record for record in reservations.all_records() if record["_region"] == region
            and (record["OwnerId"] == account or record["CapacityReservationArn"] in shared)]
    for reservation_id in wanted:
        if all(record["CapacityReservationId"] != reservation_id for record in seen):
            raise Refused("InvalidCapacityReservationId.NotFound",
                          f"The capacity reservation ID '{reservation_id}' does not exist")
    rows = [_described(record, record["OwnerId"] == account) for record in seen
            if not wanted or record["CapacityReservationId"] in wanted]
    rows = [row for row in rows if all(_matches(row, one) for one in asked.get("Filters", []))]
    size = asked.get("MaxResults", 1_000)
    first = int(asked.get("NextToken", 0))
    more = {"NextToken": str(first + size)} if first + size < len(rows) else {}
    return {"CapacityReservations": rows[first:first + size], **more}


_FILTERS = {
    "instance-type": "InstanceType", "owner-id": "OwnerId", "instance-platform": "InstancePlatform",
    "availability-zone": "AvailabilityZone", "availability-zone-id": "AvailabilityZoneId", "tenancy": "Tenancy",
    "state": "State", "end-date-type": "EndDateType", "instance-match-criteria": "InstanceMatchCriteria",
}


def _matches(row, one):
    name, values = one.get("Name", ""), one.get("Values", [])
    if name.startswith("tag:"):
        return any(f"tag:{tag['Key']}" == name and tag["Value"] in values for tag in row.get("Tags", []))
    if name == "tag-key":
        return any(tag["Key"] in values for tag in row.get("Tags", []))
    if name not in _FILTERS:
        raise Refused("InvalidParameterValue", f"The filter '{name}' is invalid")
    return row[_FILTERS[name]] in values


def _modify(asked):
    record = _owned(asked["CapacityReservationId"])
    if record.get("Interruptible"):
        raise Refused("InvalidParameterValue", "An interruptible Capacity Reservation is changed through its source")
    kind = asked.get("EndDateType", record["EndDateType"])
    if (kind == "limited") != ("EndDate" in asked or (kind == "limited" and "EndDate" in record)):
        raise Refused("InvalidParameterCombination", "EndDate must be given with EndDateType limited, and only then")
    if kind == "limited" and reservations.allocation_of(record):
        raise Refused("InvalidParameterValue", "A reservation with an interruptible allocation cannot have an end date")
    if "InstanceCount" in asked:
        _at_least_one(asked["InstanceCount"])
        used = record["TotalInstanceCount"] - reservations.available(record)
        if asked["InstanceCount"] < used:
            raise Refused("InvalidParameterValue", f"{used} instances run in the reservation; it cannot be smaller")
        record["TotalInstanceCount"] = asked["InstanceCount"]
    record["EndDateType"] = kind
    if kind == "unlimited":
        record.pop("EndDate", None)
    elif "EndDate" in asked:
        record["EndDate"] = asked["EndDate"]
    record["InstanceMatchCriteria"] = asked.get("InstanceMatchCriteria", record["InstanceMatchCriteria"])
    return {"Return": True}


def _cancel(asked):
    record = _owned(asked["CapacityReservationId"])
    if record.get("Interruptible"):
        raise Refused("InvalidParameterValue", "An interruptible Capacity Reservation is cancelled by lowering its "
                      "allocation to 0")
    allocation = reservations.allocation_of(record)
    if allocation and (allocation["InstanceCount"] or allocation["TargetInstanceCount"]):
        raise Refused("InvalidCapacityReservationState", "The reservation has an interruptible allocation: reclaim it first")
    reservations.cancel(record)
    return {"Return": True}


def _must_have(record, count):
    available = reservations.available(record)
    if count > available:
        raise Refused("ReservationCapacityExceeded", f"The Capacity Reservation {record['CapacityReservationId']} has "
                      f"{available} unused instances; {count} were asked for")


def _split(asked):
    source, count = _owned(asked["SourceCapacityReservationId"]), asked["InstanceCount"]
    _at_least_one(count)
    if source.get("Interruptible"):
        raise Refused("InvalidParameterValue", "An interruptible Capacity Reservation cannot be split")
    _must_have(source, count)
    if count >= source["TotalInstanceCount"]:
        raise Refused("InvalidParameterValue", f"At least one instance must stay in {source['CapacityReservationId']}")
    tags = _tags_in(asked)
    copied = ("InstanceType", "InstancePlatform", "AvailabilityZone", "AvailabilityZoneId", "Tenancy", "EbsOptimized",
              "EndDateType", "EndDate", "InstanceMatchCriteria")
    source["TotalInstanceCount"] -= count
    made = reservations.create({**{name: source[name] for name in copied if name in source},
                                "TotalInstanceCount": count}, tags)
    return {"SourceCapacityReservation": _described(source, True),
            "DestinationCapacityReservation": _described(made, True), "InstanceCount": count}


def _move(asked):
    source = _owned(asked["SourceCapacityReservationId"])
    destination = _owned(asked["DestinationCapacityReservationId"])
    count = asked["InstanceCount"]
    _at_least_one(count)
    if source.get("Interruptible") or destination.get("Interruptible"):
        raise Refused("InvalidParameterValue", "Capacity of an interruptible Capacity Reservation cannot be moved")
    if source is destination or not reservations.same_place(source, destination):
        raise Refused("InvalidParameterValue", "Source and destination must be two reservations of the same instance "
                      "type, platform, Availability Zone, tenancy and end time")
    _must_have(source, count)
    source["TotalInstanceCount"] -= count
    destination["TotalInstanceCount"] += count
    if source["TotalInstanceCount"] == 0 and not reservations.allocation_of(source):
        reservations.cancel(source)
    return {"SourceCapacityReservation": _described(source, True),
            "DestinationCapacityReservation": _described(destination, True), "InstanceCount": count}


def _at_most(count):
    if count > INTERRUPTIBLE_COUNT_MAX:
        raise Refused("InvalidParameterValue", f"An interruptible allocation has {INTERRUPTIBLE_COUNT_MAX} instances "
                      f"at most; {count} were asked for")


def _allocate(asked):
    source, count = _owned(asked["CapacityReservationId"]), asked["InstanceCount"]
    _at_least_one(count)
    _at_most(count)
    if source.get("Interruptible"):
        raise Refused("InvalidParameterValue", "An interruptible Capacity Reservation cannot be allocated again")
    if source["EndDateType"] != "unlimited":
        raise Refused("InvalidParameterValue", "The source Capacity Reservation must have no end date")
    if reservations.allocation_of(source):
        raise Refused("InvalidCapacityReservationState", "The source Capacity Reservation has an interruptible "
                      "allocation already: one at most")
    _must_have(source, count)
    reservations.allocate(source, count, _tags_in(asked), asked.get("ZeroSizePreference", "default"))
    return {"SourceCapacityReservationId": source["CapacityReservationId"], "TargetInstanceCount": count,
            "Status": "pending", "InterruptionType": "adhoc"}


def _reallocate(asked):
    source, count = _owned(asked["CapacityReservationId"]), asked["TargetInstanceCount"]
    allocation = reservations.allocation_of(source)
    if count < 0:
        raise Refused("InvalidParameterValue", f"Value ({count}) for parameter TargetInstanceCount is invalid.")
    _at_most(count)
    if allocation is None or allocation["Status"] == "pending":
        raise Refused("InvalidCapacityReservationState", "The reservation has no interruptible allocation to change")
    _must_have(source, max(count - allocation["InstanceCount"], 0))
    reservations.reallocate(source, count, asked.get("ZeroSizePreference"))
    shown = {name: value for name, value in allocation.items() if name != "ZeroSizePreference"}
    return {**shown, "SourceCapacityReservationId": source["CapacityReservationId"]}


_CALLS = {
    "CreateCapacityReservation": _create,
    "DescribeCapacityReservations": _describe,
    "ModifyCapacityReservation": _modify,
    "CancelCapacityReservation": _cancel,
    "CreateCapacityReservationBySplitting": _split,
    "MoveCapacityReservationInstances": _move,
    "CreateInterruptibleCapacityReservationAllocation": _allocate,
    "UpdateInterruptibleCapacityReservationAllocation": _reallocate,
}
