import { diagnose } from './diagnosis.ts';
import { temporaryUpnOf, tenantDomainOf } from './domains.ts';
import { expectationOf } from './expectation.ts';
import type { IdentityFacts, OktaAssignment } from './facts.ts';
import type { RepairRecord } from './repairRecord.ts';

export const plannedStepNames = [
  'turnOffDeactivateUsers',
  'readAssignment',
  'unassignFromOkta',
  'setImmutableId',
  'moveUpn',
  'setImmutableIdAgain',
  'restoreUpn',
  'assignInOkta',
  'turnOnDeactivateUsers',
] as const;
export type PlannedStepName = (typeof plannedStepNames)[number];

/** One step that a repair would take now, in order. */
export interface PlannedStep {
  readonly step: PlannedStepName;
  /** Where it is written. */
  readonly upstream: 'graph' | 'okta';
  /** Method and path, by ids. */
  readonly request: string;
  /** JSON; null: none. */
  readonly body: string | null;
  /** When it is taken, as a sentence without its full stop; null: always. */
  readonly condition: string | null;
}

/** From facts to what a repair sets out with; null: it would not begin. */
export type RepairGoal = Pick<RepairRecord, 'userId' | 'desired' | 'before' | 'isFederated' | 'temporaryUpn'>;

/** Pure. null where nothing is known to be expected, where a finding stands in the way, or where all is well. */
export function repairGoalOf(facts: IdentityFacts): RepairGoal | null {
  const expectation = expectationOf(facts);
  const { user } = facts;
  if (expectation === null || expectation.immutableId === user.immutableId) return null;
  if (!diagnose(facts).isRepairable) return null;
  const domains = facts.domains.known ? facts.domains.value : [];
  const isFederated = tenantDomainOf(user.userPrincipalName, domains)?.isFederated ?? null;
  // In a federated domain a user must have one (graph.md §2.3).
  if (expectation.immutableId === null && isFederated !== false) return null;
  const { id, userPrincipalName, immutableId, mail, mailNickname, proxyAddresses } = user;
  return {
    userId: id,
    desired: expectation.immutableId,
    before: { userPrincipalName, immutableId, mail, mailNickname, proxyAddresses },
    isFederated,
    temporaryUpn: isFederated === true ? temporaryUpnOf(user, domains) : null,
  };
}

/**
 * Pure. The exact steps of a repair, least invasive first; none where it would not begin.
 * @param office365 the assignment in Okta that is to be taken care of; null: none
 * @param unreadAppId the Office 365 app that is to be taken care of where Okta could not be read: its steps are then for
 *   a flow or a person
 */
export function planRepair(
  facts: IdentityFacts,
  office365: OktaAssignment | null,
  unreadAppId: string | null = null,
): PlannedStep[] {
  const goal = repairGoalOf(facts);
  if (goal === null || office365?.isByGroup === true) return [];
  const steps = graphSteps(goal);
  if (!facts.okta.known) return unreadAppId === null ? steps : aroundByHand(steps, unreadAppId, facts.given);
  const { userId } = facts.okta.value;
  return office365 === null || userId === null ? steps : aroundWithOkta(steps, office365.appId, userId);
}

function graphSteps({ userId, desired, before, isFederated, temporaryUpn }: RepairGoal): PlannedStep[] {
  const patch = (
    step: PlannedStepName,
    body: { readonly onPremisesImmutableId?: string | null; readonly userPrincipalName?: string },
    condition: string | null,
  ): PlannedStep => ({
    step,
    upstream: 'graph',
    request: `PATCH /users/${userId}`,
    body: JSON.stringify(body),
    condition,
  });
  const direct = patch('setImmutableId', { onPremisesImmutableId: desired }, null);
  if (isFederated !== true || temporaryUpn === null) return [direct];
  const ifRefused = 'if Entra refuses the first PATCH because the domain is federated';
  return [
    direct,
    patch('moveUpn', { userPrincipalName: temporaryUpn }, ifRefused),
    patch('setImmutableIdAgain', { onPremisesImmutableId: desired }, ifRefused),
    patch('restoreUpn', { userPrincipalName: before.userPrincipalName }, 'if it was moved'),
  ];
}

/** Okta shall neither disable nor overwrite the account meanwhile (graph.md §2.3, the re-push). */
function aroundWithOkta(steps: readonly PlannedStep[], appId: string, userId: string): PlannedStep[] {
  const app = `/api/v1/apps/${appId}`;
  const feature = (status: 'ENABLED' | 'DISABLED') => ({
    upstream: 'okta' as const,
    request: `PUT ${app}/features/USER_PROVISIONING`,
    body: JSON.stringify({ update: { lifecycleDeactivate: { status } } }),
  });
  return [
    { step: 'turnOffDeactivateUsers', ...feature('DISABLED'), condition: 'if "Deactivate Users" is on' },
    {
      step: 'unassignFromOkta',
      upstream: 'okta',
      request: `DELETE ${app}/users/${userId}`,
      body: null,
      condition: null,
    },
    ...steps,
    {
      step: 'assignInOkta',
      upstream: 'okta',
      request: `POST ${app}/users`,
      body: JSON.stringify({ id: userId, scope: 'USER' }),
      condition: 'with the profile it had, whether the repair succeeds or not',
    },
    { step: 'turnOnDeactivateUsers', ...feature('ENABLED'), condition: 'if it was on' },
  ];
}

/** The same without any look at Okta: whoever takes these steps keeps what the user was assigned with. */
function aroundByHand(steps: readonly PlannedStep[], appId: string, given: IdentityFacts['given']): PlannedStep[] {
  const userId = given?.field === 'oktaUserId' ? (given.immutableId ?? unknownUser) : unknownUser;
  const read: PlannedStep = {
    step: 'readAssignment',
    upstream: 'okta',
    request: `GET /api/v1/apps/${appId}/users/${userId}`,
    body: null,
    condition: 'keep its credentials.userName and profile, and stop where its scope is GROUP',
  };
  const around = aroundWithOkta(steps, appId, userId);
  return around.flatMap((step) => (step.step === 'unassignFromOkta' ? [read, step] : [step]));
}

const unknownUser = '{id of the user in Okta}';

/** What became of the addresses of a user: a repair brings them back as they were. */
export interface AddressChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Of what was added, what the temporary user principal name has left behind. */
  readonly leftover: string | null;
  readonly isMailChanged: boolean;
}

/** Pure. Entries are compared whole: `SMTP:` is the primary address, `smtp:` is not. */
export function addressChangesOf(
  before: Pick<RepairRecord['before'], 'mail' | 'proxyAddresses'>,
  after: Pick<RepairRecord['before'], 'mail' | 'proxyAddresses'>,
  temporaryUpn: string | null,
): AddressChanges {
  const added = after.proxyAddresses.filter((address) => !before.proxyAddresses.includes(address));
  const isTemporary = (address: string) => address.toLowerCase() === `smtp:${temporaryUpn?.toLowerCase() ?? ''}`;
  const wasHeld = before.proxyAddresses.some(isTemporary);
  return {
    added,
    removed: before.proxyAddresses.filter((address) => !after.proxyAddresses.includes(address)),
    leftover: wasHeld ? null : (added.find(isTemporary) ?? null),
    isMailChanged: before.mail !== after.mail,
  };
}
