import { readFileSync } from 'node:fs';

/**
 * The most physical memory that a process has needed so far, Node.js itself and garbage included. Linux alone tells it;
 * `resourceUsage().maxRSS` will not do, as it begins there with the memory of whoever started the process.
 */
export function peakMemoryBytes(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kib === undefined) throw new Error('/proc has no VmHWM: this bench needs Linux.');
  return Number(kib) * 1_024;
}
