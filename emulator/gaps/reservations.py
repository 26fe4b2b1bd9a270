"""EC2 Capacity Reservations: what is reserved, by whom it is used, and how an interruptible part comes back.

A reservation belongs to one account for ever. An interruptible allocation moves unused instances of a source reservation
into a reservation of its own, which may be shared; lowering the allocation warns the instances in it, ends them when the
warning is over, and moves the capacity back to the source.
"""

import json
import secrets
import threading
import time

from . import fleet, patching
from .service_models import Refused, this_second

TICK_SECONDS = 0.1

_asg = patching.module("services.autoscaling")
_ec2 = patching.module("services.ec2")
_events = patching.module("services.eventbridge")
_responses = patching.module("core.responses")

lock = fleet.lock
# reservation id -> record: the members of EC2's CapacityReservation, and "_region"
_records = {}
# source reservation id -> what its allocation is about to become
_changes = {}
# AWS warns two minutes before it ends an instance, and takes a moment to make or change an allocation.
timing = {"settleSeconds": 0.2, "warningSeconds": 120.0}


def start():
    threading.Thread(target=_tick_forever, daemon=True, name="capacity-reservations").start()


def configure(request):
    """PUT /_entangle/reservations: how long allocations take to settle, and how long instances are warned."""
    chosen = {name: float(request.get(name, timing[name])) for name in timing}
    if min(chosen.values()) < 0:
        raise ValueError("settleSeconds and warningSeconds must be 0 or more")
    timing.update(chosen)


def arn_of(record):
    return f"arn:aws:ec2:{record['_region']}:{record['OwnerId']}:capacity-reservation/{record['CapacityReservationId']}"


def find(reservation_id):
    return _records.get(reservation_id)


def all_records():
    return list(_records.values())


def users_of(reservation_id):
    """The instances that run in a reservation: (account, region, group, instance)."""
    return [(account, region, group, instance)
            for (account, region, _), group in _asg._asgs.all_items()
            for instance in group["Instances"] if instance.get("_reservationId") == reservation_id]


def available(record):
    """Instances of the reservation that nobody uses."""
    if record["State"] != "active":
        return 0
    total = record["TotalInstanceCount"]
    if record.get("Interruptible"):
        # What is being reclaimed is not launched into again while it empties.
        source = _records[record["InterruptionInfo"]["SourceCapacityReservationId"]]
        total = min(total, source["InterruptibleCapacityAllocation"]["TargetInstanceCount"])
    return max(total - len(users_of(record["CapacityReservationId"])), 0)


def zone_of(name, zone_id):
    """The name and the id of an Availability Zone of which one is given; both must be of the same zone."""
    if not name and not zone_id:
        raise Refused("MissingParameter", "The request must contain the parameter AvailabilityZone or AvailabilityZoneId")
    known = _ec2._zone_name_for_az_id(zone_id) if zone_id else name
    if known is None or (name and known != name) or not known.startswith(_responses.get_region()):
        raise Refused("InvalidParameterValue", f"Invalid availability zone: [{name or zone_id}]")
    return known, _ec2._az_id_for_zone_name(known)


def create(fields, tags):
    """A new active reservation of the caller, with the members that `fields` gives."""
    now = this_second()
    reservation_id = "cr-" + secrets.token_hex(9)[:17]
    record = {
        "CapacityReservationId": reservation_id, "OwnerId": _responses.get_account_id(),
        "_region": _responses.get_region(), "State": "active", "StartDate": now, "CreateDate": now,
        "EndDateType": "unlimited", "EphemeralStorage": False, "EbsOptimized": False, "ReservationType": "default",
        "Tags": tags, **fields}
    record["CapacityReservationArn"] = arn_of(record)
    _records[reservation_id] = record
    return record


def same_place(one, other):
    """What must be the same for capacity to move between two reservations."""
    names = ("OwnerId", "_region", "InstanceType", "InstancePlatform", "AvailabilityZoneId", "Tenancy", "EndDateType")
    return all(one[name] == other[name] for name in names) and one.get("EndDate") == other.get("EndDate")


def cancel(record):
    record["State"] = "cancelled"
    record["TotalInstanceCount"] = 0
    for _, _, _, instance in users_of(record["CapacityReservationId"]):
        # Instances in a cancelled reservation go on, as On-Demand Instances.
        instance.pop("_reservationId")


def allocation_of(source):
    """The allocation of a source that has not been cancelled, or None."""
    allocation = source.get("InterruptibleCapacityAllocation")
    return None if allocation is None or allocation["Status"] in ("canceled", "failed") else allocation


def allocate(source, count, tags, zero_size):
    """Begin an interruptible allocation; it is active, and has a reservation, once it has settled."""
    source["InterruptibleCapacityAllocation"] = {
        "InstanceCount": 0, "TargetInstanceCount": count, "Status": "pending", "InterruptionType": "adhoc",
        "ZeroSizePreference": zero_size}
    _changes[source["CapacityReservationId"]] = {"dueAt": time.time() + timing["settleSeconds"], "tags": tags}


def reallocate(source, count, zero_size):
    """Begin to raise or lower the allocation. Instances that are in the way of lowering it are warned now."""
    allocation = source["InterruptibleCapacityAllocation"]
    allocation.update(TargetInstanceCount=count, Status="updating", **({"ZeroSizePreference": zero_size} if zero_size else {}))
    users = users_of(allocation["InterruptibleCapacityReservationId"])
    surplus = sorted(users, key=lambda user: user[3]["_launchedAt"])[:max(len(users) - count, 0)]
    wait = timing["warningSeconds"] if surplus else timing["settleSeconds"]
    due = time.time() + wait
    for account, region, _, instance in surplus:
        if "_interruptAt" not in instance:
            instance["_interruptAt"] = due
            _warn(account, region, instance, due)
    _changes[source["CapacityReservationId"]] = {"dueAt": time.time() + timing["settleSeconds"]}


def _warn(account, region, instance, due):
    arn = f"arn:aws:ec2:{region}:{account}:instance/{instance['InstanceId']}"
    _publish(account, region, "EC2 Capacity Reservation Instance Interruption Warning", [arn], {
        "instance-id": instance["InstanceId"], "instance-action": "terminate",
        "instance-termination-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due)),
        "azId": _ec2._az_id_for_zone_name(instance["AvailabilityZone"])})


def _publish(account, region, detail_type, arns, detail):
    with _responses.request_scope(account, region):
        _events._put_events({"Entries": [{"Source": "aws.ec2", "DetailType": detail_type, "Resources": arns,
                                          "Detail": json.dumps(detail)}]}, allow_aws_source=True)


def _tick_forever():
    while True:
        time.sleep(TICK_SECONDS)
        try:
            with lock:
                _tick(time.time())
        except Exception:
            _asg.logger.exception("capacity reservations could not be advanced")


def _tick(now):
    for record in all_records():
        if record["State"] == "active" and record.get("EndDate") and record["EndDate"] <= this_second():
            record["State"] = "expired"
    for source_id, change in list(_changes.items()):
        if change["dueAt"] <= now and _settle(_records[source_id], change, now):
            _changes.pop(source_id)


def _settle(source, change, now):
    """One moment of an allocation on its way; whether it has arrived."""
    allocation = source["InterruptibleCapacityAllocation"]
    target = allocation["TargetInstanceCount"]
    if allocation["Status"] == "pending":
        part = _part_of(source, change["tags"], allocation["ZeroSizePreference"])
        allocation["InterruptibleCapacityReservationId"] = part["CapacityReservationId"]
    part = _records[allocation["InterruptibleCapacityReservationId"]]
    # Instances that their own group has ended meanwhile free their place before the warning is over.
    for account, region, group, instance in users_of(part["CapacityReservationId"]):
        if instance.get("_interruptAt", now + 1) <= now and instance["LifecycleState"] != "Terminating":
            with _responses.request_scope(account, region):
                fleet.interrupt(group, instance)
    before = part["TotalInstanceCount"]
    used = len(users_of(part["CapacityReservationId"]))
    after = max(target, used) if target < before else target
    part["TotalInstanceCount"] = allocation["InstanceCount"] = after
    source["TotalInstanceCount"] += before - after
    if after != target:
        return False
    _arrive(source, part, allocation, before - after)
    return True


def _part_of(source, tags, zero_size):
    copied = ("InstanceType", "InstancePlatform", "AvailabilityZone", "AvailabilityZoneId", "Tenancy", "EbsOptimized")
    with _responses.request_scope(source["OwnerId"], source["_region"]):
        return create({
            **{name: source[name] for name in copied}, "TotalInstanceCount": 0, "InstanceMatchCriteria": "targeted",
            "Interruptible": True, "ZeroSizePreference": zero_size,
            "InterruptionInfo": {"SourceCapacityReservationId": source["CapacityReservationId"],
                                 "InterruptionType": "adhoc"}}, tags)


def _arrive(source, part, allocation, reclaimed):
    ended = allocation["TargetInstanceCount"] == 0 and allocation["ZeroSizePreference"] == "default"
    allocation["Status"] = "canceled" if ended else "active"
    if ended:
        cancel(part)
    if reclaimed > 0:
        _publish(source["OwnerId"], source["_region"],
                 "EC2 Interruptible Capacity Reservation Allocation Reclamation Completed", [arn_of(source)], {
                     "sourceCapacityReservationId": source["CapacityReservationId"],
                     "instanceType": source["InstanceType"], "availabilityZoneId": source["AvailabilityZoneId"],
                     "TotalInstanceCount": source["TotalInstanceCount"], "ReclaimedInstanceCount": reclaimed,
                     "targetInstanceCount": allocation["TargetInstanceCount"]})
