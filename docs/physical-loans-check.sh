#!/usr/bin/env bash
# Tries on AWS what a loan of reserved capacity rests on, in two accounts of one owner, and says what AWS does.
# Needs: AWS CLI 2, two profiles, a region. Costs: the reservation (2 instances) for a few minutes.
# Nothing is called that changes anything before --yes is given. Everything it makes is removed at the end.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: physical-loans-check.sh --lender PROFILE --borrower PROFILE --region REGION --az-id AZ_ID
                               [--type INSTANCE_TYPE] [--yes]

  --lender    profile of the account that owns the reservation
  --borrower  profile of the account that it is lent to
  --az-id     AZ id, such as use1-az1: names of zones differ between accounts
  --type      instance type (t3.micro)
  --yes       make the calls; without it they are only shown
TEXT
}

LENDER='' BORROWER='' REGION='' AZ_ID='' TYPE='t3.micro' YES=''
while [ $# -gt 0 ]; do
  case "$1" in
    --lender) LENDER="${2:?--lender: expected a profile}"; shift 2 ;;
    --borrower) BORROWER="${2:?--borrower: expected a profile}"; shift 2 ;;
    --region) REGION="${2:?--region: expected a region}"; shift 2 ;;
    --az-id) AZ_ID="${2:?--az-id: expected an AZ id such as use1-az1}"; shift 2 ;;
    --type) TYPE="${2:?--type: expected an instance type}"; shift 2 ;;
    --yes) YES=1; shift ;;
    --help) usage; exit 0 ;;
    *) echo "physical-loans-check.sh: unknown option $1; --help lists them" >&2; exit 2 ;;
  esac
done
for pair in "lender:$LENDER" "borrower:$BORROWER" "region:$REGION" "az-id:$AZ_ID"; do
  if [ -z "${pair#*:}" ]; then echo "physical-loans-check.sh: --${pair%%:*} is missing; --help shows how" >&2; exit 2; fi
done

RUN="entangle-check-$(date +%s)"
TAGS="ResourceType=capacity-reservation,Tags=[{Key=entangle:lending,Value=enabled},{Key=entangle:loan,Value=$RUN}]"
SOURCE='' SPLIT='' PART='' SHARE='' GROUP=''

say() { printf '\n== %s\n' "$*"; }
show() { printf '   aws %s\n' "$*" >&2; }
as() {
  local profile="$1"; shift
  show "--profile $profile $*"
  aws --profile "$profile" --region "$REGION" --output text "$@"
}
# The name of the error that a call ends with, or "accepted".
error_of() {
  local answer
  if answer="$("$@" 2>&1)"; then echo accepted; else sed -n 's/.*(\([A-Za-z.]*\)).*/\1/p' <<<"$answer" | head -1; fi
}
state_of() {
  as "$LENDER" ec2 describe-capacity-reservations --capacity-reservation-ids "$1" --query "CapacityReservations[0].$2"
}
wait_for() {
  local id="$1" query="$2" wanted="$3" found='' began
  began=$(date +%s)
  while [ $(($(date +%s) - began)) -lt 600 ]; do
    found="$(state_of "$id" "$query" 2>/dev/null || true)"
    if [ "$found" = "$wanted" ]; then echo "   $query is $wanted after $(($(date +%s) - began)) s"; return 0; fi
    sleep 5
  done
  echo "   $query is still $found after 600 s, not $wanted"
  return 1
}

cleanup() {
  say 'Clean up'
  set +e
  [ -n "$GROUP" ] && as "$BORROWER" resource-groups delete-group --group "$GROUP" >/dev/null
  if [ -n "$SPLIT" ] && [ "$(state_of "$SPLIT" InterruptibleCapacityAllocation.Status)" = active ]; then
    as "$LENDER" ec2 update-interruptible-capacity-reservation-allocation --capacity-reservation-id "$SPLIT" \
      --target-instance-count 0 >/dev/null 2>&1
    wait_for "$SPLIT" TotalInstanceCount 1
  fi
  [ -n "$SHARE" ] && as "$LENDER" ram delete-resource-share --resource-share-arn "$SHARE" >/dev/null
  for id in "$SPLIT" "$SOURCE"; do
    if [ -n "$id" ] && [ "$(state_of "$id" State)" = active ]; then
      as "$LENDER" ec2 cancel-capacity-reservation --capacity-reservation-id "$id" >/dev/null
    fi
  done
  say "What is left (nothing, if all is well)"
  as "$LENDER" ec2 describe-capacity-reservations --query 'CapacityReservations[].[CapacityReservationId,State]' \
    --filters "Name=tag:entangle:loan,Values=$RUN" 'Name=state,Values=active,pending'
}

if [ -z "$YES" ]; then
  cat <<TEXT
Would do, in $REGION, $AZ_ID, with $TYPE (add --yes to do it):
  1. lender:   reserve 2 instances without an end date, tagged entangle:lending=enabled
  2. lender:   split 1 of them off; ask for the split again with the same client token: the same answer?
  3. lender:   make all of the part an interruptible allocation; measure the time until it is active; a second one: which error?
  4. lender:   share it with the borrower's account through RAM
  5. borrower: accept the invitation, if there is one; see the reservation
  6. borrower: put it into a resource group of Capacity Reservations: is it taken?
  7. lender:   reclaim it; measure the time until the part has it again
  8. lender:   take the borrower's account, then the reservation, out of the share: how does RAM state each, and for how long?
  9. lender:   unshare; move the part into its source: is the part cancelled at once?
  10. remove what is left
No instance is launched: the warning event is seen with a group of your own that runs in the reservation.
TEXT
  exit 0
fi

BORROWER_ID="$(as "$BORROWER" sts get-caller-identity --query Account)"
trap cleanup EXIT

say '1. Reserve 2 instances'
SOURCE="$(as "$LENDER" ec2 create-capacity-reservation --instance-type "$TYPE" --instance-platform Linux/UNIX \
  --availability-zone-id "$AZ_ID" --instance-count 2 --instance-match-criteria targeted --end-date-type unlimited \
  --tag-specifications "$TAGS" --query CapacityReservation.CapacityReservationId)"
echo "   $SOURCE"

say '2. Split 1 off, twice with one client token'
split() {
  as "$LENDER" ec2 create-capacity-reservation-by-splitting --source-capacity-reservation-id "$SOURCE" \
    --instance-count 1 --client-token "$RUN-split" --tag-specifications "$TAGS" \
    --query DestinationCapacityReservation.CapacityReservationId
}
SPLIT="$(split)"
AGAIN="$(split)"
if [ "$AGAIN" = "$SPLIT" ]; then echo "   $SPLIT, the same answer both times"; else echo "   DIFFERENT: $SPLIT and $AGAIN"; fi

say '3. Make all of it interruptible'
allocate() {
  as "$LENDER" ec2 create-interruptible-capacity-reservation-allocation --capacity-reservation-id "$SPLIT" \
    --instance-count 1 --client-token "$1"
}
allocate "$RUN-allocate" >/dev/null
wait_for "$SPLIT" InterruptibleCapacityAllocation.Status active
PART="$(state_of "$SPLIT" InterruptibleCapacityAllocation.InterruptibleCapacityReservationId)"
echo "   $PART; a second allocation: $(error_of allocate "$RUN-second")"

say '4. Share it'
PART_ARN="$(state_of "$PART" CapacityReservationArn)"
SHARE="$(as "$LENDER" ram create-resource-share --name "$RUN" --resource-arns "$PART_ARN" --principals "$BORROWER_ID" \
  --allow-external-principals --query resourceShare.resourceShareArn)"
echo "   $SHARE"
sleep 15

say '5. Accept it'
INVITATION="$(as "$BORROWER" ram get-resource-share-invitations --resource-share-arns "$SHARE" \
  --query "resourceShareInvitations[?status=='PENDING'] | [0].resourceShareInvitationArn")"
if [ "$INVITATION" = None ]; then
  echo '   no invitation: both accounts are in an organisation that shares'
else
  as "$BORROWER" ram accept-resource-share-invitation --resource-share-invitation-arn "$INVITATION" >/dev/null
fi
sleep 15
as "$BORROWER" ec2 describe-capacity-reservations --capacity-reservation-ids "$PART" \
  --query 'CapacityReservations[0].[OwnerId,State,Interruptible,TotalInstanceCount,AvailableInstanceCount]'

say '6. Put it into a resource group'
GROUP="$(as "$BORROWER" resource-groups create-group --name "$RUN" --configuration \
  'Type=AWS::EC2::CapacityReservationPool' \
  'Type=AWS::ResourceGroups::Generic,Parameters=[{Name=allowed-resource-types,Values=[AWS::EC2::CapacityReservation]}]' \
  --query Group.GroupArn)"
as "$BORROWER" resource-groups group-resources --group "$GROUP" --resource-arns "$PART_ARN" || echo '   REFUSED'

say '7. Reclaim it'
as "$LENDER" ec2 update-interruptible-capacity-reservation-allocation --capacity-reservation-id "$SPLIT" \
  --target-instance-count 0
wait_for "$SPLIT" TotalInstanceCount 1

say '8. Take the account and the reservation out of the share'
# What RAM says of one association, each time that it says something else, for two minutes.
watch_association() {
  local type="$1" entity="$2" found='' before='' began
  began=$(date +%s)
  while [ $(($(date +%s) - began)) -lt 120 ]; do
    found="$(as "$LENDER" ram get-resource-share-associations --association-type "$type" --resource-share-arns "$SHARE" \
      --query "resourceShareAssociations[?associatedEntity=='$entity'] | [0].status" 2>/dev/null || echo 'an error')"
    if [ "$found" != "$before" ]; then echo "   $type is $found after $(($(date +%s) - began)) s"; fi
    before="$found"
    sleep 5
  done
}
as "$LENDER" ram disassociate-resource-share --resource-share-arn "$SHARE" --principals "$BORROWER_ID" >/dev/null
watch_association PRINCIPAL "$BORROWER_ID"
as "$LENDER" ram disassociate-resource-share --resource-share-arn "$SHARE" --resource-arns "$PART_ARN" >/dev/null
watch_association RESOURCE "$PART_ARN"

say '9. Unshare and merge'
as "$LENDER" ram delete-resource-share --resource-share-arn "$SHARE" >/dev/null && SHARE=''
as "$LENDER" ec2 move-capacity-reservation-instances --source-capacity-reservation-id "$SPLIT" \
  --destination-capacity-reservation-id "$SOURCE" --instance-count 1 >/dev/null
echo "   the part is $(state_of "$SPLIT" State), its source has $(state_of "$SOURCE" TotalInstanceCount) instances"
