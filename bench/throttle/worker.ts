// One process of the throttle bench: takes its job over IPC, does it, says how it went, and ends with its parent.
import type { Job, Tally, Write } from './job.ts';
import { scaledClock } from './scaledClock.ts';
import { strategies } from './strategies.ts';

process.once('disconnect', () => process.exit(1));
process.once('message', (message) => {
  void run(message as Job).then((tally) => process.send?.(tally));
});
process.send?.('ready');

async function run(job: Job): Promise<Tally> {
  const clock = scaledClock(job.speed);
  let calls = 0;
  let refused = 0;
  let done = 0;
  const reasons: Record<string, number> = {};
  const counted: typeof fetch = async (...request) => {
    calls += 1;
    const response = await fetch(...request);
    if (response.status === 429) refused += 1;
    return response;
  };
  const strategy = strategies[job.strategy](job, clock, counted);
  const left = [...job.writes];
  const caller = async () => {
    for (let write: Write | undefined = left.shift(); write !== undefined; write = left.shift()) {
      const reason = await strategy(write);
      if (reason === null) done += 1;
      else reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
  };

  const startedAtMs = clock.now();
  const finished = Promise.all(Array.from({ length: job.callers }, caller)).then(() => false);
  const timeUp = new Promise<boolean>((resolve) => clock.after(job.limitMs, () => resolve(true)));
  const isCutOff = await Promise.race([finished, timeUp]);
  const abandoned = Object.values(reasons).reduce((sum, count) => sum + count, 0);
  return { done, abandoned, calls, refused, tookMs: clock.now() - startedAtMs, isCutOff, reasons: { ...reasons } };
}
