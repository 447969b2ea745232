import { randomUUID } from 'node:crypto';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, type FaultDetails, type UpstreamName } from '../errors.ts';
import { createGate, type Gate, NoTurn, type Ticket } from './gate.ts';
import { decide, type Effect, type Ending } from './policy.ts';
import { redact } from './redact.ts';
import { readRetryAfterMs } from './retryAfter.ts';
import { createRetryBudget } from './retryBudget.ts';
import type { Token, TokenClaims, TokenSource } from './tokens.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Absolute; must lie under the upstream's own base, or it is refused before a token is attached. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function makes it anew for each attempt. */
  readonly body?: string | (() => string);
  readonly effect: Effect;
  /** For logs: a cmdlet or a path without values. */
  readonly label: string;
  /** Whether an answer below 500 is an upstream's passing failure all the same. */
  readonly isTransient?: (status: number, text: string) => boolean;
}

/** An answer that was read to its end. Status codes are for the client to judge. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly requestId: string;
  /** Of the token that was sent: evidence for a 401 or 403. */
  readonly claims: TokenClaims;
}

export interface Upstream {
  readonly name: UpstreamName;
  readonly baseUrl: string;
  readonly tokens: TokenSource;
  /**
   * Sends one request under the one policy: our token, the call's deadline, retries that are certain to be safe.
   * @throws Fault `throttled` (with retryAfterSeconds), `deadline_exceeded` (a read), `outcome_unknown` (a write that
   *   was sent and not answered: read back before anything else), `upstream_failed`, `foreign_link`, credential faults
   */
  send(request: UpstreamRequest, call: Call): Promise<UpstreamResponse>;
  /** A part of a `$batch` was throttled: the whole scope waits. */
  slowDown(effect: Effect, retryAfterMs: number | null): void;
}

export interface UpstreamOptions {
  readonly name: UpstreamName;
  readonly baseUrl: string;
  readonly tokens: TokenSource;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Errors of a connection that was never made (Node's `cause.code`): the request cannot have been seen. */
const notSentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** Exchange's tenant-wide cap, sent as plain text with a status nobody recorded (exchange.md §1.7). */
const concurrencyText = /maximum number of concurrent requests/i;

/** Where nothing says how long to wait. */
const defaultRetryAfterSeconds = 10;
/** A queue may be left by many at once: what it takes to drain is a guess, and the longer the worse. */
const maxDrainSeconds = 60;

const vendorOf = (name: UpstreamName) => (name === 'okta' ? 'Okta' : 'Microsoft');

function secondsOf(waitMs: number | null): number {
  return waitMs === null ? defaultRetryAfterSeconds : Math.max(1, Math.ceil(waitMs / 1_000));
}

export function createUpstream(options: UpstreamOptions): Upstream {
  const { name, baseUrl, tokens, clock } = options;
  // Graph and Okta count reads and writes apart (graph.md §7.1, okta.md §4); of Exchange nothing of the kind is known.
  const gate = createGate(clock, options.random);
  const gates: Readonly<Record<Effect, Gate>> = {
    read: gate,
    write: name === 'exchange' ? gate : createGate(clock, options.random),
  };
  const budget = createRetryBudget();
  const ownPrefix = `${new URL(baseUrl).origin}/`;

  async function send(request: UpstreamRequest, call: Call): Promise<UpstreamResponse> {
    refuseForeign(request.url);
    const gate = gates[request.effect];
    const place = gate.place();
    for (let attempt = 1; ; attempt += 1) {
      if (call.deadline.signal.aborted) throw outOfTime();
      const token = await tokens.get(call);
      const ticket = await enter(gate, place, call);
      const outcome = await attemptOnce(request, token, call);
      tell(ticket, outcome.ending);
      logAttempt(request, call, attempt, outcome);
      const decision = decide(known(outcome.ending, gate), {
        effect: request.effect,
        attempt,
        remainingMs: call.deadline.remainingMs(),
        chance: options.random(),
      });
      if (decision.type === 'deliver' && outcome.response !== null) return outcome.response;
      const afterMs = decision.type === 'deliver' ? null : decision.afterMs;
      const mayRetry = decision.type === 'retry' && (outcome.ending.type === 'throttled' || budget.take());
      if (!mayRetry) throw giveUp(request, call, outcome, afterMs);
      // Who was throttled waits at the gate with everybody else.
      if (outcome.ending.type !== 'throttled') await clock.sleep(afterMs ?? 0, call.deadline.signal);
    }
  }

  async function enter(gate: Gate, place: number, call: Call): Promise<Ticket> {
    try {
      return await gate.enter(place, call);
    } catch (error) {
      if (!(error instanceof NoTurn)) throw error;
      if (error.afterMs > 0) throw throttledFault(error.afterMs, { upstream: name });
      throw error.queued > 0 ? queueTooLong(error) : outOfTime();
    }
  }

  function tell(ticket: Ticket, ending: Ending): void {
    if (ending.type === 'throttled') ticket.throttled(ending.retryAfterMs);
    else if (ending.type === 'answered') ticket.passed();
    else ticket.lost();
    if (ending.type === 'answered') budget.giveBack();
  }

  /** A token sent to another host is a token given away (design §6.10). */
  function refuseForeign(url: string): void {
    if (url.startsWith(ownPrefix)) return;
    // The same host in other letters.
    if (URL.canParse(url) && new URL(url).href.startsWith(ownPrefix)) return;
    throw new Fault('foreign_link', {
      detail: `An answer of ${name} links to another host (${URL.canParse(url) ? new URL(url).host : 'not a URL'}); it was not followed.`,
      fix: `Repeat the request; if it stays, look for a proxy between the function app and ${vendorOf(name)} that rewrites links.`,
      upstream: name,
    });
  }

  async function attemptOnce(request: UpstreamRequest, token: Token, call: Call): Promise<Attempt> {
    const requestId = randomUUID();
    const startedAtMs = clock.now();
    const base = { requestId, claims: token.claims };
    const { method, url, body } = request;
    try {
      const response = await options.fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...request.headers,
          ...token.authorize({ method, url }),
          'client-request-id': requestId,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : body() }),
        redirect: 'manual',
        signal: call.deadline.signal,
      });
      const text = await response.text();
      const answer: UpstreamResponse = {
        ...base,
        status: response.status,
        headers: response.headers,
        text,
        requestId: response.headers.get('request-id') ?? response.headers.get('x-okta-request-id') ?? requestId,
      };
      return {
        ending: endingOf(request, answer, clock.now()),
        response: answer,
        error: null,
        durationMs: clock.now() - startedAtMs,
      };
    } catch (error) {
      const ending: Ending = { type: wasSent(error) ? 'unanswered' : 'notSent' };
      return { ending, response: null, error, durationMs: clock.now() - startedAtMs };
    }
  }

  function giveUp(request: UpstreamRequest, call: Call, outcome: Attempt, afterMs: number | null): Fault {
    const what = outcome.response === null ? redact(describe(outcome.error)) : `HTTP ${outcome.response.status}`;
    const common = {
      upstream: name,
      upstreamRequestId: outcome.response?.requestId ?? null,
      cause: outcome.error ?? undefined,
    };
    if (outcome.ending.type === 'throttled') return throttledFault(afterMs, common);
    if (request.effect === 'write' && outcome.ending.type === 'unanswered') {
      return new Fault('outcome_unknown', {
        ...common,
        detail: `${request.label} was sent to ${name} and not answered properly (${what}); it may have been carried out.`,
        fix: 'Repeat the request: it looks first at what is there and writes only what is missing.',
      });
    }
    if (call.deadline.signal.aborted) return outOfTime(outcome.error ?? undefined);
    return new Fault('upstream_failed', {
      ...common,
      detail: `${name} did not answer ${request.label} properly (${what}).`,
      fix: `Repeat the request later; if it stays, check ${name === 'okta' ? 'status.okta.com' : 'the service health page of the Microsoft 365 admin center'}.`,
    });
  }

  /** Nobody refused us: more was asked of this app at once than goes out at the pace that the upstream takes. */
  function queueTooLong({ queued, drainMs }: NoTurn): Fault {
    const retryAfterSeconds = Math.min(maxDrainSeconds, secondsOf(drainMs));
    return new Fault('throttled', {
      detail: `The time for this request was over before its turn to call ${name} came: ${queued} other ${queued === 1 ? 'call' : 'calls'} of this app were waiting.`,
      fix: 'Repeat the request after Retry-After, or send fewer at once; nothing of this step was written.',
      upstream: name,
      retryAfterSeconds,
    });
  }

  function throttledFault(afterMs: number | null, common: Pick<FaultDetails, 'upstream' | 'upstreamRequestId'>): Fault {
    const retryAfterSeconds = secondsOf(afterMs);
    return new Fault('throttled', {
      ...common,
      detail: `${name} is throttling this app and asks to wait ${retryAfterSeconds} s.`,
      fix: 'Repeat the request after Retry-After; nothing of this step was written.',
      retryAfterSeconds,
    });
  }

  function outOfTime(cause?: unknown): Fault {
    return new Fault('deadline_exceeded', {
      detail: `The time for this request was over before ${name} had answered.`,
      fix: 'Repeat the request; what was done already is recognised.',
      upstream: name,
      cause,
    });
  }

  function logAttempt(request: UpstreamRequest, call: Call, attempt: number, outcome: Attempt): void {
    call.log.info({
      event: 'upstream',
      upstream: name,
      label: request.label,
      attempt,
      status: outcome.response?.status ?? null,
      ending: outcome.ending.type,
      durationMs: outcome.durationMs,
      upstreamRequestId: outcome.response?.requestId ?? null,
      requestId: call.requestId,
    });
  }

  return {
    name,
    baseUrl,
    tokens,
    send,
    slowDown: (effect, retryAfterMs) => gates[effect].slowDown(retryAfterMs),
  };
}

/** What is known of a throttling once the gate has been told of it: how long it stays closed. */
function known(ending: Ending, gate: Gate): Ending {
  return ending.type === 'throttled' ? { type: 'throttled', retryAfterMs: gate.closedForMs() } : ending;
}

interface Attempt {
  readonly ending: Ending;
  readonly response: UpstreamResponse | null;
  readonly error: unknown;
  readonly durationMs: number;
}

/** Text alone, not JSON: a group's description may quote it. */
function isConcurrencyText(text: string): boolean {
  return !text.trimStart().startsWith('{') && concurrencyText.test(text.slice(0, 500));
}

function endingOf(request: UpstreamRequest, response: UpstreamResponse, nowMs: number): Ending {
  const isThrottled = response.status === 429 || isConcurrencyText(response.text);
  if (isThrottled) return { type: 'throttled', retryAfterMs: readRetryAfterMs(response.headers, nowMs) };
  if (response.status >= 500 || response.status === 408) return { type: 'unanswered' };
  if (request.isTransient?.(response.status, response.text) === true) return { type: 'unanswered' };
  return { type: 'answered' };
}

/** Read by shape, not by class: fetch's errors may come from another realm than ours. */
function fieldOf(value: unknown, name: 'cause' | 'code' | 'message'): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
}

function wasSent(error: unknown): boolean {
  const code = fieldOf(fieldOf(error, 'cause'), 'code');
  return !(typeof code === 'string' && notSentCodes.has(code));
}

function describe(error: unknown): string {
  const cause = fieldOf(error, 'cause');
  const details = [fieldOf(cause, 'code'), fieldOf(cause, 'message')].filter((each) => typeof each === 'string');
  return [String(error), ...details].join(' ');
}
