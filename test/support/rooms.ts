import { type Call, type CallTimes, type LogFields, startCall } from '../../shared/call.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { Fault, type UpstreamName } from '../../shared/errors.ts';
import { createTokenSource, type TokenSource } from '../../shared/upstream/tokens.ts';
import { createUpstream, type Upstream } from '../../shared/upstream/upstream.ts';

/** The rooms of `shared/` put together outside the app, to be run against a server of the test. */

export interface LogLine {
  level: 'info' | 'warn' | 'error';
  fields: LogFields;
  cause: unknown;
}

export interface TestCall extends Call {
  warnings: readonly string[];
  lines: LogLine[];
  end(): void;
}

/** A call that keeps what is logged. */
export function testCall(options: { times?: CallTimes; clock?: Clock } = {}): TestCall {
  const lines: LogLine[] = [];
  const line =
    (level: LogLine['level']) =>
    (fields: LogFields, cause?: unknown): void => {
      lines.push({ level, fields, cause });
    };
  const log = { info: line('info'), warn: line('warn'), error: line('error') };
  const { times, clock = systemClock } = options;
  const call = startCall({ requestId: 'test-request', action: 'test', log, ...(times && { times }) }, clock);
  return Object.assign(call, { lines });
}

/** A clock on which a wait takes no time but is counted: `now` moves on by it. */
export interface QuickClock extends Clock {
  waits: number[];
}

export function quickClock(): QuickClock {
  const waits: number[] = [];
  let ahead = 0;
  return {
    waits,
    now: () => systemClock.now() + ahead,
    sleep: (ms) => {
      waits.push(ms);
      ahead += ms;
      return Promise.resolve();
    },
    after: (ms, callback) => systemClock.after(ms, callback),
  };
}

export interface Claims {
  oid?: string | null;
  roles?: string[];
  wids?: string[];
}

const goodClaims = { oid: 'app-object', roles: ['Exchange.ManageAsApp'], wids: ['a-directory-role'] };

export const secretOfTokens = 'must-stay-secret';

/** Tokens as Entra makes them, numbered, signed by nobody: for servers that ask for no more. */
export function testTokens(claims: Claims = {}): TokenSource & { issued: string[] } {
  const issued: string[] = [];
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const source = createTokenSource('https://upstream.example/.default', () =>
    Promise.resolve({
      getToken: () => {
        const payload = { tid: 'a-tenant', appid: 'an-app', ...goodClaims, ...claims, jti: issued.length };
        const token = [encode({ alg: 'none' }), encode(payload), secretOfTokens].join('.');
        issued.push(token);
        return Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 });
      },
    }),
  );
  return { ...source, issued };
}

export function testUpstream(
  name: UpstreamName,
  baseUrl: string,
  options: { clock?: Clock; tokens?: TokenSource; chance?: number } = {},
): Upstream {
  const { clock = quickClock(), tokens = testTokens(), chance = 0 } = options;
  return createUpstream({ name, baseUrl, tokens, fetch, clock, random: () => chance });
}

/** The Fault that a promise is rejected with; anything else is an error of the test. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error(`Expected a fault and got ${JSON.stringify(value)}`);
}
