import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Job, Tally } from './job.ts';

const script = fileURLToPath(new URL('worker.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Runs the jobs at the same time, each in a process of its own; none begins before all are ready. */
export async function runJobs(jobs: readonly Job[]): Promise<Tally[]> {
  const workers = jobs.map(() => fork(script, { execArgv: ['--import', tsx], serialization: 'advanced' }));
  const nextMessage = (worker: (typeof workers)[number]) =>
    new Promise<unknown>((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`A worker ended with exit code ${code ?? 'unknown'}.`));
      worker.once('exit', ended);
      worker.once('message', (message) => {
        worker.off('exit', ended);
        resolve(message);
      });
    });
  try {
    await Promise.all(workers.map(nextMessage));
    const tallies = workers.map(nextMessage);
    for (const [index, job] of jobs.entries()) workers[index]?.send(job);
    return (await Promise.all(tallies)) as Tally[];
  } finally {
    for (const worker of workers) worker.kill();
  }
}
