"""CloudFormation properties and types the emulator drops: event bus policies, the whole of a schedule."""

import copy
import json

from . import patching, schedules

_events = patching.module("services.eventbridge")
_scheduler = patching.module("services.scheduler")
_provisioners = patching.module("services.cloudformation.provisioners")

_SCHEDULE_FIELDS = ("ActionAfterCompletion", "StartDate", "EndDate", "ScheduleExpressionTimezone", "KmsKeyArn")


def install():
    patching.require(_events, "_event_bus_policies", "_put_permission", "_remove_permission", "_event_buses",
                     "_event_bus_name_from_ref")
    table = _provisioners._RESOURCE_HANDLERS
    bus = _handlers(table, "AWS::Events::EventBus")
    patching.wrap_entry(bus, "create", "AWS::Events::EventBus", _bus_creating)
    patching.wrap_entry(bus, "update", "AWS::Events::EventBus", _bus_updating)
    if "AWS::Events::EventBusPolicy" in table:
        raise patching.IncompatibleEmulator("ministack has AWS::Events::EventBusPolicy of its own now")
    table["AWS::Events::EventBusPolicy"] = {"create": _create_policy, "update": _update_policy,
                                            "delete": _delete_policy}
    schedule = _handlers(table, "AWS::Scheduler::Schedule")
    patching.wrap_entry(schedule, "create", "AWS::Scheduler::Schedule", _schedule_creating)
    patching.wrap_entry(schedule, "update", "AWS::Scheduler::Schedule", _schedule_updating)
    patching.wrap(_events, "_put_permission", _whole_policy)


def _handlers(table, resource_type):
    if resource_type not in table:
        raise patching.IncompatibleEmulator(f"provisioners._RESOURCE_HANDLERS[{resource_type!r}] is missing")
    return table[resource_type]


def _document(policy):
    document = json.loads(policy) if isinstance(policy, str) else copy.deepcopy(policy)
    if isinstance(document.get("Statement"), dict):
        document["Statement"] = [document["Statement"]]
    return document


def _whole_policy(original):
    """PutPermission with a Policy replaces the bus's whole policy."""

    def put(data):
        if not data.get("Policy"):
            return original(data)
        _events._event_bus_policies[data.get("EventBusName", "default")] = _document(data["Policy"])
        return _events.json_response({})

    return put


def _bus_creating(original):
    def create(logical_id, props, stack_name):
        name, attributes = original(logical_id, props, stack_name)
        if props.get("Policy"):
            _events._event_bus_policies[name] = _document(props["Policy"])
        return name, {**attributes, "Policy": props.get("Policy", "")}

    return create


def _bus_updating(original):
    def update(physical_id, old_props, new_props, stack_name):
        name, attributes = original(physical_id, old_props, new_props, stack_name)
        if new_props.get("Policy"):
            _events._event_bus_policies[name] = _document(new_props["Policy"])
        elif old_props.get("Policy"):
            _events._event_bus_policies.pop(name, None)
        return name, attributes

    return update


def _create_policy(logical_id, props, stack_name):
    bus = _bus_of(props)
    if bus not in _events._event_buses and bus != "default":
        raise ValueError(f"AWS::Events::EventBusPolicy {logical_id}: event bus {bus} does not exist")
    statement = props.get("Statement")
    if statement is None:
        _events._put_permission({**{k: props[k] for k in ("StatementId", "Action", "Principal", "Condition")
                                    if k in props}, "EventBusName": bus})
    else:
        policy = _events._event_bus_policies.get(bus) or {"Version": "2012-10-17", "Statement": []}
        others = [one for one in policy["Statement"] if one.get("Sid") != props["StatementId"]]
        statement = {**_document({"Statement": statement})["Statement"][0], "Sid": props["StatementId"]}
        _events._event_bus_policies[bus] = {**policy, "Statement": [*others, statement]}
    return f"{bus}|{props['StatementId']}", {}


def _bus_of(props):
    name, error = _events._event_bus_name_from_ref(props.get("EventBusName") or "default")
    if error:
        raise ValueError(f"AWS::Events::EventBusPolicy EventBusName: {error[1]}")
    return name


def _update_policy(physical_id, old_props, new_props, stack_name):
    _delete_policy(physical_id, old_props)
    return _create_policy(physical_id, new_props, stack_name)


def _delete_policy(physical_id, props):
    bus, _, statement_id = physical_id.partition("|")
    _events._remove_permission({"EventBusName": bus, "StatementId": statement_id})


def _schedule_creating(original):
    def create(logical_id, props, stack_name):
        _refuse_schedule(props)
        name, attributes = original(logical_id, props, stack_name)
        _complete(name, props)
        return name, attributes

    return create


def _schedule_updating(original):
    def update(physical_id, old_props, new_props, stack_name):
        _refuse_schedule(new_props)
        name, attributes = original(physical_id, old_props, new_props, stack_name)
        _complete(name, new_props)
        return name, attributes

    return update


def _refuse_schedule(props):
    refusal = schedules.refuse_schedule(props)
    if refusal:
        raise ValueError(f"AWS::Scheduler::Schedule: {refusal}")


def _complete(name, props):
    schedule = _scheduler._schedules.get(f"{props.get('GroupName', 'default')}/{name}")
    if schedule is None:
        raise ValueError(f"AWS::Scheduler::Schedule {name} was not created")
    schedule.update({field: props[field] for field in _SCHEDULE_FIELDS if field in props})
    schedules.remember_zone(schedule)
