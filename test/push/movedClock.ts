import { type Clock, systemClock } from '../../shared/clock.ts';
import type { Simulator } from '../../simulator/index.ts';
import type { Settings } from '../support/world.ts';

/** Real time, and what a test lets go by beside it. */
export interface MovedClock extends Clock {
  advance(ms: number): void;
  /** Breaks whoever asks for the time then, so many questions from now, as a defect would: once. */
  breakAfter(questions: number): void;
  /** Nobody is broken any more. */
  mend(): void;
  /** Of the same time, and broken alone. */
  another(): MovedClock;
}

/** An error of nobody's making: no Fault, as a defect is none. */
export class BrokenClock extends Error {}

export function createMovedClock(): MovedClock {
  return clockOf({ ms: 0 });
}

function clockOf(ahead: { ms: number }): MovedClock {
  let questionsLeft: number | null = null;
  return {
    ...systemClock,
    now: () => {
      if (questionsLeft === 0) {
        questionsLeft = null;
        throw new BrokenClock('the clock is broken');
      }
      if (questionsLeft !== null) questionsLeft -= 1;
      return systemClock.now() + ahead.ms;
    },
    advance: (ms) => {
      ahead.ms += ms;
    },
    breakAfter: (questions) => {
      questionsLeft = questions;
    },
    mend: () => {
      questionsLeft = null;
    },
    another: () => clockOf(ahead),
  };
}

/**
 * For apps whose time a test moves: an access token of the service app would be out of its time in the org, whose clock
 * goes on as it did.
 */
export function apiTokenOf({ okta }: Pick<Simulator, 'okta'>): Settings {
  return { OKTA_API_TOKEN: okta.apiToken, OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
}
