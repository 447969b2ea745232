import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, isFault } from '../errors.ts';
import { isEnded, type Operation } from '../operations/operation.ts';
import type { OperationStore } from '../operations/operationStore.ts';
import type { Blobs } from '../store/blobs.ts';
import { leasePauseMs, whileHeld } from '../store/leaseHold.ts';
import type { Lease, Leases } from '../store/leases.ts';
import { recentOf, type Removal } from './membership/removalGuard.ts';

/** What is known of a group's writers, kept in the blob whose lease is the right to write. */
export interface GroupNotes {
  /** The request at work that others may find: its operation once there is one. */
  readonly claim: { readonly fingerprint: string; readonly operationId: string | null } | null;
  /** Members that this app has removed in the last 24 hours. */
  readonly removals: readonly Removal[];
  /** Members that this app has added in the last 24 hours. */
  readonly additions: readonly Addition[];
  /** When this app last added a member; null: never, as far as is known. */
  readonly addedAtMs: number | null;
}

/** Members added by one request or one slice of it. */
export interface Addition {
  readonly atMs: number;
  readonly count: number;
  readonly slice?: string;
}

/** A group that nobody else writes to. */
export interface HeldGroup {
  /** Ends when the hold is lost. */
  readonly call: Call;
  readonly lost: AbortSignal;
  readonly notes: GroupNotes;
  /** @throws Fault `storage_unavailable` */
  note(change: Partial<GroupNotes>): Promise<void>;
}

/** Who asks for a group, and how it bears with others. */
export interface Applicant {
  /** The worker of this operation, which alone may go on where the operation has claimed the group. */
  readonly operationId?: string;
  /** A request like one that is at work already need not wait or fail: it is answered with the same operation. */
  readonly fingerprint?: string;
  /** How long to wait for somebody who will be done soon. */
  readonly waitMs: number;
}

export type Hold<Result> =
  | { readonly type: 'held'; readonly result: Result }
  /** The same request runs as this operation. */
  | { readonly type: 'running'; readonly operation: Operation };

export interface GroupLock {
  /**
   * Runs `work` while nobody else writes to the group (design §6.5). Short work of others is waited for; an operation
   * of theirs is not.
   * @throws Fault `group_busy`, `storage_unavailable`
   */
  hold<Result>(
    groupId: string,
    applicant: Applicant,
    call: Call,
    work: (held: HeldGroup) => Promise<Result>,
  ): Promise<Hold<Result>>;
  /** What is noted of the group, as it stands; for whoever only wants to know. */
  notes(groupId: string, call: Call): Promise<GroupNotes>;
}

const noNotes: GroupNotes = { claim: null, removals: [], additions: [], addedAtMs: null };

export function createGroupLock(dependencies: {
  leases: Leases;
  blobs: Blobs;
  operations: Pick<OperationStore, 'get'>;
  clock: Clock;
  random: () => number;
}): GroupLock {
  const { leases, blobs, operations, clock, random } = dependencies;

  async function readNotes(name: string, call: Call): Promise<GroupNotes> {
    // Notes of an earlier version lack what was not kept then.
    const notes = { ...noNotes, ...((await blobs.read(name, call)) as Partial<GroupNotes> | null) };
    return upToDate(notes, clock.now());
  }

  /** The operation that has claimed the group and goes on; a claim outlives its operation when the app crashed. */
  async function runningOperation({ claim }: GroupNotes, call: Call): Promise<Operation | null> {
    const operationId = claim?.operationId ?? null;
    const operation = operationId === null ? null : await operations.get(operationId, call);
    return operation === null || isEnded(operation) ? null : operation;
  }

  /** Judges what a group's present writer lets an applicant do. @throws Fault `group_busy` */
  async function bearWith(
    notes: GroupNotes,
    applicant: Applicant,
    call: Call,
    isHeld: boolean,
  ): Promise<Operation | null> {
    const operation = await runningOperation(notes, call);
    if (operation === null || operation.operationId === applicant.operationId) return null;
    // It is prepared by a request that holds the group: once the group is free, that request is dead.
    if (isHeld && operation.state === 'preparing') return null;
    if (operation.fingerprint === applicant.fingerprint) return operation;
    throw groupBusy(operation);
  }

  /** The lease, or the operation that runs for the same request. @throws Fault `group_busy` */
  async function acquire(name: string, applicant: Applicant, call: Call): Promise<Lease | Operation> {
    const giveUpAtMs = clock.now() + applicant.waitMs;
    for (;;) {
      const lease = await leases.acquire(name, call);
      if (lease !== null) return lease;
      const notes = await readNotes(name, call);
      const operation = await bearWith(notes, applicant, call, false);
      if (operation !== null) return operation;
      const { claim } = notes;
      // Another membership is just being made exact: two who want different things must know of each other.
      const wantsOther =
        applicant.fingerprint !== undefined && claim !== null && claim.fingerprint !== applicant.fingerprint;
      const waitMs = leasePauseMs(random());
      const isPatient = clock.now() + waitMs < giveUpAtMs && waitMs < call.deadline.remainingMs();
      if (wantsOther || !isPatient) throw groupBusy(null);
      await clock.sleep(waitMs, call.deadline.signal);
    }
  }

  return {
    hold: async (groupId, applicant, call, work) => {
      const name = nameOf(groupId);
      const taken = await acquire(name, applicant, call);
      if (!('release' in taken)) return { type: 'running', operation: taken };
      return whileHeld(taken, call, async (heldCall) => {
        let notes = await readNotes(name, heldCall);
        const operation = await bearWith(notes, applicant, heldCall, true);
        if (operation !== null) return { type: 'running', operation };
        const note = async (change: Partial<GroupNotes>) => {
          const changed = upToDate({ ...notes, ...change }, clock.now());
          await blobs.write(name, changed, heldCall.proving(), taken.id);
          notes = changed;
        };
        const held: HeldGroup = {
          call: heldCall,
          lost: taken.lost,
          get notes() {
            return notes;
          },
          note,
        };
        return { type: 'held', result: await work(held) };
      });
    },

    notes: (groupId, call) => readNotes(nameOf(groupId), call),
  };
}

/**
 * Notes what has been written: members that went count in the guard's window, whoever removed them (design §6.7), and
 * members that came may not show in Graph for a while. A slice that is told of again counts once.
 * @throws Fault `storage_unavailable`
 */
export async function noteWritten(held: HeldGroup, addedCount: number, removal: Removal): Promise<void> {
  if (addedCount + removal.count === 0) return;
  const { notes } = held;
  const isOther = ({ slice }: { readonly slice?: string }) => slice === undefined || slice !== removal.slice;
  const addition = { ...removal, count: addedCount };
  await held.note({
    removals: removal.count === 0 ? notes.removals : [...notes.removals.filter(isOther), removal],
    additions: addedCount === 0 ? notes.additions : withAddition(notes.additions.filter(isOther), addition),
    addedAtMs: addedCount === 0 ? notes.addedAtMs : removal.atMs,
  });
}

/** So near to each other that they are kept as one: people who come one by one must not make the notes grow. */
const sameAdditionMs = 10 * 60_000;

function withAddition(additions: readonly Addition[], { atMs, count, slice }: Addition): readonly Addition[] {
  const last = additions.at(-1);
  if (slice !== undefined) return [...additions, { atMs, count, slice }];
  const isNear = last?.slice === undefined && last !== undefined && atMs - last.atMs < sameAdditionMs;
  return isNear
    ? [...additions.slice(0, -1), { atMs: last.atMs, count: last.count + count }]
    : [...additions, { atMs, count }];
}

function upToDate(notes: GroupNotes, nowMs: number): GroupNotes {
  const { removals, additions } = notes;
  return { ...notes, removals: recentOf(removals, nowMs), additions: recentOf(additions, nowMs) };
}

/** The same for a request, whose reply must tell what was done: that it cannot be noted is a warning. */
export async function tryToNoteWritten(held: HeldGroup, addedCount: number, removal: Removal): Promise<void> {
  await noteWritten(held, addedCount, removal).catch((error: unknown) => {
    if (!isFault(error)) throw error;
    held.call.warn('The removals could not be counted for the guard of later requests.');
  });
}

/** Exchange's writes take a while to show in Graph (exchange.md §4, Consistency): nearly always less than this. */
const showsWithinMs = 60_000;

/** Who was added a moment ago may not show yet, and then is not removed: the reply must say so. */
export function warnOfLag({ addedAtMs }: GroupNotes, nowMs: number, call: Pick<Call, 'warn'>): void {
  if (addedAtMs === null || nowMs - addedAtMs > showsWithinMs) return;
  call.warn(
    'Members were added to this group within the last minute, and Graph may not show all of them yet: if somebody is to be removed who has just been added, repeat the request in a minute.',
  );
}

function nameOf(groupId: string): string {
  return `groups/${groupId.toLowerCase()}.json`;
}

export function groupBusy(operation: Operation | null): Fault {
  if (operation === null) {
    return new Fault('group_busy', {
      detail: 'Another request is writing to this group right now; nothing was written.',
      fix: 'Repeat the request in some seconds.',
    });
  }
  return new Fault('group_busy', {
    detail: `The operation ${operation.operationId} is changing the members of ${operation.targetName}; nothing was written.`,
    fix: `Wait until GET operations/${operation.operationId} says done, or end it with POST operations/${operation.operationId}/cancel; then repeat the request.`,
  });
}
