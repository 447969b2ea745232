/**
 * Settles as `work` does, or rejects as soon as `signal` aborts: for libraries that do not hand a signal on to their
 * transport, so that nothing outlasts a deadline.
 */
export function abortable<Result>(signal: AbortSignal, work: Promise<Result>, message: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(message));
    const settle = () => signal.removeEventListener('abort', late);
    work.finally(settle).then(resolve, reject);
    if (signal.aborted) late();
    else signal.addEventListener('abort', late);
  });
}
