import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  afterFailedRead,
  afterWrite,
  attentionFor,
  beforeWrite,
  endRepair,
  type Next,
  nextStep,
  type RepairWrite,
  type SeenUser,
  startRepair,
  undoOf,
} from '../../shared/identity/repairMachine.ts';
import type { RepairOutcome, RepairRecord, WriteAnswer } from '../../shared/identity/repairRecord.ts';

const home = 'amara.osei@contoso.com';
const temporary = 'amara.osei@contoso.onmicrosoft.com';
const former = 'AAAAAAAAAAAAAAAAAAAAAA==';
const desired = '1MOyofbliUerzRI0VniQqw==';
const before = { userPrincipalName: home, immutableId: former, mail: home, mailNickname: null, proxyAddresses: [] };
const goal = {
  userId: 'a0000000-0000-4000-8000-000000000001',
  desired,
  before,
  isFederated: true,
  temporaryUpn: temporary,
};

const atHome: SeenUser = { userPrincipalName: home, immutableId: former };
const away: SeenUser = { userPrincipalName: temporary, immutableId: former };
const repairedAway: SeenUser = { userPrincipalName: temporary, immutableId: desired };
const repaired: SeenUser = { userPrincipalName: home, immutableId: desired };
const renamed: SeenUser = { userPrincipalName: 'amara.keller@contoso.com', immutableId: former };

const accepted: WriteAnswer = { type: 'accepted' };
const lost: WriteAnswer = { type: 'lost', message: 'no answer' };
const refused = (why: Extract<WriteAnswer, { type: 'refused' }>['why']): WriteAnswer => ({
  type: 'refused',
  why,
  message: `Entra says ${why}`,
});

function writeOf(next: Next): RepairWrite {
  if (next.type !== 'write') throw new Error(`expected a write, not ${JSON.stringify(next)}`);
  return next;
}

/** One write that is due now, with its answer. */
function written(record: RepairRecord, seen: SeenUser, answer: WriteAnswer, nowMs: number): RepairRecord {
  const write = writeOf(nextStep(record, seen, nowMs));
  return afterWrite(beforeWrite(record, write, nowMs), write, answer, nowMs);
}

describe('the next step', () => {
  test('writes directly, and has no further step when that was taken', () => {
    const start = startRepair(goal, 0);
    expect(nextStep(start, atHome, 0)).toEqual({ type: 'write', step: 'setImmutableId', value: desired, isHome: true });
    const done = written(start, atHome, accepted, 0);
    expect(nextStep(done, repaired, 0)).toEqual({ type: 'end', outcome: 'repaired' });
  });

  test('has nothing to write where all is well', () => {
    expect(nextStep(startRepair(goal, 0), repaired, 0)).toEqual({ type: 'end', outcome: 'unchanged' });
  });

  test('swings through the managed domain once the federated one has refused', () => {
    const steps: unknown[] = [];
    let record = startRepair(goal, 0);
    const seen = [atHome, atHome, away, repairedAway];
    const answers = [refused('other'), accepted, accepted, accepted];
    for (const [index, user] of seen.entries()) {
      const write = writeOf(nextStep(record, user, index));
      steps.push([write.step, write.value]);
      record = afterWrite(beforeWrite(record, write, index), write, answers[index] ?? accepted, index);
    }
    expect(steps).toEqual([
      ['setImmutableId', desired],
      ['moveUpn', temporary],
      ['setImmutableId', desired],
      ['restoreUpn', home],
    ]);
    expect(nextStep(record, repaired, 4)).toEqual({ type: 'end', outcome: 'repaired' });
  });

  test.each(['conflict', 'invalid', 'forbidden', 'synced'] as const)(
    'ends without a change where the direct write is refused as %s',
    (why) => {
      const record = written(startRepair(goal, 0), atHome, refused(why), 0);
      expect(nextStep(record, atHome, 0)).toEqual({ type: 'end', outcome: 'refused' });
      expect(record.turnedBack).toEqual({ step: 'setImmutableId', reason: why, message: `Entra says ${why}` });
      expect(record.hasChanged).toBe(false);
    },
  );

  test('ends without a change where there is nowhere to swing through', () => {
    const record = written(startRepair({ ...goal, temporaryUpn: null }, 0), atHome, refused('other'), 0);
    expect(nextStep(record, atHome, 0)).toEqual({ type: 'end', outcome: 'refused' });
    expect(record.turnedBack?.reason).toBe('no_managed_domain');
  });

  test.each(['other', 'missing'] as const)(
    'takes a refusal as %s for lag in a managed domain, for twenty seconds',
    (why) => {
      const managed = { ...goal, isFederated: false, temporaryUpn: null };
      let record = written(startRepair(managed, 0), atHome, refused(why), 0);
      expect(nextStep(record, atHome, 0)).toEqual({ type: 'wait', untilMs: 1_000 });
      record = written(record, atHome, refused(why), 19_999);
      expect(record.turnedBack).toBeNull();
      record = written(record, atHome, refused(why), 40_000);
      expect(nextStep(record, atHome, 40_000)).toEqual({ type: 'end', outcome: 'refused' });
    },
  );

  /** As of `nowMs` 3: refused directly, moved. */
  const moved = (): RepairRecord => {
    const direct = written(startRepair(goal, 0), atHome, refused('other'), 1);
    return written(direct, atHome, accepted, 2);
  };

  test.each(['conflict', 'invalid', 'forbidden'] as const)('goes home when the value is refused as %s', (why) => {
    let record = written(moved(), away, refused(why), 3);
    expect(nextStep(record, away, 3)).toEqual({ type: 'write', step: 'restoreUpn', value: home, isHome: false });
    record = written(record, away, accepted, 4);
    expect(nextStep(record, atHome, 5)).toEqual({ type: 'end', outcome: 'rolled_back' });
  });

  test('takes any other refusal on the temporary name for lag, for five minutes', () => {
    let record = written(moved(), away, refused('other'), 3);
    expect(nextStep(record, away, 1_002)).toEqual({ type: 'wait', untilMs: 1_003 });
    record = written(record, away, refused('other'), 5 * 60_000);
    expect(record.turnedBack).toBeNull();
    record = written(record, away, refused('other'), 5 * 60_000 + 300_000);
    expect(writeOf(nextStep(record, away, 6e6)).step).toBe('restoreUpn');
  });

  test('stays where it is when the move is refused', () => {
    const direct = written(startRepair(goal, 0), atHome, refused('other'), 1);
    const record = written(direct, atHome, refused('conflict'), 2);
    expect(nextStep(record, atHome, 3)).toEqual({ type: 'end', outcome: 'rolled_back' });
    expect(record).toMatchObject({ turnedBack: { step: 'moveUpn', reason: 'conflict' }, awaySinceMs: null });
  });

  test('makes sure of being home where a move may still be on its way', () => {
    const direct = written(startRepair(goal, 0), atHome, refused('other'), 1);
    const open = written(direct, atHome, lost, 2);
    const record = written(open, atHome, refused('forbidden'), 10_000);
    expect(nextStep(record, atHome, 10_001)).toEqual({ type: 'write', step: 'restoreUpn', value: home, isHome: true });
    // Refused while it is seen at home, that is no trouble.
    expect(nextStep(written(record, atHome, refused('other'), 10_001), atHome, 10_002)).toMatchObject({ type: 'end' });
  });

  test('goes on trying to get home, whatever is answered, and says so', () => {
    let record = written(written(moved(), away, accepted, 3), repairedAway, refused('other'), 4);
    expect(attentionFor(record, repairedAway, 4)).toBeNull();
    for (let nowMs = 400_000; nowMs < 4_000_000; nowMs += 400_000) {
      record = written(record, repairedAway, refused('other'), nowMs);
      expect(record.turnedBack).toBeNull();
    }
    expect(attentionFor(record, repairedAway, 4e6)).toContain('Entra says other');
    expect(nextStep(record, repairedAway, record.last?.atMs ?? 0)).toMatchObject({ type: 'wait' });
    record = written(record, repairedAway, accepted, 5e6);
    expect(nextStep(record, repaired, 5e6)).toEqual({ type: 'end', outcome: 'repaired' });
    expect(attentionFor(record, repaired, 5e6)).toBeNull();
  });

  test('asks for attention at once when the way back is forbidden, and after five minutes away', () => {
    const settled = written(moved(), away, accepted, 3);
    expect(attentionFor(written(settled, repairedAway, refused('forbidden'), 4), repairedAway, 4)).toContain(home);
    expect(attentionFor(settled, repairedAway, 299_999)).toBeNull();
    expect(attentionFor(settled, repairedAway, 300_002)).toContain(temporary);
    expect(attentionFor(settled, null, 4)).toContain('deleted');
    expect(attentionFor(startRepair(goal, 0), null, 4)).toBeNull();
  });

  test('waits for what was accepted to show, a minute at most', () => {
    const record = moved();
    expect(nextStep(record, atHome, 3)).toEqual({ type: 'wait', untilMs: 503 });
    expect(nextStep(record, atHome, 30_000)).toEqual({ type: 'wait', untilMs: 35_000 });
    expect(writeOf(nextStep(record, atHome, 60_002)).step).toBe('moveUpn');
  });

  test('waits five seconds for what was lost to show, and sends it again', () => {
    const record = written(startRepair(goal, 0), atHome, lost, 0);
    expect(nextStep(record, atHome, 1_500)).toEqual({ type: 'wait', untilMs: 3_000 });
    expect(writeOf(nextStep(record, atHome, 5_000)).step).toBe('setImmutableId');
    expect(nextStep(record, repaired, 1_500)).toEqual({ type: 'end', outcome: 'repaired' });
  });

  test('waits as long as the throttle asks', () => {
    const record = written(startRepair(goal, 0), atHome, { type: 'throttled', waitMs: 17_000 }, 0);
    expect(nextStep(record, atHome, 5)).toEqual({ type: 'wait', untilMs: 17_000 });
    expect(nextStep(record, repaired, 17_000)).toEqual({ type: 'end', outcome: 'unchanged' });
  });

  test('gives up what has not begun for an hour, and nothing that has', () => {
    const start = afterFailedRead(startRepair(goal, 0), 3_600_001, 0);
    expect(nextStep(start, atHome, 4e6)).toEqual({ type: 'end', outcome: 'refused' });
    expect(start.turnedBack?.reason).toBe('unreachable');
    expect(afterFailedRead(moved(), 3_600_001, 9_000)).toMatchObject({ turnedBack: null, notBeforeMs: 3_609_001 });
  });

  test('gives up a move that was never carried out, too', () => {
    const direct = written(startRepair(goal, 0), atHome, refused('other'), 1);
    const record = written(direct, atHome, { type: 'throttled', waitMs: 0 }, 3_600_001);
    expect(record).toMatchObject({ awaySinceMs: null, turnedBack: { step: 'moveUpn', reason: 'unreachable' } });
    expect(nextStep(record, atHome, 4e6)).toEqual({ type: 'end', outcome: 'rolled_back' });
  });

  test('makes sure of being home after a move that was accepted, did not show, and was refused then', () => {
    const record = written(moved(), atHome, refused('conflict'), 60_002);
    expect(nextStep(record, atHome, 60_003)).toMatchObject({ step: 'restoreUpn', isHome: true });
  });

  test('leaves a user alone whom somebody else has renamed or deleted', () => {
    expect(nextStep(moved(), renamed, 3)).toEqual({ type: 'end', outcome: 'overtaken' });
    expect(nextStep(moved(), { ...renamed, immutableId: desired }, 3)).toMatchObject({
      type: 'end',
      outcome: 'repaired',
    });
    expect(nextStep(moved(), null, 3)).toEqual({ type: 'end', outcome: 'gone' });
  });

  test('knows of a write that a crash came after', () => {
    const start = startRepair(goal, 0);
    const sent = beforeWrite(start, writeOf(nextStep(start, atHome, 0)), 0);
    expect(nextStep(sent, repaired, 1)).toEqual({ type: 'end', outcome: 'repaired' });
    const again = beforeWrite(sent, writeOf(nextStep(sent, atHome, 6_000)), 6_000);
    expect(again.hasChanged).toBe(true);
  });
});

describe('a repair that has ended', () => {
  const ended = (outcome: RepairOutcome): RepairRecord => {
    const direct = written(startRepair(goal, 0), atHome, refused('other'), 1);
    return endRepair(written(direct, atHome, lost, 2), outcome);
  };
  const laterMs = 3_600_000;

  test('brings home whom a late write has moved', () => {
    for (const outcome of ['repaired', 'rolled_back'] as const) {
      expect(writeOf(nextStep(ended(outcome), away, laterMs)).step).toBe('restoreUpn');
    }
  });

  test('writes no immutable ID any more, and says what has become of it', () => {
    const quiet = (outcome: RepairOutcome): RepairRecord => ({ ...ended(outcome), awaySinceMs: null });
    expect(nextStep(quiet('repaired'), atHome, laterMs)).toEqual({ type: 'end', outcome: 'overtaken' });
    expect(nextStep(quiet('overtaken'), atHome, laterMs)).toEqual({ type: 'end', outcome: 'overtaken' });
    expect(nextStep(quiet('rolled_back'), atHome, laterMs)).toEqual({ type: 'end', outcome: 'rolled_back' });
    expect(nextStep(quiet('rolled_back'), repaired, laterMs)).toEqual({ type: 'end', outcome: 'repaired' });
  });
});

describe('the undo', () => {
  const record = startRepair(goal, 0);
  const steps = (from: RepairRecord, seen: SeenUser) => undoOf(from, seen).map(({ step, value }) => [step, value]);

  test('has one step for each thing that is not as before', () => {
    expect(steps(record, atHome)).toEqual([]);
    expect(steps(record, away)).toEqual([['restoreUpn', home]]);
    expect(steps(record, repairedAway)).toEqual([
      ['setImmutableId', former],
      ['restoreUpn', home],
    ]);
    expect(steps(record, repaired)).toEqual([
      ['moveUpn', temporary],
      ['setImmutableId', former],
      ['restoreUpn', home],
    ]);
    expect(steps({ ...record, isFederated: false }, repaired)).toEqual([['setImmutableId', former]]);
  });

  test('leaves the immutable ID of a federated user who had none: there is no way back without', () => {
    const without = { ...record, before: { ...before, immutableId: null } };
    expect(steps(without, repairedAway)).toEqual([['restoreUpn', home]]);
    expect(steps(without, repaired)).toEqual([]);
  });
});

/** What befalls one write. */
type Fate = 'ok' | 'failsBefore' | 'lostCommitted' | 'lostLate' | 'lostNever' | 'throttled' | 'forbidden' | 'lag';
const fates: readonly Fate[] = [
  'ok',
  'failsBefore',
  'lostCommitted',
  'lostLate',
  'lostNever',
  'throttled',
  'forbidden',
  'lag',
];

interface Scenario {
  readonly fates: readonly Fate[];
  /** At which effects (stores, writes, reads) the process is killed. */
  readonly kills: readonly number[];
  readonly readFailures: readonly number[];
  readonly readLagMs: number;
  readonly lateMs: number;
  readonly isFederated: boolean;
  readonly hasHolder: boolean;
  readonly isFederatedRefused: boolean;
  readonly isWayBackRefused: boolean;
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  fates: fc.array(fc.constantFrom(...fates), { maxLength: 14 }),
  kills: fc.array(fc.nat({ max: 40 }), { maxLength: 6 }),
  readFailures: fc.array(fc.nat({ max: 40 }), { maxLength: 6 }),
  readLagMs: fc.constantFrom(0, 700, 20_000),
  lateMs: fc.constantFrom(100, 4_000, 120_000),
  isFederated: fc.boolean(),
  hasHolder: fc.boolean(),
  isFederatedRefused: fc.boolean(),
  isWayBackRefused: fc.boolean(),
});

interface Change {
  readonly atMs: number;
  readonly apply: (user: SeenUser) => SeenUser;
}

/** One user in a directory that refuses, loses, delays and lags as told. */
class Directory {
  readonly #told: Scenario;
  readonly #states: { readonly atMs: number; readonly user: SeenUser }[] = [{ atMs: -1e9, user: atHome }];
  #late: Change[] = [];
  #writes = 0;
  nowMs = 0;

  constructor(told: Scenario) {
    this.#told = told;
  }

  /** As it is, whatever a replica shows. */
  get truth(): SeenUser {
    return this.#at(this.nowMs);
  }

  get hasLate(): boolean {
    return this.#late.length > 0;
  }

  advance(toMs: number): void {
    this.nowMs = Math.max(this.nowMs, toMs);
    const due = this.#late.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
    this.#late = this.#late.filter(({ atMs }) => atMs > this.nowMs);
    for (const { atMs, apply } of due) this.#commit(apply, atMs);
  }

  read(): SeenUser {
    return this.#at(this.nowMs - this.#told.readLagMs);
  }

  write(write: RepairWrite): WriteAnswer {
    const fate = this.#told.fates[this.#writes] ?? 'ok';
    this.#writes += 1;
    if (fate === 'failsBefore') return lost;
    if (fate === 'throttled') return { type: 'throttled', waitMs: 3_000 };
    if (fate === 'forbidden') return refused('forbidden');
    const judge = (user: SeenUser): WriteAnswer => this.#judge(user, write);
    if (fate === 'lostLate') {
      const apply = (user: SeenUser) => (judge(user).type === 'accepted' ? changed(user, write) : user);
      this.#late.push({ atMs: this.nowMs + this.#told.lateMs, apply });
      return lost;
    }
    if (fate === 'lostNever') return lost;
    const answer = fate === 'lag' && this.truth.userPrincipalName === temporary ? refused('other') : judge(this.truth);
    if (answer.type === 'accepted') this.#commit((user) => changed(user, write), this.nowMs);
    return fate === 'lostCommitted' ? lost : answer;
  }

  #judge({ userPrincipalName }: SeenUser, { step }: RepairWrite): WriteAnswer {
    const { isFederated, isFederatedRefused, hasHolder, isWayBackRefused } = this.#told;
    if (step === 'setImmutableId') {
      if (isFederated && isFederatedRefused && userPrincipalName === home) return refused('other');
      return hasHolder ? refused('conflict') : accepted;
    }
    return step === 'restoreUpn' && isWayBackRefused && userPrincipalName === temporary ? refused('other') : accepted;
  }

  #commit(apply: (user: SeenUser) => SeenUser, atMs: number): void {
    this.#states.push({ atMs, user: apply(this.#states.at(-1)?.user ?? atHome) });
  }

  #at(atMs: number): SeenUser {
    return this.#states.filter((state) => state.atMs <= atMs).at(-1)?.user ?? atHome;
  }
}

function changed(user: SeenUser, { step, value }: RepairWrite): SeenUser {
  return step === 'setImmutableId' ? { ...user, immutableId: value } : { ...user, userPrincipalName: value };
}

class Killed extends Error {}

/** Runs a repair by what is stored of it alone, until it ends or nothing is left to hope for. */
function play(told: Scenario, directory: Directory, store: { record: RepairRecord }, maxMs: number): boolean {
  let effects = 0;
  const effect = (): void => {
    effects += 1;
    if (told.kills.includes(effects)) throw new Killed();
  };
  const work = (): boolean => {
    let { record } = store;
    while (directory.nowMs < maxMs) {
      effect();
      const isReadFailing = told.readFailures.includes(effects);
      if (isReadFailing) {
        record = afterFailedRead(record, directory.nowMs, 0);
        directory.advance(record.notBeforeMs);
        continue;
      }
      const next = nextStep(record, directory.read(), directory.nowMs);
      if (next.type === 'wait') {
        expect(next.untilMs).toBeGreaterThan(directory.nowMs);
        directory.advance(next.untilMs);
        continue;
      }
      if (next.type === 'end') {
        store.record = endRepair(record, next.outcome);
        return true;
      }
      record = beforeWrite(record, next, directory.nowMs);
      store.record = record;
      effect();
      const answer = directory.write(next);
      effect();
      record = afterWrite(record, next, answer, directory.nowMs);
      if (told.kills.length % 2 === 0) store.record = record;
    }
    return false;
  };
  while (directory.nowMs < maxMs) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      // Somebody else takes it up.
      directory.advance(directory.nowMs + 2_000);
    }
  }
  return false;
}

describe('a repair, whatever befalls it', () => {
  test('ends as desired or as it was, or asks for attention where the way back is refused', () => {
    fc.assert(
      fc.property(scenario, (told) => {
        const directory = new Directory(told);
        const store = { record: startRepair({ ...goal, isFederated: told.isFederated }, 0) };
        const hasEnded = play(told, directory, store, 4 * 3_600_000);
        // Looked at again, twice, when late writes have come.
        if (hasEnded) {
          for (const afterMs of [5 * 60_000, 60 * 60_000]) {
            directory.advance(directory.nowMs + afterMs);
            play({ ...told, kills: [], readFailures: [] }, directory, store, directory.nowMs + 2 * 3_600_000);
          }
        }
        expect(directory.hasLate).toBe(false);
        const { truth } = directory;
        const { record } = store;
        if (truth.userPrincipalName !== home) {
          expect(told.isWayBackRefused).toBe(true);
          expect(attentionFor(record, truth, directory.nowMs)).not.toBeNull();
          expect(undoOf(record, truth).at(-1)).toEqual({ step: 'restoreUpn', value: home });
          return;
        }
        expect(record.ended).not.toBeNull();
        if (truth.immutableId === desired) {
          expect(['repaired', 'unchanged']).toContain(record.ended);
        } else {
          expect(['refused', 'rolled_back']).toContain(record.ended);
          expect(record.turnedBack).not.toBeNull();
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('where nothing is refused but by the federated domain, it ends as desired', () => {
    const kind = scenario.map((told) => ({
      ...told,
      fates: told.fates.filter((fate) => fate !== 'forbidden'),
      hasHolder: false,
      isWayBackRefused: false,
      isFederated: true,
    }));
    fc.assert(
      fc.property(kind, (told) => {
        const directory = new Directory(told);
        const store = { record: startRepair(goal, 0) };
        expect(play(told, directory, store, 4 * 3_600_000)).toBe(true);
        directory.advance(directory.nowMs + 60 * 60_000);
        play({ ...told, kills: [], readFailures: [] }, directory, store, directory.nowMs + 3_600_000);
        expect(directory.truth).toEqual(repaired);
        expect(store.record.ended).toBe('repaired');
      }),
      { numRuns: 2_000 },
    );
  });
});
