import { type LocalHost, startLocalHost } from '../../local/host/host.ts';
import type { Action } from '../../shared/action/contract.ts';
import type { Runtime } from '../../shared/action/handler.ts';
import { registerActions } from '../../shared/action/register.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Services } from '../../shared/services.ts';
import { actions as allActions, register } from '../../functions/register.ts';
import { type Answer, callHost, type CallOptions, type JsonObject } from '../support/world.ts';

export interface ActionHost {
  host: LocalHost;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** The structured lines of the log, oldest first. */
  lines(): JsonObject[];
  close(): Promise<void>;
}

/** Actions of a test behind the real wrapper and the real host; there are no services. */
export function startActions(actions: readonly Action[], runtime: Partial<Runtime> = {}): Promise<ActionHost> {
  const whole: Runtime = {
    services: () => ({}) as Services,
    writeMode: 'on',
    clock: systemClock,
    ...runtime,
  };
  return start(actions, () => registerActions(actions, new Set(actions.map(({ room }) => room)), whole));
}

/** The app with settings that lead nowhere: for what is answered before an upstream is asked. */
export function startAlone(): Promise<ActionHost> {
  const env = {
    AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    GRAPH_BASE_URL: 'http://127.0.0.1:9',
    EXCHANGE_BASE_URL: 'http://127.0.0.1:9',
  };
  return start(allActions, () => register({ env }));
}

async function start(actions: readonly Action[], load: () => void): Promise<ActionHost> {
  const host = await startLocalHost({ load: () => Promise.resolve().then(load) });
  return {
    host,
    call: (method, path, options = {}) => callHost(host, actions, method, path, options),
    lines: () => linesOf(host),
    close: () => host.close(),
  };
}

export function linesOf(host: LocalHost): JsonObject[] {
  return host.logs
    .filter(({ message }) => message.startsWith('{'))
    .map(({ message }) => JSON.parse(message) as JsonObject);
}
