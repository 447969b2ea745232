import type { Call } from '../../call.ts';
import { Fault, type FaultCode } from '../../errors.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import type { Group } from '../group.ts';
import { compareMembership, type MembershipPlan, type MembershipScope } from './membershipPlan.ts';
import type { MemberTargets, TargetResolution } from './memberTargets.ts';
import type { ProtectedUsers } from '../protectedUsers.ts';
import { groupNotReady } from '../resolve.ts';

/** Who entries of one request turned out to be, kept from one try to plan to the next. */
export interface ResolutionMemory {
  find(entry: string): TargetResolution | null;
  keep(resolved: readonly (readonly [entry: string, resolution: TargetResolution])[]): Promise<void>;
}

export interface MembershipPlanner {
  /**
   * Reads the actual members page by page past an index of the desired ones, resolves what no member bears, and says
   * what is to be done. Reads only.
   * @param memory for a plan that may take several tries: what is in it is not asked again, and an entry that could not be
   *   looked up for now is no answer but a fault
   * @throws Fault `group_not_ready`, upstream faults
   */
  plan(
    group: Group,
    desired: readonly string[],
    scope: MembershipScope,
    call: Call,
    memory?: ResolutionMemory,
  ): Promise<MembershipPlan>;
}

/** Resolved together: so many that calls are saved, so few that little is held. */
const chunkSize = 100;
/** What tells nothing of the entry itself. */
const passing: readonly FaultCode[] = ['throttled', 'upstream_failed', 'deadline_exceeded'];

export function createMembershipPlanner(dependencies: {
  graphGroups: GraphGroups;
  memberTargets: MemberTargets;
  protectedUsers: ProtectedUsers;
}): MembershipPlanner {
  const { graphGroups, memberTargets, protectedUsers } = dependencies;

  /** Each entry with what it turned out to be; asked for chunk by chunk where it is not remembered. */
  async function* resolveAll(
    group: Group,
    entries: readonly string[],
    call: Call,
    memory: ResolutionMemory | null,
  ): AsyncGenerator<readonly [string, TargetResolution]> {
    const unknown: string[] = [];
    for (const entry of entries) {
      const known = memory?.find(entry) ?? null;
      if (known === null) unknown.push(entry);
      else yield [entry, known];
    }
    for (let start = 0; start < unknown.length; start += chunkSize) {
      const chunk = unknown.slice(start, start + chunkSize);
      const resolutions = await memberTargets.resolve(group.kind, 'add', chunk, call);
      const resolved = chunk.map((entry, index) => [entry, resolutionAt(resolutions, index)] as const);
      if (memory !== null) {
        const lasting = resolved.filter(([, each]) => !isPassing(each));
        await memory.keep(lasting);
        if (lasting.length < resolved.length) throw notLookedUp(resolutions);
      }
      yield* resolved;
    }
  }

  return {
    plan: async (group, desired, scope, call, memory) => {
      if (group.id === null || group.graph === null) throw groupNotReady(group);
      const comparison = compareMembership(group.id, desired, scope);
      for await (const page of graphGroups.memberPages(group.id, { addresses: true }, call)) comparison.see(page);
      for await (const [entry, resolution] of resolveAll(group, comparison.leftOver(), call, memory ?? null)) {
        comparison.resolve(entry, resolution);
      }
      const isProtected = await protectedUsers.test(call);
      return comparison.plan(({ id, userPrincipalName, mail, addresses }) =>
        isProtected([id, userPrincipalName, mail, ...addresses]),
      );
    },
  };
}

function resolutionAt(resolutions: readonly TargetResolution[], index: number): TargetResolution {
  const resolution = resolutions[index];
  if (resolution === undefined) throw new RangeError('a member without its resolution');
  return resolution;
}

function isPassing(resolution: TargetResolution): boolean {
  return resolution.type === 'failed' && passing.includes(resolution.code);
}

/** The first lookup that failed speaks for all. */
function notLookedUp(resolutions: readonly TargetResolution[]): Fault {
  const failed = resolutions.filter(isPassing);
  const [first] = failed;
  if (first === undefined || first.type === 'found') throw new RangeError('no lookup has failed');
  return new Fault(first.code, {
    detail: `${failed.length} desired entries could not be looked up. ${first.message}`,
    fix: 'It is tried again by itself.',
  });
}
