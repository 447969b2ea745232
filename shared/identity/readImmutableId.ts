import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { GraphIdentityReads } from '../graph/identityReads.ts';
import type { ProtectedUsers } from '../groups/protectedUsers.ts';
import { attempt } from './attempt.ts';
import { diagnose, type Diagnosis } from './diagnosis.ts';
import { tenantDomainOf } from './domains.ts';
import { type Anchor, anchorOf, type Expectation, expectationOf } from './expectation.ts';
import type { ExpectedValue } from './expectedValue.ts';
import type { IdentityFacts, IdentityUser } from './facts.ts';
import { guidOfImmutableId } from './immutableIdCodec.ts';
import type { OktaSideReader } from './oktaSide.ts';
import { ownPrincipalOf, type PrivilegeReader, userPrivilegeOf } from './privilege.ts';
import { type PlannedStep, planRepair } from './repairPlan.ts';

export interface ImmutableIdQuestion {
  /** Object id or user principal name. */
  readonly user: string;
  /** null: Okta is asked what is expected. */
  readonly given: ExpectedValue | null;
  /** The Office 365 app that a repair is to take care of; null: Okta's side is left alone. */
  readonly oktaAppId: string | null;
}

/** What the domain of a user principal name is. */
export const signInTypes = ['federated', 'managed'] as const;
export type SignInType = (typeof signInTypes)[number];

/** An immutable ID with what can be read from it. */
export interface ReadImmutableId {
  readonly immutableId: string | null;
  /** As text; null where it encodes none. */
  readonly guid: string | null;
  /** null where there is no immutable ID. */
  readonly anchor: Anchor | null;
}

export interface ImmutableIdDescription extends Diagnosis {
  readonly facts: IdentityFacts;
  /** null: not known. */
  readonly signIn: SignInType | null;
  readonly actual: ReadImmutableId;
  /** null: nobody says. */
  readonly expectation: (Expectation & ReadImmutableId) | null;
  /** What a repair would do now. */
  readonly plan: readonly PlannedStep[];
}

export interface ImmutableIdReader {
  /** Everything about the immutable ID of one user. @throws Fault `member_not_found`, upstream faults */
  describe(question: ImmutableIdQuestion, call: Call): Promise<ImmutableIdDescription>;
  /** What is found of a user that was read already, without any conclusion. */
  factsOf(user: IdentityUser, question: Omit<ImmutableIdQuestion, 'user'>, call: Call): Promise<IdentityFacts>;
}

export interface ImmutableIdReaderDependencies {
  readonly identityReads: GraphIdentityReads;
  readonly oktaSide: OktaSideReader;
  readonly privileges: PrivilegeReader;
  readonly protectedUsers: ProtectedUsers;
}

export function createImmutableIdReader(dependencies: ImmutableIdReaderDependencies): ImmutableIdReader {
  const { identityReads, oktaSide, privileges, protectedUsers } = dependencies;

  async function deletedUsers(namesake: IdentityUser, immutableId: string | null, call: Call) {
    const found = await identityReads.deletedUsers({ immutableId, namesake }, call);
    if (found !== null) return found;
    throw new Fault('upstream_rejected', {
      detail: 'Graph does not filter deleted users, and there are too many to look at each.',
      fix: 'Look for the value among the deleted users in the Entra admin center.',
      upstream: 'graph',
    });
  }

  async function factsOf(
    user: IdentityUser,
    { given, oktaAppId }: Omit<ImmutableIdQuestion, 'user'>,
    call: Call,
  ): Promise<IdentityFacts> {
    const { userPrincipalName } = user;
    const oktaUserId = given?.field === 'oktaUserId' ? given.immutableId : null;
    // Who says what is expected, and leaves Okta alone, is not kept waiting by an outage of Okta.
    const isOktaNeeded = given === null || oktaAppId !== null;
    const unexpected = Promise.all([
      attempt(() => identityReads.domains(call)),
      attempt(async () => userPrivilegeOf(await privileges.ofUser(user.id, call))),
      privileges.own(call).then(ownPrincipalOf),
      protectedUsers.test(call),
    ]);
    const [okta, [domains, privilege, own, isListed]] = await Promise.all([
      attempt(() => oktaSide.read({ userPrincipalName, oktaUserId, oktaAppId }, call), { isNeeded: isOktaNeeded }),
      unexpected,
    ]);
    const immutableId = expectationOf({ given, okta })?.immutableId ?? null;
    const [holders, deleted] = await Promise.all([
      attempt(() => (immutableId === null ? Promise.resolve([]) : identityReads.holders(immutableId, call))),
      attempt(() => deletedUsers(user, immutableId, call)),
    ]);
    return {
      user,
      given,
      okta,
      domains,
      isProtected: isListed([user.id, userPrincipalName, user.mail, ...smtpAddressesOf(user)]),
      holders,
      deletedUsers: deleted,
      privilege,
      ownPrincipal: own,
    };
  }

  return {
    factsOf,

    describe: async (question, call) => {
      const user = await identityReads.user(question.user, call);
      if (user === null) throw noSuchUser(question.user);
      const facts = await factsOf(user, question, call);
      const office365 = question.oktaAppId !== null && facts.okta.known ? facts.okta.value.office365 : null;
      const expectation = expectationOf(facts);
      return {
        ...diagnose(facts),
        facts,
        signIn: signInOf(facts),
        actual: readOf(user.immutableId, facts),
        expectation: expectation === null ? null : { ...expectation, ...readOf(expectation.immutableId, facts) },
        plan: planRepair(facts, office365, question.oktaAppId),
      };
    },
  };
}

function signInOf({ user, domains }: IdentityFacts): SignInType | null {
  const domain = domains.known ? tenantDomainOf(user.userPrincipalName, domains.value) : null;
  if (domain === null) return null;
  return domain.isFederated ? 'federated' : 'managed';
}

function readOf(immutableId: string | null, facts: IdentityFacts): ReadImmutableId {
  if (immutableId === null) return { immutableId, guid: null, anchor: null };
  return { immutableId, guid: guidOfImmutableId(immutableId), anchor: anchorOf(immutableId, facts) };
}

function smtpAddressesOf({ proxyAddresses }: IdentityUser): string[] {
  return proxyAddresses.filter((each) => /^smtp:/i.test(each)).map((each) => each.slice('smtp:'.length));
}

function noSuchUser(user: string): Fault {
  return new Fault('member_not_found', {
    detail: `No user has the object id or user principal name "${user}".`,
    fix: 'Give the Entra object id or the user principal name. A deleted user is not found; one created a moment ago may need a minute.',
    upstream: 'graph',
  });
}
