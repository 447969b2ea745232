import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import { sameText } from '../../exchange/identity.ts';
import { labelOf } from '../../groups/group.ts';
import type { GroupUpdater } from '../../groups/update/updateGroup.ts';
import type { PushMapping } from '../mapping.ts';
import type { Pusher } from '../pusher.ts';
import type { PushReply } from '../pushReply.ts';
import type { PushSource, SourceGroup } from '../source.ts';
import type { NewPushMapping, PushMappingStore } from '../store/mappingStore.ts';
import type { PushPending } from '../store/pendingStore.ts';
import { dropPending } from './dropPending.ts';
import { dryPush } from './dryPush.ts';
import { awaitingApproval, changeSettings, type MappingView, type SettingsChange } from './mappingChange.ts';
import { mappedAlready, noSuchMapping, noSuchOktaGroup } from './mappingFaults.ts';
import { type GivenSettings, mergeSettings } from './mappingSettings.ts';
import type { MappingTargets, SeenTarget, Target, TargetChoice } from './mappingTarget.ts';
import { closedMembership, tugOfWar } from './openList.ts';

export const putOutcomes = ['created', 'updated', 'already_exists', 'planned'] as const;
export type PutOutcome = (typeof putOutcomes)[number];

export interface PutMappingRequest {
  readonly choice: TargetChoice;
  readonly settings: GivenSettings;
  /** Whether nobody shall join or leave the target, a distribution list, by themselves. */
  readonly closeMembership: boolean;
  readonly isDryRun: boolean;
}

export interface PutMapping {
  readonly ok: boolean;
  readonly outcome: PutOutcome;
  readonly changed: boolean;
  /** Whether this very request made the mapping. */
  readonly isNew: boolean;
  readonly message: string;
  /** As it is stored; of a dry run, as it would be. */
  readonly mapping: MappingView;
  /** What a push would do; null where that cannot be told. */
  readonly plan: PushReply | null;
}

export interface MappingPutter {
  /**
   * Ensures that the target follows the Okta group with these settings. A new mapping is INACTIVE until its plan is
   * approved, and so is one that is given more power. Safe to repeat at any point.
   * @throws Fault `okta_api_required`, `okta_object_not_found`, `push_mapping_exists`, `invalid_request`, blockers,
   *   faults of resolving or creating the target
   */
  put(oktaGroupId: string, request: PutMappingRequest, call: Call): Promise<PutMapping>;
}

export interface MappingPutterDependencies {
  readonly pushSource: PushSource;
  readonly pushMappings: PushMappingStore;
  readonly pushPending: Pick<PushPending, 'removeAll'>;
  readonly mappingTargets: MappingTargets;
  readonly groupUpdater: GroupUpdater;
  readonly pusher: Pusher;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** What became of the mapping itself. */
interface Stored extends SettingsChange {
  readonly isNew: boolean;
}

export function createMappingPutter(dependencies: MappingPutterDependencies): MappingPutter {
  const { pushSource, pushMappings, pushPending, mappingTargets, groupUpdater, pusher, audit, clock } = dependencies;

  async function readSourceGroup(oktaGroupId: string, { oktaAppId }: GivenSettings, call: Call): Promise<SourceGroup> {
    const group = await pushSource.group(oktaGroupId, call);
    if (group === null) throw noSuchOktaGroup(oktaGroupId);
    // With nobody asked for, only the app is looked at.
    if (oktaAppId !== undefined && oktaAppId !== null) await pushSource.accounts(oktaAppId, [], call);
    return group;
  }

  /** One mapping a target, one a group. @throws Fault `push_mapping_exists` */
  async function refuseOthers(
    oktaGroupId: string,
    existing: PushMapping | null,
    { target }: SeenTarget,
    call: Call,
  ): Promise<void> {
    if (existing !== null && !sameText(existing.targetId, target?.id ?? null)) throw mappedAlready(existing);
    if (existing !== null || target === null) return;
    const holder = await pushMappings.findByTarget(target.id, call);
    // The same request may have been faster.
    if (holder !== null && holder.oktaGroupId !== oktaGroupId) throw mappedAlready(holder);
  }

  /** What that comes to, or would. It is done before the mapping is stored: what fails leaves nothing half. */
  async function closeList(target: Target, isDryRun: boolean, call: Call): Promise<'unchanged' | 'closed' | 'open'> {
    const { outcome, message } = await groupUpdater.update(target.id, closedMembership, isDryRun, call);
    if (outcome === 'unchanged') return outcome;
    if (outcome !== 'partial' && outcome !== 'pending') return 'closed';
    call.warn(`Whether people may still join or leave by themselves is open. ${message}`);
    return 'open';
  }

  function draftOf(group: SourceGroup, seen: Pick<SeenTarget, 'kind' | 'label'>, given: GivenSettings) {
    return {
      oktaGroupId: group.id,
      oktaGroupName: group.name,
      targetName: seen.label,
      targetKind: seen.kind,
      settings: mergeSettings(given, null),
      status: 'INACTIVE' as const,
      reason: awaitingApproval('The mapping is new', clock.now()),
      approvedAtMs: null,
    };
  }

  async function planOnly(
    group: SourceGroup,
    existing: PushMapping | null,
    seen: SeenTarget,
    request: PutMappingRequest,
    call: Call,
  ): Promise<PutMapping> {
    const { target } = seen;
    const closes = request.closeMembership && target !== null && (await closeList(target, true, call)) !== 'unchanged';
    const wouldClose = closes && `Nobody could join or leave ${seen.label} by themselves any more.`;
    if (existing === null) {
      const notStored = { createdAtMs: null, updatedAtMs: null, lastReconcile: null, defect: null };
      const mapping = { ...draftOf(group, seen, request.settings), targetId: target?.id ?? null, ...notStored };
      const times = { createdAtMs: clock.now(), updatedAtMs: clock.now() };
      const plan = target === null ? null : await planOf({ ...mapping, ...times, targetId: target.id }, call);
      const first = `${seen.label} would follow the Okta group ${group.name}.`;
      const message = sentencesOf(first, seen.planned, wouldClose);
      return { ok: true, outcome: 'planned', changed: false, isNew: false, message, mapping, plan };
    }
    const { changed, mapping } = changeSettings(existing, request.settings, clock.now());
    const isAsAsked = changed.length === 0 && seen.planned === null && !closes;
    const plan = await planOf(mapping, call);
    const change = changed.length > 0 ? changed.join(', ') : 'its target alone';
    const message = isAsAsked
      ? sentenceOfExisting(mapping)
      : sentencesOf(`The push mapping of ${seen.label} would be changed: ${change}.`, seen.planned, wouldClose);
    const outcome = isAsAsked ? 'already_exists' : 'planned';
    return { ok: true, outcome, changed: false, isNew: false, message, mapping, plan };
  }

  /** @throws Fault `push_mapping_exists`; `push_mapping_not_found` where it was deleted at the same time */
  async function store(draft: NewPushMapping, isThere: boolean, given: GivenSettings, call: Call): Promise<Stored> {
    const { oktaGroupId, targetId } = draft;
    if (!isThere) {
      const creation = await pushMappings.create(draft, call);
      if (creation.type === 'created') {
        return { isNew: true, changed: [], widened: [], mapping: creation.mapping };
      }
      // Unless somebody asked for the very same at the same time.
      const { by } = creation;
      if (by.oktaGroupId !== oktaGroupId || !sameText(by.targetId, targetId)) throw mappedAlready(by);
    }
    const last: { change: SettingsChange | null } = { change: null };
    const mapping = await pushMappings.update(
      oktaGroupId,
      (present) => {
        if (!sameText(present.targetId, targetId)) throw mappedAlready(present);
        last.change = changeSettings(present, given, clock.now());
        const { settings, status, reason, approvedAtMs } = last.change.mapping;
        if (last.change.changed.length === 0) return null;
        return { settings, status, reason, approvedAtMs, lastReconcile: unsettled(present.lastReconcile) };
      },
      call,
    );
    if (mapping === null || last.change === null) throw noSuchMapping(oktaGroupId);
    return { ...last.change, isNew: false, mapping };
  }

  /** The same with its row in the audit: who gave a mapping which power is to be found again. */
  function storeAudited(
    existing: PushMapping | null,
    draft: NewPushMapping,
    given: GivenSettings,
    call: Call,
  ): Promise<Stored> {
    const planned = existing === null ? draft : changeSettings(existing, given, clock.now()).mapping;
    const intent = {
      operation: 'PUT push-mappings/{oktaGroupId}',
      targetType: 'group' as const,
      targetId: draft.targetId,
      targetName: draft.targetName,
      before: existing === null ? null : auditedPart(existing),
      planned: auditedPart(planned),
    };
    return audit.record(intent, call, async () => {
      const result = await store(draft, existing !== null, given, call);
      return { result, after: auditedPart(result.mapping), upstreamRequestId: null };
    });
  }

  /** What stops a plan from being made must not hide what was stored. */
  async function planOf(mapping: PushMapping, call: Call): Promise<PushReply | null> {
    try {
      return await pusher.push(mapping, dryPush, call);
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn(`The plan of the mapping could not be made (${error.code}): ${error.message} ${error.fix}`);
      return null;
    }
  }

  return {
    put: async (oktaGroupId, request, call) => {
      const { choice, settings: given, closeMembership, isDryRun } = request;
      const group = await readSourceGroup(oktaGroupId, given, call);
      const [existing, seen] = await Promise.all([
        pushMappings.get(oktaGroupId, call),
        mappingTargets.look(choice, call),
      ]);
      await refuseOthers(oktaGroupId, existing, seen, call);
      if (closeMembership && seen.kind !== 'distributionList') throw notAList(seen);
      if (isDryRun) {
        warnOfTugOfWar(seen.target, existing, request, call);
        return planOnly(group, existing, seen, request, call);
      }

      const made = await seen.make(call);
      warnOfTugOfWar(made.target, existing, request, call);
      if (made.shortfall !== null) call.warn(made.shortfall);
      const closing = closeMembership ? await closeList(made.target, false, call) : 'unchanged';
      const label = labelOf(made.target);
      const draft = { ...draftOf(group, { kind: made.target.kind, label }, given), targetId: made.target.id };
      const stored = isAsAsked(existing, given)
        ? { isNew: false, changed: [], widened: [], mapping: existing }
        : await storeAudited(existing, draft, given, call);
      if (stored.widened.length > 0) await dropPending(pushPending, oktaGroupId, call);
      const plan = await planOf(stored.mapping, call);
      const hasChanged = stored.isNew || stored.changed.length > 0 || made.changed || closing !== 'unchanged';
      return {
        ok: made.shortfall === null && closing !== 'open',
        outcome: stored.isNew ? 'created' : hasChanged ? 'updated' : 'already_exists',
        changed: hasChanged,
        isNew: stored.isNew,
        message: sentencesOf(
          sentenceOf(stored),
          closing === 'closed' && `Nobody joins or leaves ${label} by themselves any more.`,
        ),
        mapping: stored.mapping,
        plan,
      };
    },
  };

  function isAsAsked(existing: PushMapping | null, given: GivenSettings): existing is PushMapping {
    return existing !== null && changeSettings(existing, given, clock.now()).changed.length === 0;
  }
}

function warnOfTugOfWar(
  target: Target | null,
  existing: PushMapping | null,
  { settings, closeMembership }: PutMappingRequest,
  call: Pick<Call, 'warn'>,
): void {
  if (target === null || closeMembership) return;
  const warning = tugOfWar(target, mergeSettings(settings, existing?.settings ?? null));
  if (warning !== null) call.warn(warning);
}

/** Under other settings the next reconcile has to look at everybody, whether or not anybody has moved. */
function unsettled(lastReconcile: PushMapping['lastReconcile']): PushMapping['lastReconcile'] {
  return lastReconcile === null ? null : { ...lastReconcile, membershipUpdatedAt: null };
}

/** What of a mapping people decide. */
function auditedPart(mapping: NewPushMapping) {
  const { oktaGroupId, oktaGroupName, settings, status } = mapping;
  return { oktaGroupId, oktaGroupName, status, ...settings };
}

function sentencesOf(...sentences: readonly (string | false | null)[]): string {
  return sentences.filter((sentence) => sentence !== null && sentence !== false).join(' ');
}

function sentenceOf({ isNew, changed, widened, mapping }: Stored): string {
  const { targetName, oktaGroupName } = mapping;
  if (isNew) {
    return `${targetName} is mapped to the Okta group ${oktaGroupName}; nothing is written before its plan is approved.`;
  }
  if (changed.length === 0) return sentenceOfExisting(mapping);
  const sentence = `The push mapping of ${targetName} was changed: ${changed.join(', ')}.`;
  if (widened.length === 0) return sentence;
  return `${sentence} It has more power than was approved (${widened.join(', ')}): it is INACTIVE until its plan is approved.`;
}

function sentenceOfExisting({ targetName, oktaGroupName, status }: PushMapping): string {
  return `${targetName} is mapped to the Okta group ${oktaGroupName} as asked for, and ${status}.`;
}

function notAList({ kind, label }: SeenTarget): Fault {
  const fix = 'Leave closeMembership out: only distribution lists let people join and leave by themselves.';
  return new Fault('invalid_request', {
    detail: `${label} is of kind ${kind}, and closeMembership is for distribution lists.`,
    fix,
    errors: [{ pointer: '/closeMembership', message: `is for distribution lists, not for ${kind}`, fix }],
  });
}
