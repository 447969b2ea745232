import { describe, expect, test } from '@jest/globals';
import { defaultCallTimes, startCall } from '../shared/call.ts';
import { createFakeClock } from './support/fakeClock.ts';

const nothing = () => undefined;
const log = { info: nothing, warn: nothing, error: nothing };

function start(times?: { totalMs: number; proofMs: number }) {
  const clock = createFakeClock();
  const call = startCall({ requestId: 'one', action: 'any', log, ...(times && { times }) }, clock);
  return { clock, call };
}

describe('the deadline of a call', () => {
  test('is 25 s in all, of which 5 s are kept back for proofs', () => {
    expect(defaultCallTimes).toEqual({ totalMs: 25_000, proofMs: 5_000 });
    const { call } = start();
    expect([call.deadline.remainingMs(), call.proving().deadline.remainingMs()]).toEqual([20_000, 25_000]);
  });

  test('ends the work first, and the proofs with it later', () => {
    const { call, clock } = start({ totalMs: 100, proofMs: 40 });
    const proof = call.proving().deadline;
    clock.advance(59);
    expect([call.deadline.signal.aborted, call.deadline.remainingMs()]).toEqual([false, 1]);
    clock.advance(1);
    expect([call.deadline.signal.aborted, call.deadline.remainingMs()]).toEqual([true, 0]);
    expect([proof.signal.aborted, proof.remainingMs()]).toEqual([false, 40]);
    clock.advance(40);
    expect([proof.signal.aborted, proof.remainingMs()]).toEqual([true, 0]);
    clock.advance(1_000);
    expect(proof.remainingMs()).toBe(0);
  });

  test('is over when its timer fired, whatever the clock says by then', () => {
    const clock = createFakeClock();
    const early = { ...clock, after: (_ms: number, callback: () => void) => (callback(), nothing) };
    const { deadline } = startCall({ requestId: 'one', action: 'any', log }, early);
    expect([deadline.signal.aborted, deadline.remainingMs()]).toEqual([true, 0]);
  });

  test('is passed although its timer is late', () => {
    const clock = createFakeClock();
    const { deadline } = startCall({ requestId: 'one', action: 'any', log }, { ...clock, after: () => nothing });
    clock.advance(30_000);
    expect([deadline.signal.aborted, deadline.remainingMs()]).toEqual([false, 0]);
  });

  test('counts for the first proof from the start of the call, not from when it is needed', () => {
    const { call, clock } = start({ totalMs: 100, proofMs: 40 });
    clock.advance(70);
    expect(call.proving().deadline.remainingMs()).toBe(30);
    const { call: late, clock: lateClock } = start({ totalMs: 100, proofMs: 40 });
    lateClock.advance(130);
    const proof = late.proving().deadline;
    expect([proof.signal.aborted, proof.remainingMs()]).toEqual([true, 0]);
  });

  test('leaves no timer behind when the call ends', () => {
    const { call, clock } = start();
    expect(clock.pending).toBe(1);
    call.proving();
    expect(clock.pending).toBe(2);
    call.end();
    expect(clock.pending).toBe(0);
  });
});

describe('a call that proves what it wrote', () => {
  test('is the same call, and proving again takes no more time', () => {
    const { call } = start();
    const proving = call.proving();
    expect(proving).toMatchObject({ requestId: 'one', action: 'any', log });
    expect(proving.proving()).toBe(proving);
    proving.warn('Something is odd.');
    expect(call.warnings).toEqual(['Something is odd.']);
  });
});

describe('warnings', () => {
  test('are told once each, in their order', () => {
    const { call } = start();
    for (const sentence of ['One.', 'Two.', 'One.']) call.warn(sentence);
    expect(call.warnings).toEqual(['One.', 'Two.']);
  });
});
