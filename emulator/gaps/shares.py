"""Resource Access Manager, as far as Capacity Reservations are shared with it."""

import json
import secrets

from . import patching
from .service_models import Refused, model_of, read_json, require_operations, this_second, write_json

_app = patching.module("app")
_actions = patching.module("core.iam_actions")
_organizations = patching.module("services.organizations")
_responses = patching.module("core.responses")

# share ARN -> {"share", "resources", "principals", "_region"}; the last two: entity -> association
_shares = {}
_invitations = {}
# Accounts of organisations whose management account has switched sharing on.
_sharing_owners = set()
_answered = {}


def install():
    patching.require(_app, "SERVICE_HANDLERS", "detect_service")
    patching.require(_actions, "SERVICE_TO_IAM_NAMESPACE", "_BOTOCORE_SERVICE_MAP")
    patching.require(_organizations, "_accounts")
    missing = require_operations("ram", _CALLS)
    if missing:
        raise patching.IncompatibleEmulator(f"botocore's model of RAM lacks {missing[0]}")
    _app.SERVICE_HANDLERS["ram"] = _handle
    _actions.SERVICE_TO_IAM_NAMESPACE["ram"] = "ram"
    _actions._BOTOCORE_SERVICE_MAP["ram"] = ["ram"]
    patching.wrap(_app, "detect_service", _detecting)


def shared_with(account):
    """ARNs of the reservations that other accounts share with this one."""
    return {entity for share in _shares.values() if share["share"]["status"] == "ACTIVE"
            and share["principals"].get(account, {}).get("status") == "ASSOCIATED"
            for entity, association in share["resources"].items() if association["status"] == "ASSOCIATED"}


def tags_of(share_arn):
    return _shares[share_arn]["share"].get("tags", []) if share_arn in _shares else []


def _detecting(original):
    def detect(method, path, headers, query_params):
        if "/ram/aws4_request" in headers.get("authorization", ""):
            return "ram"
        return original(method, path, headers, query_params)

    return detect


_ROUTES = {}


def _handler_of(method, path):
    if not _ROUTES:
        for action in _CALLS:
            http = model_of("ram").operation_model(action).http
            _ROUTES[(http["method"], http["requestUri"])] = action
    return _ROUTES.get((method, path))


async def _handle(method, path, headers, body, query_params):
    action = _handler_of(method, path)
    try:
        if action is None:
            raise Refused("InvalidParameterException", f"the emulator's RAM has no {method} {path}")
        asked = read_json("ram", action, body, query_params)
        return write_json("ram", action, _once(action, asked))
    except Refused as refused:
        answer = {"message": refused.message}
        return refused.status, {"Content-Type": "application/json", "x-amzn-errortype": refused.code}, \
            json.dumps(answer).encode()


def _once(action, asked):
    token = asked.pop("clientToken", None)
    if token is None:
        return _CALLS[action](asked)
    key = (_responses.get_account_id(), action, token)
    if key in _answered:
        earlier, answer = _answered[key]
        if earlier != asked:
            raise Refused("IdempotentParameterMismatchException", f"The client token {token} was used with other parameters.")
        return answer
    answer = {**_CALLS[action](asked), "clientToken": token}
    _answered[key] = (asked, answer)
    return answer


def _same_organisation(one, other):
    """Whether both accounts are in an organisation that has switched sharing on."""
    return any(one in members and other in members for members in (
        {key for owner, key in _organizations._accounts._data if owner == manager} | {manager}
        for manager in _sharing_owners))


def _association(share, entity, kind, status, external=False):
    now = this_second()
    return {"resourceShareArn": share["resourceShareArn"], "resourceShareName": share["name"], "associatedEntity": entity,
            "associationType": kind, "status": status, "creationTime": now, "lastUpdatedTime": now, "external": external}


def _own(share_arn):
    if not share_arn.startswith("arn:aws:ram:"):
        raise Refused("MalformedArnException", f"The specified resource share ARN {share_arn} is not valid.")
    held = _shares.get(share_arn)
    if held is None or held["share"]["owningAccountId"] != _responses.get_account_id() \
            or held["share"]["status"] == "DELETED":
        raise Refused("UnknownResourceException", f"ResourceShare {share_arn} could not be found.")
    return held


def _add(held, resources, principals):
    from . import reservations

    share, owner = held["share"], _responses.get_account_id()
    for arn in resources:
        record = reservations.find(arn.rsplit("/", 1)[-1])
        if ":capacity-reservation/" not in arn:
            raise Refused("InvalidParameterException", f"The emulator shares Capacity Reservations only, not {arn}")
        if record is None or record["OwnerId"] != owner or record["State"] not in ("active", "pending"):
            raise Refused("UnknownResourceException", f"The resource {arn} could not be found.")
    for account in principals:
        if not (account.isdigit() and len(account) == 12):
            raise Refused("InvalidParameterException", f"The emulator shares with account ids only, not {account}")
        if not share["allowExternalPrincipals"] and not _same_organisation(owner, account):
            raise Refused("OperationNotPermittedException", f"{account} is not in the organisation, and the share does "
                          "not allow external principals.")
    made = []
    for arn in resources:
        held["resources"][arn] = _association(share, arn, "RESOURCE", "ASSOCIATED")
        made.append(held["resources"][arn])
    for account in principals:
        inside = _same_organisation(owner, account)
        present = held["principals"].get(account)
        if present is None or present["status"] == "DISASSOCIATED":
            held["principals"][account] = _association(share, account, "PRINCIPAL",
                                                       "ASSOCIATED" if inside else "ASSOCIATING", not inside)
            if not inside:
                _invite(share, owner, account)
        made.append(held["principals"][account])
    return made


def _invite(share, owner, account):
    arn = f"arn:aws:ram:{_responses.get_region()}:{owner}:resource-share-invitation/{secrets.token_hex(16)}"
    _invitations[arn] = {
        "resourceShareInvitationArn": arn, "resourceShareName": share["name"], "resourceShareArn": share["resourceShareArn"],
        "senderAccountId": owner, "receiverAccountId": account, "invitationTimestamp": this_second(), "status": "PENDING"}


def _create(asked):
    now = this_second()
    owner, region = _responses.get_account_id(), _responses.get_region()
    share = {
        "resourceShareArn": f"arn:aws:ram:{region}:{owner}:resource-share/{secrets.token_hex(16)}", "name": asked["name"],
        "owningAccountId": owner, "allowExternalPrincipals": asked.get("allowExternalPrincipals", True),
        "status": "ACTIVE", "tags": [{"key": tag["key"], "value": tag.get("value", "")} for tag in asked.get("tags", [])],
        "creationTime": now, "lastUpdatedTime": now, "featureSet": "STANDARD"}
    held = {"share": share, "resources": {}, "principals": {}, "_region": region}
    _add(held, asked.get("resourceArns", []), asked.get("principals", []))
    _shares[share["resourceShareArn"]] = held
    return {"resourceShare": dict(share)}


def _associate(asked):
    made = _add(_own(asked["resourceShareArn"]), asked.get("resourceArns", []), asked.get("principals", []))
    return {"resourceShareAssociations": [dict(one) for one in made]}


def _disassociate(asked):
    held = _own(asked["resourceShareArn"])
    ended = [held[kind][entity] for kind, names in (("resources", asked.get("resourceArns", [])),
                                                    ("principals", asked.get("principals", [])))
             for entity in names if entity in held[kind]]
    for one in ended:
        one.update(status="DISASSOCIATED", lastUpdatedTime=this_second())
    return {"resourceShareAssociations": [dict(one) for one in ended]}


def _delete(asked):
    held = _own(asked["resourceShareArn"])
    held["share"].update(status="DELETED", lastUpdatedTime=this_second())
    for one in (*held["resources"].values(), *held["principals"].values()):
        one.update(status="DISASSOCIATED", lastUpdatedTime=this_second())
    for invitation in _invitations.values():
        if invitation["resourceShareArn"] == asked["resourceShareArn"] and invitation["status"] == "PENDING":
            invitation["status"] = "EXPIRED"
    return {"returnValue": True}


def _list(asked):
    me, region = _responses.get_account_id(), _responses.get_region()
    own = asked["resourceOwner"] == "SELF"
    rows = []
    for arn, held in _shares.items():
        share = held["share"]
        mine = share["owningAccountId"] == me if own else held["principals"].get(me, {}).get("status") == "ASSOCIATED"
        wanted = asked.get("resourceShareArns")
        if mine and held["_region"] == region and (not wanted or arn in wanted) \
                and asked.get("name", share["name"]) == share["name"] \
                and asked.get("resourceShareStatus", share["status"]) == share["status"] \
                and all(_tagged(share, one) for one in asked.get("tagFilters", [])):
            rows.append(dict(share) if own else {k: v for k, v in share.items() if k != "tags"})
    return {"resourceShares": rows}


def _tagged(share, one):
    return any(tag["key"] == one.get("tagKey") and (not one.get("tagValues") or tag["value"] in one["tagValues"])
               for tag in share["tags"])


def _list_associations(asked):
    kind = "principals" if asked["associationType"] == "PRINCIPAL" else "resources"
    me, wanted = _responses.get_account_id(), asked.get("resourceShareArns")
    rows = [dict(one) for arn, held in _shares.items() if held["share"]["owningAccountId"] == me
            and (not wanted or arn in wanted) for entity, one in held[kind].items()
            if entity == asked.get("principal", entity) and entity == asked.get("resourceArn", entity)
            and one["status"] == asked.get("associationStatus", one["status"])]
    return {"resourceShareAssociations": rows}


def _list_invitations(asked):
    me, arns, shares_asked = _responses.get_account_id(), asked.get("resourceShareInvitationArns"), asked.get("resourceShareArns")
    rows = [dict(one) for arn, one in _invitations.items() if me in (one["receiverAccountId"], one["senderAccountId"])
            and (not arns or arn in arns) and (not shares_asked or one["resourceShareArn"] in shares_asked)]
    return {"resourceShareInvitations": rows}


def _accept(asked):
    invitation = _invitations.get(asked["resourceShareInvitationArn"])
    if invitation is None or invitation["receiverAccountId"] != _responses.get_account_id():
        raise Refused("ResourceShareInvitationArnNotFoundException",
                      f"The invitation {asked['resourceShareInvitationArn']} could not be found.")
    refusals = {"ACCEPTED": "AlreadyAccepted", "REJECTED": "AlreadyRejected", "EXPIRED": "Expired"}
    if invitation["status"] in refusals:
        raise Refused(f"ResourceShareInvitation{refusals[invitation['status']]}Exception",
                      f"The invitation is {invitation['status'].lower()}.")
    invitation["status"] = "ACCEPTED"
    held = _shares[invitation["resourceShareArn"]]
    held["principals"][invitation["receiverAccountId"]].update(status="ASSOCIATED", lastUpdatedTime=this_second())
    return {"resourceShareInvitation": dict(invitation)}


def _enable_sharing(_):
    _sharing_owners.add(_responses.get_account_id())
    return {"returnValue": True}


_CALLS = {
    "CreateResourceShare": _create,
    "AssociateResourceShare": _associate,
    "DisassociateResourceShare": _disassociate,
    "DeleteResourceShare": _delete,
    "GetResourceShares": _list,
    "GetResourceShareAssociations": _list_associations,
    "GetResourceShareInvitations": _list_invitations,
    "AcceptResourceShareInvitation": _accept,
    "EnableSharingWithAwsOrganization": _enable_sharing,
}
