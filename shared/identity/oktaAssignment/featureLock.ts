import type { Audit, Intent } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { DeactivateUsers, OktaProvisioning } from '../../okta/provisioning.ts';
import type { Blobs } from '../../store/blobs.ts';
import { leasePauseMs, whileHeld } from '../../store/leaseHold.ts';
import type { Lease, Leases } from '../../store/leases.ts';
import {
  afterOff,
  type FeatureHolder,
  type FeatureNotes,
  type FeatureStep,
  noFeatureNotes,
  stepOfWatch,
  stepToHold,
  stepToLetGo,
} from './featureHold.ts';
import { recordAnyway } from './recordAnyway.ts';

/** "Deactivate Users" of Okta's apps: off while anybody needs it off, and afterwards as it was (docs/immutable-id.md). */
export interface FeatureLock {
  /**
   * Sees to it that the feature is off, and stays so until `letGo`.
   * @returns whether it was turned now
   * @throws Fault `okta_app_busy`, `not_replicated`, those of Okta, audit and storage: to be repeated
   */
  hold(appId: string, holder: FeatureHolder, call: Call): Promise<boolean>;
  /** The last one turns it back to what it was. Throws as `hold` does, but for the audit. @returns whether it was turned now */
  letGo(appId: string, holderId: string, call: Call): Promise<boolean>;
  /** For the sweep: turns back what has landed late. */
  watch(appId: string, call: Call): Promise<boolean>;
  notes(appId: string, call: Call): Promise<FeatureNotes>;
  /** Apps that anything is kept of. */
  appIds(call: Call): Promise<readonly string[]>;
}

export interface FeatureLockDependencies {
  readonly leases: Leases;
  readonly blobs: Blobs;
  readonly oktaProvisioning: OktaProvisioning;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly random: () => number;
}

const folder = 'okta-apps/';
/** Others hold the lease for a few requests. */
const patienceMs = 8_000;
/** Reads that may show what was before, and how far apart they are. */
const proofs = { most: 5, apartMs: 400 };
const mostApps = 1_000;

type NextStep = (notes: FeatureNotes, seen: DeactivateUsers | null) => FeatureStep;

export function createFeatureLock(dependencies: FeatureLockDependencies): FeatureLock {
  const { leases, blobs, oktaProvisioning, audit, clock, random } = dependencies;

  async function readNotes(appId: string, call: Call): Promise<FeatureNotes> {
    return { ...noFeatureNotes, ...((await blobs.read(nameOf(appId), call)) as Partial<FeatureNotes> | null) };
  }

  async function acquire(appId: string, call: Call): Promise<Lease> {
    const giveUpAtMs = clock.now() + patienceMs;
    for (;;) {
      const lease = await leases.acquire(nameOf(appId), call);
      if (lease !== null) return lease;
      const waitMs = leasePauseMs(random());
      if (clock.now() + waitMs > giveUpAtMs || waitMs > call.deadline.remainingMs()) throw appBusy(appId);
      await clock.sleep(waitMs, call.deadline.signal);
    }
  }

  /** @returns whether the feature was turned */
  async function follow(appId: string, next: NextStep, isWayBack: boolean, call: Call): Promise<boolean> {
    const lease = await acquire(appId, call);
    return whileHeld(lease, call, (heldCall) => takeSteps(appId, next, isWayBack, lease, heldCall));
  }

  /** One step after the other, each from what is stored and what Okta says. */
  async function takeSteps(appId: string, next: NextStep, isWayBack: boolean, lease: Lease, call: Call) {
    let notes = await readNotes(appId, call);
    const store = async (changed: FeatureNotes) => {
      await blobs.write(nameOf(appId), changed, call.proving(), lease.id);
      notes = changed;
    };
    for (let turns = 0; ;) {
      const step = next(notes, await oktaProvisioning.deactivateUsers(appId, call));
      if (step.type === 'done') return turns > 0;
      if (step.type === 'store') {
        await store(step.notes);
        continue;
      }
      if (turns === proofs.most) throw notShown(appId, step.to);
      // Found unchanged it is lag, or was lost: written once more, it does no harm.
      if (turns > 0) await clock.sleep(proofs.apartMs, call.deadline.signal);
      turns += 1;
      if (step.notes !== null) await store(step.notes);
      const isAnswered = await turn(appId, step.to, isWayBack, call);
      if (step.to === 'DISABLED' && isAnswered) await store(afterOff(notes));
    }
  }

  /** @returns whether Okta has answered; what was lost is told by the next read */
  async function turn(appId: string, to: DeactivateUsers, isWayBack: boolean, call: Call): Promise<boolean> {
    const intent: Intent = {
      operation: `PUT /api/v1/apps/${appId}/features/USER_PROVISIONING`,
      targetType: 'tenant',
      targetId: appId,
      targetName: `"Deactivate Users" of the app ${appId} of Okta`,
      before: { lifecycleDeactivate: to === 'ENABLED' ? 'DISABLED' : 'ENABLED' },
      planned: { lifecycleDeactivate: to },
    };
    const write = async () => {
      await oktaProvisioning.setDeactivateUsers(appId, to, call);
      return { result: null, after: { lifecycleDeactivate: to }, upstreamRequestId: null };
    };
    try {
      await (isWayBack ? recordAnyway(audit, intent, call, write) : audit.record(intent, call, write));
      return true;
    } catch (error) {
      if (!isFault(error, 'outcome_unknown')) throw error;
      return false;
    }
  }

  return {
    hold: (appId, holder, call) => follow(appId, (notes, seen) => stepToHold(notes, seen, holder), false, call),
    letGo: (appId, holderId, call) =>
      follow(appId, (notes, seen) => stepToLetGo(notes, seen, holderId, clock.now()), true, call),
    watch: (appId, call) => follow(appId, (notes, seen) => stepOfWatch(notes, seen, clock.now()), true, call),
    notes: readNotes,
    appIds: async (call) => {
      const names = await blobs.list({ prefix: folder, after: null, limit: mostApps }, call);
      return names.map((name) => name.slice(folder.length, -'.json'.length));
    },
  };
}

function nameOf(appId: string): string {
  return `${folder}${appId}.json`;
}

function appBusy(appId: string): Fault {
  return new Fault('okta_app_busy', {
    detail: `Another repair is turning "Deactivate Users" of the app ${appId} of Okta right now.`,
    fix: 'Repeat the request in some seconds.',
  });
}

function notShown(appId: string, to: DeactivateUsers): Fault {
  return new Fault('not_replicated', {
    detail: `Okta does not show "Deactivate Users" of the app ${appId} as ${to}, although it was set.`,
    fix: 'Repeat the request in a minute.',
    upstream: 'okta',
  });
}
