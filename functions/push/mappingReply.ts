import { Type } from '@sinclair/typebox';
import { memberResults, nullable, oneOf } from '../../shared/action/schemas.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';
import { authorities, countableStatuses, mappingStatuses } from '../../shared/push/mapping.ts';
import type { MappingView } from '../../shared/push/mappings/mappingChange.ts';
import type { PushReply } from '../../shared/push/pushReply.ts';

export const mappingParams = Type.Object(
  {
    oktaGroupId: Type.String({
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: 'the id of an Okta group, like 00g1a2b3c4d5e6f7g8h9',
    }),
  },
  { additionalProperties: false },
);

export const planIdField = Type.Optional(
  Type.String({ pattern: '^[0-9a-f]{32}$', description: 'the planId of a dry run, to carry out that plan alone' }),
);

/** How much a push may remove: the same of every action that pushes. */
export const removalFields = {
  maxRemovals: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000, description: 'how many members this request may remove' }),
  ),
  allowEmpty: Type.Optional(Type.Boolean({ description: 'true if the target may be left without members' })),
};

function time(description: string) {
  return nullable(Type.String({ description }));
}

/** A mapping as every action shows it: flat, with what it was told and how it stands. */
export const mappingFields = {
  oktaGroupId: Type.String(),
  oktaGroupName: Type.String({ description: 'as last seen' }),
  targetId: nullable(Type.String({ description: "the target's Entra object id; null where it is to be created" })),
  targetName: Type.String({ description: 'as last seen' }),
  targetKind: oneOf(groupKinds, 'the kind of the target'),
  status: oneOf(mappingStatuses, 'ACTIVE, INACTIVE (set by people) or ERROR (until a clean reconcile)'),
  reasonCode: nullable(Type.String({ description: 'why it is not ACTIVE; null when it is' })),
  reasonMessage: nullable(Type.String({ description: 'the same as a sentence' })),
  reasonFix: nullable(Type.String({ description: 'what to do about it' })),
  reasonAt: time('since when it is not ACTIVE for this reason'),
  approvedAt: time('when its plan was approved; null: it waits for that'),
  authority: oneOf(authorities, 'what the mapping may remove'),
  desiredStatuses: Type.Array(oneOf(countableStatuses, 'a status of Okta users'), {
    description: 'statuses of Okta users that count as desired',
  }),
  oktaAppId: nullable(Type.String({ description: 'the Office 365 app whose users say who is who; null: exact UPN' })),
  neverRemove: Type.Array(Type.String(), { description: 'who is never removed' }),
  maxAdditions: nullable(Type.Integer({ description: 'members that may come within 24 hours; null: any number' })),
  adoptMembers: Type.Boolean({ description: 'whether who is desired and a member already counts as added' }),
  renameTarget: Type.Boolean({ description: 'whether the target is renamed with the Okta group' }),
  reportOnly: Type.Boolean({ description: 'whether differences are only reported' }),
  createdAt: time('null: it is not stored'),
  updatedAt: time('null: it is not stored'),
  lastReconcileAt: time('when everybody was last looked at; null: never'),
  lastReconcileClean: nullable(
    Type.Boolean({ description: 'whether membership was then as it should be, but for who is unresolved or waits' }),
  ),
  lastDesiredCount: lastCount('people who were desired'),
  lastActualCount: lastCount('members that were there'),
  lastAddedCount: lastCount('members that were added'),
  lastRemovedCount: lastCount('members that were removed'),
  lastKeptCount: lastCount('members that were not desired and stayed'),
  lastUnresolvedCount: lastCount('desired people who were nobody that can be added'),
  lastWaitingCount: lastCount('desired people without a mailbox'),
  lastAddedOutsideCount: lastCount('members that somebody else had added'),
  lastRemovedOutsideCount: lastCount("members of the mapping's that somebody else had removed"),
};

function lastCount(description: string) {
  return nullable(Type.Integer({ description: `${description} at the last reconcile; null: there was none` }));
}

export function showMapping(mapping: MappingView) {
  const { oktaGroupId, oktaGroupName, targetId, targetName, targetKind, status, reason, settings } = mapping;
  const { approvedAtMs, createdAtMs, updatedAtMs, lastReconcile } = mapping;
  return {
    oktaGroupId,
    oktaGroupName,
    targetId,
    targetName,
    targetKind,
    status,
    reasonCode: reason?.code ?? null,
    reasonMessage: reason?.message ?? null,
    reasonFix: reason?.fix ?? null,
    reasonAt: isoOf(reason?.atMs ?? null),
    approvedAt: isoOf(approvedAtMs),
    ...settings,
    createdAt: isoOf(createdAtMs),
    updatedAt: isoOf(updatedAtMs),
    lastReconcileAt: isoOf(lastReconcile?.atMs ?? null),
    lastReconcileClean: lastReconcile?.isClean ?? null,
    lastDesiredCount: lastReconcile?.desiredCount ?? null,
    lastActualCount: lastReconcile?.actualCount ?? null,
    lastAddedCount: lastReconcile?.addedCount ?? null,
    lastRemovedCount: lastReconcile?.removedCount ?? null,
    lastKeptCount: lastReconcile?.keptCount ?? null,
    lastUnresolvedCount: lastReconcile?.unresolvedCount ?? null,
    lastWaitingCount: lastReconcile?.waitingCount ?? null,
    lastAddedOutsideCount: lastReconcile?.addedOutsideCount ?? null,
    lastRemovedOutsideCount: lastReconcile?.removedOutsideCount ?? null,
  };
}

export function isoOf(timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

const { addedCount, removedCount, unchangedCount, failedCount, firstError, results } = memberResults;

/** Where the plan and its carrying out go on. */
const progressFields = {
  planId: nullable(Type.String({ description: 'of the plan; null while there is none' })),
  operationId: nullable(Type.String({ description: 'of the operation that goes on; null when all is done' })),
  done: Type.Boolean({ description: 'whether nothing is left to be waited for' }),
  retryAfterSeconds: nullable(Type.Integer({ description: 'when to ask for the operation; null when done' })),
};

const countFields = {
  desiredCount: Type.Integer({ description: 'people who are desired' }),
  actualCount: Type.Integer({ description: 'members before' }),
  plannedCount: Type.Integer({ description: 'members that would be, or are to be, added or removed' }),
  addedCount,
  removedCount,
  unchangedCount,
  keptCount: Type.Integer({ description: 'members that are not desired and stay' }),
  failedCount,
  unresolvedCount: Type.Integer({ description: 'desired people who are nobody that can be added' }),
  waitingCount: Type.Integer({ description: 'desired people without a mailbox yet' }),
  addedOutsideCount: Type.Integer({ description: 'members that somebody else has added' }),
  removedOutsideCount: Type.Integer({ description: "members of the mapping's that somebody else has removed" }),
  exclusiveWouldRemoveCount: Type.Integer({
    description: 'whom authority "exclusive" would remove beyond this plan',
  }),
};

const listFields = {
  firstError,
  addedOutside: Type.Array(Type.String(), { description: 'some of them' }),
  removedOutside: Type.Array(Type.String(), { description: 'some of them' }),
  exclusiveWouldRemove: Type.Array(Type.String(), { description: 'some of them' }),
  results,
};

/** What came of a push, or what would. */
export const pushFields = { ...progressFields, ...countFields, ...listFields };

function showPush(push: PushReply) {
  return {
    planId: push.planId,
    operationId: push.operationId,
    done: push.done,
    retryAfterSeconds: push.retryAfterSeconds,
    desiredCount: push.desiredCount,
    actualCount: push.actualCount,
    plannedCount: push.plannedCount,
    addedCount: push.addedCount,
    removedCount: push.removedCount,
    unchangedCount: push.unchangedCount,
    keptCount: push.keptCount,
    failedCount: push.failedCount,
    unresolvedCount: push.unresolvedCount,
    waitingCount: push.waitingCount,
    addedOutsideCount: push.addedOutsideCount,
    removedOutsideCount: push.removedOutsideCount,
    exclusiveWouldRemoveCount: push.exclusiveWouldRemoveCount,
    firstError: push.firstError,
    addedOutside: push.addedOutside,
    removedOutside: push.removedOutside,
    exclusiveWouldRemove: push.exclusiveWouldRemove,
    results: push.results,
  };
}

/** The same of an action that may end without a push: its counts are null then. */
export const planFields = {
  ...progressFields,
  ...(Object.fromEntries(Object.entries(countFields).map(([name, schema]) => [name, nullable(schema)])) as unknown as {
    [Name in keyof typeof countFields]: ReturnType<typeof nullable<(typeof countFields)[Name]>>;
  }),
  ...listFields,
};

export function showPlan(push: PushReply | null) {
  return push === null ? noPlan : showPush(push);
}

const noPlan = {
  planId: null,
  operationId: null,
  done: true,
  retryAfterSeconds: null,
  desiredCount: null,
  actualCount: null,
  plannedCount: null,
  addedCount: null,
  removedCount: null,
  unchangedCount: null,
  keptCount: null,
  failedCount: null,
  unresolvedCount: null,
  waitingCount: null,
  addedOutsideCount: null,
  removedOutsideCount: null,
  exclusiveWouldRemoveCount: null,
  firstError: null,
  addedOutside: [],
  removedOutside: [],
  exclusiveWouldRemove: [],
  results: [],
};
