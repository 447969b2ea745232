import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { GraphIdentityReads } from '../graph/identityReads.ts';
import type { GraphSynchronization } from '../graph/synchronization.ts';
import type { AttributeUser, GraphUserAttributes } from '../graph/userAttributes.ts';
import type { ProtectedUsers } from '../groups/protectedUsers.ts';
import { attempt } from '../identity/attempt.ts';
import type { OktaSideReader } from '../identity/oktaSide.ts';
import type { OwnStanding, PrivilegeReader } from '../identity/privilege.ts';
import type { TokenSource } from '../upstream/tokens.ts';
import {
  type AttributeName,
  type AttributeValues,
  isMasteredOnPremises,
  mayWrite,
  namesIn,
  only,
} from './attribute.ts';
import { type AttributeDiagnosis, diagnoseAttributes, differingNames } from './diagnosis.ts';
import type {
  AttributeFacts,
  Expectation,
  Expectations,
  Reading,
  TargetGroup,
  TargetRole,
  TargetStanding,
} from './facts.ts';
import { type OktaReading, readOktaAttributes } from './oktaAttributes.ts';

export interface AttributeQuestion {
  /** Object id or user principal name. */
  readonly user: string;
  /** What the values should be; none: Okta is asked. */
  readonly given: AttributeValues;
  /** `mobile` as Active Directory has it; undefined: not known to the caller. */
  readonly onPremisesMobile: string | null | undefined;
  /** The Office 365 app in Okta; null: the user's only one, or the one for the domain of the user principal name. */
  readonly oktaAppId: string | null;
}

export interface AttributeDescription extends AttributeDiagnosis {
  readonly facts: AttributeFacts;
}

export interface AttributeReader {
  /**
   * Why the sensitive attributes of one user are not as they should be.
   * @throws Fault `member_not_found`, upstream faults
   */
  diagnose(question: AttributeQuestion, call: Call): Promise<AttributeDescription>;
  /** @throws Fault `member_not_found`, upstream faults */
  user(idOrUpn: string, call: Call): Promise<AttributeUser>;
  isProtected(user: AttributeUser, call: Call): Promise<boolean>;
  /** What decides whether we may write these properties of this user. Throws upstream faults. */
  standing(user: AttributeUser, names: readonly AttributeName[], call: Call): Promise<Standing>;
}

export interface Standing {
  readonly own: OwnStanding;
  readonly privilege: Reading<TargetStanding>;
}

export interface AttributeReaderDependencies {
  readonly userAttributes: GraphUserAttributes;
  readonly identityReads: GraphIdentityReads;
  readonly privileges: PrivilegeReader;
  readonly graphTokens: TokenSource;
  readonly oktaSide: OktaSideReader;
  readonly protectedUsers: ProtectedUsers;
  readonly synchronization: GraphSynchronization;
}

export function createAttributeReader(dependencies: AttributeReaderDependencies): AttributeReader {
  const { userAttributes, identityReads, privileges, graphTokens, oktaSide, protectedUsers, synchronization } =
    dependencies;

  async function bypassesOverrides(call: Call): Promise<boolean> {
    const { features } = await synchronization.read(call);
    return features.get('bypassDirSyncOverridesEnabled') === true;
  }

  async function findUser(idOrUpn: string, call: Call): Promise<AttributeUser> {
    const user = await userAttributes.find(idOrUpn, call);
    if (user === null) throw noSuchUser(idOrUpn);
    return user;
  }

  async function isProtected(user: AttributeUser, call: Call): Promise<boolean> {
    const isListed = await protectedUsers.test(call);
    const addresses = user.proxyAddresses
      .filter((each) => /^smtp:/i.test(each))
      .map((each) => each.slice('smtp:'.length));
    return isListed([user.id, user.userPrincipalName, user.mail, ...addresses]);
  }

  /** A grant given a minute ago shall be seen: what the token lacks is looked for in a new one. */
  async function ownStanding(names: readonly AttributeName[], call: Call): Promise<OwnStanding> {
    const own = await privileges.own(call);
    const lacksPermission = names.some((name) => !mayWrite(name, own.permissions));
    const isOutdated =
      own.assignments.known &&
      own.assignments.value.some(({ isTenantWide, roleId }) => isTenantWide && !own.tokenRoleIds.includes(roleId));
    if (!lacksPermission && !isOutdated) return own;
    graphTokens.forget();
    return privileges.own(call);
  }

  async function targetStanding({ id }: AttributeUser, call: Call): Promise<TargetStanding> {
    const [{ assignments, groups, eligible }, units] = await Promise.all([
      privileges.ofUser(id, call),
      attempt(() => userAttributes.units(id, call)),
    ]);
    const [roles, withRoles] = await Promise.all([
      Promise.all(
        assignments.map(async ({ roleId, unitId }): Promise<TargetRole> => {
          if (unitId === null) return { roleId, unit: null };
          const unit = await attempt(() => userAttributes.unit(unitId, call));
          const unseen = { id: unitId, name: null, isRestricted: null };
          return { roleId, unit: unit.known ? { known: true, value: unit.value ?? unseen } : unit };
        }),
      ),
      Promise.all(
        groups.map(async ({ id: groupId, name, isMember }): Promise<TargetGroup> => {
          const held = isMember ? await identityReads.roleAssignments(groupId, call) : [];
          return { name, isMember, roleIds: held.map(({ roleId }) => roleId) };
        }),
      ),
    ]);
    return { roles, groups: withRoles, eligibleRoleIds: eligible, units };
  }

  async function standing(user: AttributeUser, names: readonly AttributeName[], call: Call): Promise<Standing> {
    const [own, privilege] = await Promise.all([ownStanding(names, call), attempt(() => targetStanding(user, call))]);
    return { own, privilege };
  }

  return {
    user: findUser,
    isProtected,
    standing,

    diagnose: async ({ user: idOrUpn, given, onPremisesMobile, oktaAppId }, call) => {
      const user = await findUser(idOrUpn, call);
      const search = { userPrincipalName: user.userPrincipalName, oktaAppId };
      const [okta, isListed] = await Promise.all([
        attempt(() => readOktaAttributes(oktaSide, search, call)),
        isProtected(user, call),
      ]);
      const expected = expectationsOf(given, okta);
      const names = differingNames({ user, expected });
      const inCloud = names.filter((name) => !isMasteredOnPremises(name, user));
      const isSyncedMobile = names.includes('mobilePhone') && !inCloud.includes('mobilePhone');
      const [found, bypassing] = await Promise.all([
        inCloud.length === 0 ? null : standing(user, inCloud, call),
        isSyncedMobile ? attempt(() => bypassesOverrides(call)) : null,
      ]);
      const facts: AttributeFacts = {
        user,
        expected,
        isProtected: isListed,
        okta,
        onPremisesMobile: mobileOnPremises(onPremisesMobile, okta),
        own: found?.own ?? null,
        privilege: found?.privilege ?? null,
        bypassesOverrides: bypassing,
      };
      return { ...diagnoseAttributes(facts), facts };
    },
  };
}

/** Pure. What was given counts alone; else what Okta's app would send, and the user's own mobile phone there. */
export function expectationsOf(given: AttributeValues, okta: Reading<OktaReading>): Expectations {
  const named = namesIn(given);
  if (named.length > 0) {
    return Object.fromEntries(named.map((name) => [name, { source: 'given', value: only(name, given) }]));
  }
  if (!okta.known) return {};
  const { office365, mobilePhone } = okta.value;
  const values = office365?.values ?? {};
  const mapped = namesIn(values).map((name): [AttributeName, Expectation] => [
    name,
    { source: 'office365Profile', value: only(name, values) },
  ]);
  const own: readonly [AttributeName, Expectation][] =
    mobilePhone === null ? [] : [['mobilePhone', { source: 'oktaUserProfile', value: { mobilePhone } }]];
  return Object.fromEntries([...own, ...mapped]);
}

function mobileOnPremises(
  given: string | null | undefined,
  okta: Reading<OktaReading>,
): AttributeFacts['onPremisesMobile'] {
  if (given !== undefined) return { value: given, source: 'given' };
  const imported = okta.known ? okta.value.onPremisesMobile : undefined;
  return imported === undefined ? null : { value: imported, source: 'okta' };
}

function noSuchUser(user: string): Fault {
  return new Fault('member_not_found', {
    detail: `No user has the object id or user principal name "${user}".`,
    fix: 'Give the Entra object id or the user principal name. A deleted user is not found; one created a moment ago may need a minute.',
    upstream: 'graph',
  });
}
