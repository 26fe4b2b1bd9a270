"""IAM: TLS-only policies, principals of role sessions, tags of Auto Scaling groups, REST APIs called from another account."""

import json

from . import patching

_app = patching.module("app")
_evaluator = patching.module("core.iam_evaluator")
_actions = patching.module("core.iam_actions")
_responses = patching.module("core.responses")
_autoscaling = patching.module("services.autoscaling")
_iam = patching.module("services.iam")
_rest = patching.module("services.apigateway_v1")


def install():
    patching.require(_app, "AUTH")
    patching.require(_evaluator, "EvalContext", "evaluate", "evaluate_resource_policy", "_gather_role_policies")
    patching.require(_iam, "_roles")
    patching.wrap(_evaluator, "_resolve_condition_key", _assuming_tls)
    patching.wrap(_evaluator, "_resolve_condition_key", _naming_the_role)
    patching.wrap(_actions, "extract_resource_arn", _naming_groups)
    patching.wrap(_actions, "extract_resource_arn", _naming_schedule_groups)
    patching.wrap(_evaluator, "enforce", _with_group_tags)
    patching.wrap(_rest, "find_api_scope", _across_accounts)
    patching.wrap(_app, "_enforce_data_plane", _on_the_owners_arn)
    patching.wrap(_evaluator, "resolve_caller_identity", _of_any_account)


def enforced():
    return _app.AUTH


def role_may(role_arn, action, resource_arn):
    """Whether the identity policies of a role, of whatever account, allow the action."""
    parts = (role_arn or "").split(":")
    if len(parts) < 6:
        return False
    account, name = parts[4], parts[5].rsplit("/", 1)[-1]
    policies = _evaluator._gather_role_policies(name, account)
    context = _evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/emulator", principal_type="AssumedRole",
        principal_account=account, action=action, resource_arn=resource_arn, region=_responses.get_region())
    return _evaluator.evaluate(context, policies).decision == "Allow"


def policy_admits(policy, caller_arn, action, resource_arn, keys=None):
    """Whether a resource policy allows a caller of another account; `keys` are condition keys of the service."""
    if not policy:
        return False
    context = _evaluator.EvalContext(
        principal_arn=caller_arn, principal_type="Root", principal_account=caller_arn.split(":")[4],
        action=action, resource_arn=resource_arn, region=_responses.get_region(), service_context=keys or {})
    return _evaluator.evaluate_resource_policy(policy, context).decision == "Allow"


def service_may(service, policy, action, resource_arn, source_arn):
    """Whether a resource policy lets an AWS service act for the resource `source_arn`."""
    account = _responses.get_account_id()
    context = _evaluator.EvalContext(
        principal_arn=service, principal_type="Service", principal_account=account, action=action,
        resource_arn=resource_arn, region=_responses.get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": account})
    return _evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow"


def _assuming_tls(original):
    """Plain HTTP on loopback stands for TLS, so that TLS-only policies can be deployed unchanged."""

    def resolve(key, context):
        return "true" if key.lower() == "aws:securetransport" else original(key, context)

    return resolve


def _naming_the_role(original):
    """`aws:PrincipalArn` of a role's session is the ARN of the role, not of the session."""

    def resolve(key, context):
        value = original(key, context)
        parts = str(value).split(":")
        if key.lower() != "aws:principalarn" or len(parts) < 6 or not parts[5].startswith("assumed-role/"):
            return value
        name = parts[5].split("/")[1]
        # Only the role itself knows its path.
        role = _iam._roles.get_scoped(parts[4], None, name) or {}
        return role.get("Arn") or f"arn:{parts[1]}:iam::{parts[4]}:role/{name}"

    return resolve


def _naming_groups(original):
    def extract(service, method, path, headers, body, query_params, region, account_id):
        arn = original(service, method, path, headers, body, query_params, region, account_id)
        if service != "autoscaling":
            return arn
        if _param(query_params, "Action").startswith("Describe"):
            # AWS knows no resources for these: a policy that names a group does not cover them.
            return "*"
        name = _param(query_params, "AutoScalingGroupName") or _param(query_params, "Tags.member.1.ResourceId")
        group = _autoscaling._asgs.get_scoped(account_id, region, name) if name else None
        return group["AutoScalingGroupARN"] if group else arn

    return extract


def _naming_schedule_groups(original):
    """A schedule's ARN names the group that it is in."""

    def extract(service, method, path, headers, body, query_params, region, account_id):
        arn = original(service, method, path, headers, body, query_params, region, account_id)
        if service != "scheduler" or ":schedule/default/" not in arn:
            return arn
        try:
            group = _param(query_params, "groupName") or json.loads(body or b"{}").get("GroupName")
        except ValueError:
            group = None
        return arn.replace(":schedule/default/", f":schedule/{group or 'default'}/")

    return extract


def _param(params, key):
    value = params.get(key, "")
    return value[0] if isinstance(value, list) else value


def _with_group_tags(original):
    def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        if service == "autoscaling":
            keys = {}
            for tag in _tags_of(resource_arn):
                keys[f"aws:ResourceTag/{tag['Key']}"] = tag["Value"]
                keys[f"autoscaling:ResourceTag/{tag['Key']}"] = tag["Value"]
            service_context = {**keys, **(service_context or {})}
        return original(access_key_id, iam_action, service, region, resource_arn=resource_arn,
                        service_context=service_context)

    return enforce


def _tags_of(arn):
    parts = arn.split(":")
    if len(parts) < 6 or "autoScalingGroupName/" not in arn:
        return []
    name = arn.split("autoScalingGroupName/", 1)[1]
    return _autoscaling._tags.get_scoped(parts[4], parts[3], name) or []


def _across_accounts(original):
    def find(api_id):
        scope = original(api_id)
        if scope is not None:
            return scope
        for (account, region, stored_id), _ in _rest._rest_apis.all_items():
            if stored_id == api_id:
                return account, region
        return None

    return find


def _on_the_owners_arn(original):
    """The caller stays who it is; what it calls belongs to the account that owns the API."""

    def enforce(service, iam_action, headers, query_params, request_id, resource_arn="*", **named):
        parts = resource_arn.split(":", 5)
        if service == "apigateway" and len(parts) == 6 and parts[2] == "execute-api":
            scope = _rest.find_api_scope(parts[5].split("/", 1)[0])
            if scope is not None:
                resource_arn = ":".join([*parts[:3], scope[1], scope[0], parts[5]])
        return original(service, iam_action, headers, query_params, request_id, resource_arn=resource_arn, **named)

    return enforce


def _of_any_account(original):
    """The event of a proxied call names the caller's account, not the API owner's."""

    def resolve(access_key_id):
        account = _account_of(access_key_id)
        if account is None:
            return original(access_key_id)
        with _responses.request_scope(account, _responses.get_region()):
            return original(access_key_id)

    return resolve


def _account_of(access_key_id):
    if not access_key_id:
        return None
    if len(access_key_id) == 12 and access_key_id.isdigit():
        return access_key_id
    try:
        return _responses._account_from_sts_session(access_key_id) \
            or _evaluator.find_iam_access_key_account(access_key_id)
    except ValueError:
        return None
