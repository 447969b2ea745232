import { type Call, endedBy } from '../call.ts';
import type { Lease } from './leases.ts';

/** Works with a call that ends when the lease is lost, and gives the lease back. */
export async function whileHeld<Result>(
  lease: Lease,
  call: Call,
  work: (heldCall: Call) => Promise<Result>,
): Promise<Result> {
  const heldCall = endedBy(call, lease.lost);
  try {
    return await work(heldCall);
  } finally {
    heldCall.end();
    await lease.release();
  }
}

const lookAgainMs = { least: 150, most: 500 };

/** How long to wait before a lease of somebody else is asked for again. @param chance in [0, 1) */
export function leasePauseMs(chance: number): number {
  return lookAgainMs.least + chance * (lookAgainMs.most - lookAgainMs.least);
}
