import type { Sink } from './coreTypes.ts';
import core from './functionsCore.cjs';

export const coreState = core.state;

export function createSink(log: Sink['log']): Sink {
  return {
    functions: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [] },
    log,
  };
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * Runs `load` while registrations go to `sink`. Registering is a call on a process-wide object, so that two apps can
 * only load one after the other.
 */
export function loadInto(sink: Sink, load: () => Promise<unknown>): Promise<void> {
  const run = async () => {
    coreState.loading = sink;
    try {
      await load();
    } finally {
      coreState.loading = null;
    }
  };
  const done = turn.then(run);
  turn = done.catch(() => undefined);
  return done;
}
