import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import type { GraphGroup, GraphGroups, GraphMember } from '../../graph/groups.ts';
import type { GraphGroupChange, GraphGroupWrites } from '../../graph/groupWrites.ts';
import { type ChangeStep, type StepEnd, takeSteps } from './changeSteps.ts';
import { ensureState } from '../ensureState.ts';
import type { EntraMembers } from '../membership/entraMembers.ts';
import { type Group, labelOf } from '../group.ts';
import {
  type ChangeRow,
  type GroupUpdate,
  type SettingDifference,
  type UpdatedGroup,
  type UpdateResult,
  wouldSet,
} from './groupChange.ts';
import type { MemberResult, MemberWrites } from '../membership/memberWrites.ts';
import { targetOfMember } from '../membership/memberTarget.ts';
import { requireEntraOwners } from '../owners.ts';
import type { ProtectedUsers } from '../protectedUsers.ts';

export interface GraphUpdater {
  /**
   * Brings a security or Microsoft 365 group to what is asked for, writing only what differs.
   * @throws Fault `invalid_request`, `owner_not_valid`, `protected_object`, upstream faults; once something was written, faults are told
   *   row by row
   */
  update(group: Group, graph: GraphGroup, update: GroupUpdate, isDryRun: boolean, call: Call): Promise<UpdateResult>;
}

export interface GraphUpdaterDependencies {
  readonly graphGroups: GraphGroups;
  readonly graphGroupWrites: GraphGroupWrites;
  readonly ownerWrites: MemberWrites;
  readonly entraMembers: EntraMembers;
  readonly protectedUsers: ProtectedUsers;
  readonly audit: Audit;
}

/** The owners of a group before and after. */
interface OwnerPlan {
  readonly difference: SettingDifference;
  readonly add: readonly GraphMember[];
  readonly remove: readonly GraphMember[];
}

/** The settings that a PATCH of the group takes. */
const plainFields = ['displayName', 'description', 'visibility'] as const;

export function createGraphUpdater(dependencies: GraphUpdaterDependencies): GraphUpdater {
  const { graphGroups, graphGroupWrites, ownerWrites, entraMembers, protectedUsers, audit } = dependencies;

  async function refuseProtected(owners: readonly GraphMember[], call: Call): Promise<void> {
    if (owners.length === 0) return;
    const isProtected = await protectedUsers.test(call);
    const found = owners.find(({ id, userPrincipalName, mail }) => isProtected([id, userPrincipalName, mail]));
    if (found !== undefined) throw protectedOwner(found);
  }

  function ensureSettings(group: Group, graph: GraphGroup, update: GroupUpdate, call: Call): Promise<GraphGroup> {
    const { id } = graph;
    return ensureState<GraphGroup, GraphGroupChange>(
      {
        operation: 'PATCH /groups/{id}',
        targetId: id,
        targetName: labelOf(group),
        missing: (actual) => {
          const missing = plainFields.filter((field) => differs(field, update, actual));
          if (missing.length === 0) return null;
          return Object.fromEntries(missing.map((field) => [field, update[field]]));
        },
        send: (change, call) => graphGroupWrites.update(id, change, call),
        read: (call) => graphGroups.get(id, call),
        describe: (actual, change) =>
          Object.fromEntries(plainFields.filter((field) => field in change).map((field) => [field, actual[field]])),
      },
      graph,
      audit,
      call,
    );
  }

  async function changeOwners(
    change: 'add' | 'remove',
    group: Group,
    owners: readonly GraphMember[],
    call: Call,
  ): Promise<StepEnd> {
    const results = [...(await ownerWrites.ensure(change, group, owners.map(targetOfMember), call)).values()];
    const failed = results.find((result) => result.type !== 'settled');
    if (failed === undefined) return { type: 'done' };
    const fault = faultOf(failed);
    if (results.some((result) => result.type === 'settled' && result.wasChanged)) return { type: 'partly', fault };
    throw fault;
  }

  return {
    update: async (group, graph, update, isDryRun, call) => {
      refuseToUnhide(graph, update);
      const present = await graphGroups.owners(graph.id, call);
      const wanted =
        update.owners === undefined
          ? null
          : requireEntraOwners(update.owners, await entraMembers.resolveOwners(update.owners, call, present));
      const settings = plainFields.flatMap((field) => differenceIn(field, update, graph));
      const owners = wanted === null ? null : planOwners(wanted, present);
      await refuseProtected(owners?.remove ?? [], call);
      const differences = [...settings, ...(owners === null ? [] : [owners.difference])];
      if (isDryRun || differences.length === 0) {
        return { rows: differences.map(wouldSet), group: shownGroup(group, graph, [], update, present) };
      }

      let current = graph;
      const steps: ChangeStep[] = [];
      if (settings.length > 0) {
        const write = async (): Promise<StepEnd> => {
          current = await ensureSettings(group, graph, update, call);
          return { type: 'done' };
        };
        steps.push({ differences: settings, write });
      }
      // Adds first, so that the group is never without an owner (graph.md §1.4).
      for (const change of ['add', 'remove'] as const) {
        const people = owners?.[change] ?? [];
        if (owners === null || people.length === 0) continue;
        steps.push({ differences: [owners.difference], write: () => changeOwners(change, group, people, call) });
      }
      const rows = await takeSteps(steps);
      const hasOwners = rows.some(({ field, outcome }) => field === 'owners' && outcome === 'set');
      return { rows, group: shownGroup(group, current, rows, update, hasOwners && wanted !== null ? wanted : present) };
    },
  };
}

/** What was hidden at its creation stays hidden (graph.md §1.2). @throws Fault `invalid_request` */
function refuseToUnhide({ visibility, displayName }: GraphGroup, update: GroupUpdate): void {
  if (update.visibility === undefined || visibility !== 'HiddenMembership') return;
  const fix = 'Leave visibility out, or create another group and move the members.';
  throw new Fault('invalid_request', {
    detail: `${displayName} was created with a hidden membership, which cannot be changed.`,
    fix,
    errors: [{ pointer: '/visibility', message: 'cannot be changed where it is HiddenMembership', fix }],
  });
}

function differs(field: (typeof plainFields)[number], update: GroupUpdate, actual: GraphGroup): boolean {
  const wanted = update[field];
  return wanted !== undefined && (wanted ?? '') !== (actual[field] ?? '');
}

function differenceIn(
  field: (typeof plainFields)[number],
  update: GroupUpdate,
  actual: GraphGroup,
): SettingDifference[] {
  if (!differs(field, update, actual)) return [];
  return [{ field, before: actual[field] ?? '', after: update[field] ?? '' }];
}

/** By object id; null when the owners are those asked for. */
function planOwners(wanted: readonly GraphMember[], present: readonly GraphMember[]): OwnerPlan | null {
  const missingIn = (others: readonly GraphMember[]) => {
    const ids = new Set(others.map(({ id }) => id.toLowerCase()));
    return ({ id }: GraphMember) => !ids.has(id.toLowerCase());
  };
  const add = wanted.filter(missingIn(present));
  const remove = present.filter(missingIn(wanted));
  if (add.length === 0 && remove.length === 0) return null;
  const text = (owners: readonly GraphMember[]) => owners.map(ownerName).join(', ');
  return { difference: { field: 'owners', before: text(present), after: text(wanted) }, add, remove };
}

/** The group as read last, with what is proven to be set: a read-back may lag behind its write. */
function shownGroup(
  group: Group,
  actual: GraphGroup,
  rows: readonly ChangeRow[],
  update: GroupUpdate,
  owners: readonly GraphMember[],
): UpdatedGroup {
  const isRenamed = rows.some(({ field, outcome }) => field === 'displayName' && outcome === 'set');
  return {
    displayName: isRenamed ? (update.displayName ?? actual.displayName) : actual.displayName,
    alias: group.alias,
    primarySmtpAddress: group.primarySmtpAddress,
    addresses: group.addresses,
    owners: owners.map(ownerName),
  };
}

function ownerName({ userPrincipalName, mail, id }: GraphMember): string {
  return userPrincipalName ?? mail ?? id;
}

function faultOf(result: Exclude<MemberResult, { readonly type: 'settled' }>): Fault {
  const { code, message, retryAfterSeconds } = result;
  return new Fault(code, {
    detail: `Not all owners could be changed: ${message}`,
    fix: 'Repeat the request: it looks first at what is there and writes only what is missing.',
    upstream: 'graph',
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
  });
}

function protectedOwner(owner: GraphMember): Fault {
  return new Fault('protected_object', {
    detail: `${ownerName(owner)} is listed in PROTECTED_USERS and owns the group; this app does not take that away. Nothing was changed.`,
    fix: 'Keep this owner in owners, or change the owners by hand.',
  });
}
