/**
 * Preloaded into a process whose memory is measured (`node --import`). As the process ends it says on stderr what it
 * needed at most. With PROBE=live it collects all garbage again and again, which takes time, and says what was left.
 */
import { readFileSync, writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

export interface Memory {
  /** The most physical memory (VmHWM of Linux), garbage and Node.js itself included. */
  readonly peakRssBytes: number;
  /** The most that was in use after a collection, buffers included; null where it was not looked for. */
  readonly peakLiveBytes: number | null;
}

const everyMs = 50;

if (isMainThread) {
  let peakLiveBytes: number | null = null;
  if (process.env.PROBE === 'live') {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    setInterval(() => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      peakLiveBytes = Math.max(peakLiveBytes ?? 0, heapUsed + external);
    }, everyMs).unref();
  }
  process.once('exit', () => {
    const memory: Memory = { peakRssBytes: readPeakRss(), peakLiveBytes };
    writeSync(2, `\n${JSON.stringify({ memory })}\n`);
  });
}

/** Not `resourceUsage().maxRSS`: on Linux that begins with the memory of whoever started the process. */
function readPeakRss(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (kib === undefined) throw new Error('/proc/self/status has no VmHWM: this bench needs Linux.');
  return Number(kib) * 1_024;
}
