import { Cron } from 'croner';

export interface Schedule {
  /** The first occurrence after `after`; null when there is none. */
  next(after: Date): Date | null;
  /** Calls at each occurrence, but for those that fall into a call under way. @returns what ends it */
  start(call: () => Promise<void>): () => void;
}

const field = /^(?:\*|\d+|[a-z]{3})(?:[-,/](?:\*|\d+|[a-z]{3}))*$/i;

/**
 * An NCRONTAB expression, in UTC as in Azure. What Azure would not read is refused, rather than fired differently from
 * there: five fields would lack the seconds, and macros and `L W # ?` are of other crons.
 */
export function parseSchedule(expression: string): Schedule {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 6 || !fields.every((each) => field.test(each))) {
    throw new Error(
      `"${expression}" is no schedule. It has to be {second} {minute} {hour} {day} {month} {day of week}, such as ` +
        '"0 */5 * * * *".',
    );
  }
  // NCRONTAB wants day and day of week to fit both.
  const options = { timezone: 'UTC', mode: '6-part', domAndDow: true, sloppyRanges: true } as const;
  const cron = new Cron(fields.join(' '), options);
  return {
    next: (after) => cron.nextRun(after),
    start: (call) => {
      const job = new Cron(fields.join(' '), { ...options, protect: true }, call);
      return () => job.stop();
    },
  };
}
