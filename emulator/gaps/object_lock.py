"""S3 Object Lock declared in a template is applied."""

from xml.sax.saxutils import escape

from . import patching

_s3 = patching.module("services.s3")
_provisioners = patching.module("services.cloudformation.provisioners")


def install():
    patching.require(_s3, "_bucket_object_lock", "_bucket_versioning", "_put_object_lock_configuration")
    handlers = _provisioners._RESOURCE_HANDLERS.get("AWS::S3::Bucket")
    if handlers is None:
        raise patching.IncompatibleEmulator("provisioners._RESOURCE_HANDLERS['AWS::S3::Bucket'] is missing")
    patching.wrap_entry(handlers, "create", "AWS::S3::Bucket", _creating)
    patching.wrap_entry(handlers, "update", "AWS::S3::Bucket", _updating)


def _creating(original):
    def create(logical_id, props, stack_name):
        refusal = refuse_lock(props)
        if refusal:
            raise ValueError(refusal)
        result = original(logical_id, props, stack_name)
        _apply(result[0], props)
        return result

    return create


def _updating(original):
    def update(physical_id, old_props, new_props, stack_name):
        refusal = refuse_lock(new_props)
        if refusal:
            raise ValueError(refusal)
        result = original(physical_id, old_props, new_props, stack_name)
        _apply(result[0], new_props)
        return result

    return update


def refuse_lock(props):
    """Why CloudFormation would refuse the bucket's lock, or None."""
    if props.get("ObjectLockConfiguration") and not _true(props.get("ObjectLockEnabled")):
        return "ObjectLockEnabled must be true when ObjectLockConfiguration is given"
    return None


def _true(value):
    return value is True or str(value).lower() == "true"


def _apply(bucket, props):
    if not _true(props.get("ObjectLockEnabled")):
        return
    # As with ObjectLockEnabledForBucket, the lock brings versioning with it.
    _s3._bucket_versioning[bucket] = "Enabled"
    if bucket not in _s3._bucket_object_lock:
        _s3._bucket_object_lock[bucket] = {"enabled": True, "default_retention": None}
    rule = ((props.get("ObjectLockConfiguration") or {}).get("Rule") or {}).get("DefaultRetention")
    if not rule:
        return
    span = "".join(f"<{unit}>{int(rule[unit])}</{unit}>" for unit in ("Days", "Years") if rule.get(unit))
    body = ("<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
            f"<Mode>{escape(str(rule.get('Mode')))}</Mode>{span}</DefaultRetention></Rule></ObjectLockConfiguration>")
    status, _, response = _s3._put_object_lock_configuration(bucket, body.encode())
    if status >= 400:
        raise ValueError(f"AWS::S3::Bucket {bucket}: ObjectLockConfiguration refused: {response!r}")
