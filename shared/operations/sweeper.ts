import type { Call } from '../call.ts';
import { toFault } from '../errors.ts';

/** Work that goes on by messages, each of which may be lost. */
export interface Revival {
  readonly name: string;
  /** Puts on its way what has shown no life for a while; returns how many. */
  revive(call: Call): Promise<number>;
}

/** Something that is kept for a time. */
export interface Retention {
  readonly name: string;
  /** Removes what is past its time, as far as the call's time suffices; returns how many. */
  removeExpired(call: Call): Promise<number>;
}

export interface Sweeper {
  /** Revives what has stalled and removes what is past its retention. One part that fails keeps no other from its turn. */
  sweep(call: Call): Promise<void>;
}

export function createSweeper(dependencies: {
  revivals: readonly Revival[];
  retentions: readonly Retention[];
}): Sweeper {
  const { revivals, retentions } = dependencies;

  async function part(name: string, call: Call, work: () => Promise<number>): Promise<void> {
    const common = { event: 'sweep', part: name, requestId: call.requestId };
    try {
      const count = await work();
      if (count > 0) call.log.info({ ...common, count });
    } catch (error) {
      call.log.error({ ...common, code: toFault(error).code }, error);
    }
  }

  return {
    sweep: async (call) => {
      for (const revival of revivals) await part(revival.name, call, () => revival.revive(call));
      for (const retention of retentions) {
        await part(retention.name, call, () => retention.removeExpired(call));
      }
    },
  };
}
