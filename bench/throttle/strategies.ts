import { HTTPMessageHandler, RetryHandler } from '@microsoft/microsoft-graph-client';
import { startCall } from '../../shared/call.ts';
import type { Clock } from '../../shared/clock.ts';
import { isFault } from '../../shared/errors.ts';
import { createExchange } from '../../shared/exchange/client.ts';
import { bearerToken, readClaims } from '../../shared/upstream/tokens.ts';
import { createUpstream } from '../../shared/upstream/upstream.ts';
import type { Job, StrategyName, Write } from './job.ts';

/** Makes one write; null when it is done, else why it was given up. */
export type Strategy = (write: Write) => Promise<string | null>;

const sleep = (clock: Clock, seconds: number) => clock.sleep(seconds * 1_000, new AbortController().signal);

/** This app's client as the functions use it: each write is a call of its own with the deadline of a real one. */
function ours(job: Job, clock: Clock, counted: typeof fetch): Strategy {
  const tokens = {
    get: () => Promise.resolve(bearerToken(job.token, readClaims(job.token))),
    forget: () => undefined,
  };
  const upstream = createUpstream({
    name: 'exchange',
    baseUrl: job.exchangeUrl,
    tokens,
    fetch: counted,
    clock,
    random: Math.random,
  });
  const exchange = createExchange(upstream, job.tenantId);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return async (write) => {
    const call = startCall({ requestId: 'bench', action: 'bench', log }, clock);
    try {
      await exchange.write({ name: 'Add-DistributionGroupMember', parameters: parametersOf(write) }, call);
      return null;
    } catch (error) {
      if (isFault(error)) return `${error.code}: ${error.message}`;
      throw error;
    } finally {
      call.end();
    }
  };
}

/**
 * The retry handler of Microsoft's client as it comes: three retries, each caller for itself. Driven without the rest
 * of its chain, which attaches tokens over HTTPS only; its sleep, which takes seconds, is all that is scaled.
 */
function graphClient(job: Job, clock: Clock, counted: typeof fetch): Strategy {
  const retries = new RetryHandler();
  Reflect.set(retries, 'sleep', (seconds: number) => sleep(clock, seconds));
  const terminal = new HTTPMessageHandler();
  terminal.execute = async (context) => {
    context.response = await counted(context.request as string, context.options);
  };
  retries.setNext(terminal);
  return async (write) => {
    const [request, options] = requestOf(job, write);
    const context: Parameters<typeof retries.execute>[0] = { request, options };
    await retries.execute(context);
    return context.response === undefined ? 'no response' : outcomeOf(context.response);
  };
}

const backoffTries = 8;
const backoffCapSeconds = 32;

/** Doubling waits with jitter, as in most generic retry helpers; Retry-After is not looked at. */
function backoff(job: Job, clock: Clock, counted: typeof fetch): Strategy {
  return async (write) => {
    for (let tries = 1; ; tries += 1) {
      const response = await counted(...requestOf(job, write));
      if (response.status !== 429 || tries === backoffTries) return outcomeOf(response);
      await response.text();
      await sleep(clock, Math.min(backoffCapSeconds, 2 ** (tries - 1)) + Math.random());
    }
  };
}

const scriptTries = 5;

/** The loop of a PowerShell script: the next when the last is done, and a sleep where Retry-After asks for one. */
function oneAtATime(job: Job, clock: Clock, counted: typeof fetch): Strategy {
  return async (write) => {
    for (let tries = 1; ; tries += 1) {
      const response = await counted(...requestOf(job, write));
      if (response.status !== 429 || tries === scriptTries) return outcomeOf(response);
      await response.text();
      await sleep(clock, Number(response.headers.get('retry-after') ?? 5));
    }
  };
}

export const strategies: Readonly<Record<StrategyName, (job: Job, clock: Clock, counted: typeof fetch) => Strategy>> = {
  ours,
  graphClient,
  backoff,
  oneAtATime,
};

const parametersOf = ({ group, member }: Write) => ({
  Identity: group,
  Member: member,
  BypassSecurityGroupManagerCheck: true,
});

/** What our client sends too, less what only we send. */
function requestOf({ exchangeUrl, tenantId, token }: Job, write: Write): [string, RequestInit] {
  return [
    `${exchangeUrl}/adminapi/beta/${tenantId}/InvokeCommand`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        CmdletInput: { CmdletName: 'Add-DistributionGroupMember', Parameters: parametersOf(write) },
      }),
    },
  ];
}

async function outcomeOf(response: Response): Promise<string | null> {
  await response.text();
  return response.ok ? null : `HTTP ${response.status}`;
}
