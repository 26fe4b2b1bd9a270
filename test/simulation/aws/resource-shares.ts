/** AWS RAM and Resource Groups in memory: who sees whose reservation, and what a group launches into. */
import type { Engine } from '../engine.ts';
import { namedError } from './named-error.ts';

interface Share {
  readonly arn: string;
  readonly owner: string;
  readonly principal: string;
  readonly resourceArns: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly activeFrom: number;
  readonly foundFrom: number;
  invitation: 'none' | 'PENDING' | 'ACCEPTED';
  isDeleted: boolean;
}

export interface ShareInput {
  readonly resourceArns: readonly string[];
  readonly principals: readonly string[];
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly clientToken: string;
}

interface ShareQuery {
  readonly tagFilters?: readonly { readonly tagKey: string; readonly tagValues: readonly string[] }[];
  readonly resourceShareArns?: readonly string[];
}
interface AssociationQuery {
  readonly resourceShareArns: readonly string[];
  readonly principal?: string;
  readonly resourceArn?: string;
}

/** How long RAM takes, and whether the accounts are of one organisation that shares without invitations. */
export interface ShareWeather {
  readonly settleMillis: () => number;
  readonly unseenMillis: () => number;
  readonly invites: boolean;
}

export class ResourceShares {
  readonly #engine: Engine;
  readonly #weather: ShareWeather;
  readonly #shares = new Map<string, Share>();
  readonly #byToken = new Map<string, string>();
  /** Members of resource groups, by the group's ARN. */
  readonly #members = new Map<string, Set<string>>();

  constructor(engine: Engine, weather: ShareWeather) {
    this.#engine = engine;
    this.#weather = weather;
  }

  get open(): Share[] {
    return [...this.#shares.values()].filter(({ isDeleted }) => !isDeleted);
  }

  create(owner: string, { resourceArns, principals, tags, clientToken }: ShareInput): object {
    const key = `${owner} ${clientToken}`;
    const arn = this.#byToken.get(key) ?? `arn:aws:ram:share:${owner}/${this.#shares.size + 1}`;
    if (!this.#byToken.has(key)) {
      const { now } = this.#engine;
      this.#byToken.set(key, arn);
      this.#shares.set(arn, {
        arn,
        owner,
        principal: principals[0] ?? '',
        resourceArns,
        tags: Object.fromEntries(tags.map((tag) => [tag.key, tag.value])),
        activeFrom: now + this.#weather.settleMillis(),
        foundFrom: now + this.#weather.unseenMillis(),
        invitation: this.#weather.invites ? 'PENDING' : 'none',
        isDeleted: false,
      });
    }
    return { resourceShare: { resourceShareArn: arn, status: this.#statusOf(arn) } };
  }

  #statusOf(arn: string): string {
    const share = this.#shares.get(arn);
    if (share === undefined || share.isDeleted) return 'DELETED';
    return this.#engine.now >= share.activeFrom ? 'ACTIVE' : 'PENDING';
  }

  remove(owner: string, arn: string): object {
    const share = this.#shares.get(arn);
    if (share?.owner !== owner) throw namedError('UnknownResourceException', `${arn} does not exist`);
    share.isDeleted = true;
    return { returnValue: true };
  }

  /** As GetResourceShares answers: by tags, or by ARN. */
  list(owner: string, { tagFilters = [], resourceShareArns: arns }: ShareQuery): object {
    const unknown = arns?.find((arn) => this.#shares.get(arn)?.owner !== owner);
    if (unknown !== undefined) throw namedError('UnknownResourceException', `${unknown} does not exist`);
    const found = [...this.#shares.values()].filter((share) => {
      if (share.owner !== owner || this.#engine.now < share.foundFrom || arns?.includes(share.arn) === false)
        return false;
      return tagFilters.every(({ tagKey, tagValues }) => tagValues.includes(share.tags[tagKey] ?? ''));
    });
    return {
      resourceShares: found.map(({ arn, tags }) => ({
        resourceShareArn: arn,
        status: this.#statusOf(arn),
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      })),
    };
  }

  /** As GetResourceShareAssociations answers for one principal or one resource. */
  associations({ resourceShareArns, principal, resourceArn }: AssociationQuery): object {
    const [share] = resourceShareArns.flatMap((arn) => this.#shares.get(arn) ?? []);
    const isIn = share?.principal === principal || share?.resourceArns.includes(resourceArn ?? '') === true;
    if (share === undefined || !isIn) return { resourceShareAssociations: [] };
    const isActive = !share.isDeleted && this.#engine.now >= share.activeFrom;
    const status = share.isDeleted ? 'DISASSOCIATED' : isActive ? 'ASSOCIATED' : 'ASSOCIATING';
    return { resourceShareAssociations: [{ associatedEntity: principal ?? resourceArn, status }] };
  }

  invitations(principal: string, arns: readonly string[]): object {
    const found = [...this.#shares.values()].filter(
      (share) => share.principal === principal && share.invitation !== 'none' && arns.includes(share.arn),
    );
    return {
      resourceShareInvitations: found.map(({ arn, invitation }) => ({
        resourceShareInvitationArn: `${arn}/invitation`,
        status: invitation,
      })),
    };
  }

  accept(principal: string, invitationArn: string): object {
    const share = this.#shares.get(invitationArn.replace(/\/invitation$/, ''));
    if (share?.principal !== principal || share.isDeleted) {
      throw namedError('ResourceShareInvitationArnNotFoundException', `${invitationArn} does not exist`);
    }
    share.invitation = 'ACCEPTED';
    return {};
  }

  /** Whether an account may use what another one owns. */
  isSharedWith(principal: string, resourceArn: string): boolean {
    for (const share of this.#shares.values()) {
      const isOpen = !share.isDeleted && share.invitation !== 'PENDING' && this.#engine.now >= share.activeFrom;
      if (isOpen && share.principal === principal && share.resourceArns.includes(resourceArn)) return true;
    }
    return false;
  }

  membersOf(groupArn: string): readonly string[] {
    return [...(this.#members.get(groupArn) ?? [])];
  }

  /** As ListGroupResources answers. */
  listMembers(accountId: string, groupArn: string): object {
    this.#checkGroup(accountId, groupArn);
    const Resources = this.membersOf(groupArn).map((ResourceArn) => ({ Identifier: { ResourceArn } }));
    return { Resources, ResourceIdentifiers: Resources.map(({ Identifier }) => Identifier) };
  }

  group(accountId: string, groupArn: string, arns: readonly string[]): object {
    this.#checkGroup(accountId, groupArn);
    const refused = arns.filter((arn) => !this.isSharedWith(accountId, arn));
    const members = this.#members.get(groupArn) ?? new Set();
    for (const arn of arns) if (!refused.includes(arn)) members.add(arn);
    this.#members.set(groupArn, members);
    return { Failed: refused.map((arn) => ({ ResourceArn: arn, ErrorCode: 'ACCESS_DENIED' })) };
  }

  ungroup(accountId: string, groupArn: string, arns: readonly string[]): object {
    this.#checkGroup(accountId, groupArn);
    for (const arn of arns) this.#members.get(groupArn)?.delete(arn);
    return { Failed: [] };
  }

  #checkGroup(accountId: string, groupArn: string): void {
    if (!groupArn.includes(`:${accountId}:group/`)) throw namedError('NotFoundException', `no group ${groupArn}`);
  }
}
