import { randomUUID } from 'node:crypto';
import type { BlobLeaseClient, BlockBlobClient } from '@azure/storage-blob';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Blobs } from './blobs.ts';
import { statusOfStoreError } from './storeFault.ts';

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

/** How long a release is waited for: a lease that is not given back ends by itself. */
const releaseMs = 2_000;

/** Blob leases (design §3), renewed in the background until released. */
export function createLeases(blobs: Blobs, clock: Clock): Leases {
  /** Takes it under an id of ours: a try whose answer was lost can be repeated, and finds its own. */
  async function take(blob: BlockBlobClient, id: string, abortSignal: AbortSignal): Promise<BlobLeaseClient | null> {
    const client = blob.getBlobLeaseClient(id);
    try {
      await client.acquireLease(leaseSeconds, { abortSignal });
      return client;
    } catch (error) {
      const status = statusOfStoreError(error);
      if (status === 409) return null;
      if (status !== 404) throw error;
    }
    try {
      await blob.upload('null', 4, { conditions: { ifNoneMatch: '*' }, abortSignal });
    } catch (error) {
      // Made by somebody else in the meantime, and perhaps leased already.
      if (![409, 412].includes(statusOfStoreError(error) ?? 0)) throw error;
    }
    return take(blob, id, abortSignal);
  }

  return {
    acquire: async (name, call) => {
      const askedAtMs = clock.now();
      const client = await blobs.use('taking the lease of', name, call, (blob) =>
        take(blob, randomUUID(), call.deadline.signal),
      );
      return client === null ? null : keep(client, askedAtMs);
    },
  };

  function keep(client: BlobLeaseClient, takenAtMs: number): Lease {
    const controller = new AbortController();
    let cancelExpiry = expireAfter(takenAtMs);
    let cancelRenewal = clock.after(renewEveryMs, renew);

    /** Nothing is renewed from then on: what is given up must become free. */
    function stop(): void {
      cancelRenewal();
      cancelExpiry();
    }

    function lose(): void {
      stop();
      controller.abort();
    }

    /** Counted from when it was asked for: the storage's own count begins later. */
    function expireAfter(askedAtMs: number): () => void {
      return clock.after(askedAtMs + leaseSeconds * 1_000 - marginMs - clock.now(), lose);
    }

    function renew(): void {
      const askedAtMs = clock.now();
      const isOver = { value: false };
      const cancelNext = clock.after(renewEveryMs, renew);
      cancelRenewal = () => {
        isOver.value = true;
        cancelNext();
      };
      client.renewLease().then(
        () => {
          if (isOver.value) return;
          cancelExpiry();
          cancelExpiry = expireAfter(askedAtMs);
        },
        (error: unknown) => {
          // Somebody else has it, or it is gone with its blob. Anything else is tried again while there is time.
          if (!isOver.value && [404, 409, 412].includes(statusOfStoreError(error) ?? 0)) lose();
        },
      );
    }

    return {
      id: client.leaseId,
      lost: controller.signal,
      release: async () => {
        stop();
        const patience = new AbortController();
        const cancel = clock.after(releaseMs, () => patience.abort());
        await client.releaseLease({ abortSignal: patience.signal }).catch(() => undefined);
        cancel();
      },
    };
  }
}
