import { randomUUID } from 'node:crypto';
import type { BlobLeaseClient } from '@azure/storage-blob';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Blobs } from './blobs.ts';
import { statusOfStoreError, storeFault } from './storeFault.ts';

/** The sole right to something, for as long as it is renewed. */
export interface Lease {
  readonly id: string;
  /** Aborts when the lease could not be renewed in time: somebody else may have it now. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export interface Leases {
  /**
   * Takes the lease of a blob, which is made with `content` when it is missing; null when somebody else holds it.
   * @throws Fault `storage_unavailable`
   */
  acquire(name: string, call: Call): Promise<Lease | null>;
}

/** The shortest that Azure gives (15 to 60 s): after a crash nobody waits longer. */
const leaseSeconds = 15;
const renewEveryMs = 4_000;
/** Given up this long before it ends, so that a write begun a moment ago is not overtaken by another holder's. */
const marginMs = 3_000;

/** Blob leases (design §3), renewed in the background until released. */
export function createLeases(blobs: Blobs, clock: Clock): Leases {
  /** Takes it under an id of ours: a try whose answer was lost can be repeated, and finds its own. */
  async function take(name: string, id: string, call: Call): Promise<boolean> {
    const { signal: abortSignal } = call.deadline;
    const blob = await blobs.client(name);
    try {
      await blob.getBlobLeaseClient(id).acquireLease(leaseSeconds, { abortSignal });
      return true;
    } catch (error) {
      const status = statusOfStoreError(error);
      if (status === 409) return false;
      if (status !== 404) throw error;
    }
    try {
      await blob.upload('null', 4, { conditions: { ifNoneMatch: '*' }, abortSignal });
    } catch (error) {
      // Made by somebody else in the meantime, and perhaps leased already.
      if (![409, 412].includes(statusOfStoreError(error) ?? 0)) throw error;
    }
    return take(name, id, call);
  }

  return {
    acquire: async (name, call) => {
      const id = randomUUID();
      const askedAtMs = clock.now();
      try {
        if (!(await take(name, id, call))) return null;
      } catch (error) {
        throw storeFault(error, `taking the lease of ${name}`, call);
      }
      return keep((await blobs.client(name)).getBlobLeaseClient(id), askedAtMs);
    },
  };

  function keep(client: BlobLeaseClient, takenAtMs: number): Lease {
    const controller = new AbortController();
    let isOver = false;
    let cancelExpiry = expireAfter(takenAtMs);
    let cancelRenewal = clock.after(renewEveryMs, renew);

    /** Counted from when it was asked for: the storage's own count begins later. */
    function expireAfter(askedAtMs: number): () => void {
      return clock.after(askedAtMs + leaseSeconds * 1_000 - marginMs - clock.now(), () => controller.abort());
    }

    function renew(): void {
      const askedAtMs = clock.now();
      cancelRenewal = clock.after(renewEveryMs, renew);
      client.renewLease().then(
        () => {
          if (isOver || controller.signal.aborted) return;
          cancelExpiry();
          cancelExpiry = expireAfter(askedAtMs);
        },
        // Tried again with the next renewal, while there is time.
        () => undefined,
      );
    }

    return {
      id: client.leaseId,
      lost: controller.signal,
      release: async () => {
        isOver = true;
        cancelRenewal();
        cancelExpiry();
        // It ends by itself when this fails.
        await client.releaseLease().catch(() => undefined);
      },
    };
  }
}
