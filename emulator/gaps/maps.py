"""Step Functions: the JSONata form of a DISTRIBUTED Map, with a reader of items, with batching, with Succeed states that have an Output, as wide as the machine; executions start without a pause."""

import copy
import os

from . import patching

_sfn = patching.module("services.stepfunctions")

# The emulator sleeps this long before the first state of every execution; AWS does not.
START_PAUSE_SECONDS = 0.15


# Each item that runs at the same time has a Node process of its own, with whatever its function loads.
ITEMS_AT_ONCE_MAX = max(2, os.cpu_count() or 1)


def install():
    patching.require(_sfn, "time", "_read_map_items", "_jsonata_state_field", "_apply_jsonata_template",
                     "_apply_jsonata_output", "_apply_state_assign", "_state_query_language")
    _sfn.time = _WithoutStartPause(_sfn.time)
    patching.wrap(_sfn, "_run_distributed_map", _jsonata)


class _WithoutStartPause:
    def __init__(self, original):
        self._original = original

    def __getattr__(self, name):
        return getattr(self._original, name)

    def sleep(self, seconds):
        if seconds != START_PAUSE_SECONDS:
            self._original.sleep(seconds)


def _jsonata(original):
    def run(state_def, raw_input, effective, iterator, execution, ctx):
        if _sfn._state_query_language(state_def, ctx) != "JSONata":
            return original(state_def, raw_input, effective, iterator, execution, ctx)
        inputs = _child_inputs(state_def, _items(state_def, raw_input, ctx), raw_input, ctx)
        plain = {name: value for name, value in state_def.items()
                 if name in ("Type", "Label", "Next", "End", "QueryLanguage")}
        for name in ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"):
            if name in state_def:
                plain[name] = _number(state_def, name, raw_input, ctx)
        plain["MaxConcurrency"] = min(plain.get("MaxConcurrency") or ITEMS_AT_ONCE_MAX, ITEMS_AT_ONCE_MAX)
        results, following = original(plain, raw_input, inputs, _with_outputs(iterator), execution, ctx)
        output = _sfn._apply_jsonata_output(state_def, raw_input, ctx, result=results, default=results)
        _sfn._apply_state_assign(state_def, raw_input, ctx, result=results)
        return output, following

    return run


def _with_outputs(iterator):
    """The emulator's item executions do not read the Output of a Succeed state; of a last Pass state they do."""
    states = {name: {**state, "Type": "Pass", "End": True} if state.get("Type") == "Succeed" and "Output" in state else state
              for name, state in iterator.get("States", {}).items()}
    return {**iterator, "States": states}


def _items(state_def, raw_input, ctx):
    reader = state_def.get("ItemReader")
    if reader:
        arguments = _sfn._apply_jsonata_template(reader.get("Arguments") or {}, raw_input, ctx)
        return _sfn._read_map_items({**reader, "Arguments": arguments}, raw_input, ctx)
    items = _sfn._jsonata_state_field(state_def, "Items", "array", raw_input, ctx) if "Items" in state_def else raw_input
    if not isinstance(items, list):
        raise _sfn._ExecutionError("States.QueryEvaluationError", "The Items of the Map are not an array")
    return items


def _child_inputs(state_def, items, raw_input, ctx):
    selector = state_def.get("ItemSelector")
    inputs = items
    if selector is not None:
        inputs = []
        for index, item in enumerate(items):
            item_ctx = copy.deepcopy(ctx)
            item_ctx["Map"] = {"Item": {"Index": index, "Value": item}}
            inputs.append(_sfn._apply_jsonata_template(selector, raw_input, item_ctx))
    batcher = state_def.get("ItemBatcher")
    if not batcher:
        return inputs
    size = int(batcher.get("MaxItemsPerBatch") or len(inputs) or 1)
    shared = {"BatchInput": _sfn._apply_jsonata_template(batcher["BatchInput"], raw_input, ctx)} \
        if "BatchInput" in batcher else {}
    return [{**shared, "Items": inputs[at:at + size]} for at in range(0, len(inputs), size)]


def _number(state_def, name, raw_input, ctx):
    value = state_def[name]
    return _sfn._jsonata_state_field(state_def, name, "number", raw_input, ctx) if isinstance(value, str) else value
