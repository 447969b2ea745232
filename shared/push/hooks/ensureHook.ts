import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import { isOktaFault } from '../../okta/errors.ts';
import type { OktaEventHook, OktaEventHooks } from '../../okta/eventHooks.ts';
import { hookEventTypes } from './eventTypes.ts';

export interface WantedHook {
  readonly name: string;
  /** Where Okta reaches the app, checked by `readHookUrl`. */
  readonly url: string;
  readonly secret: string;
}

export interface EnsuredHook {
  readonly outcome: 'created' | 'verified' | 'already_verified';
  readonly hook: OktaEventHook;
  /** Types that the hook does not hear, though mappings need them: it was made by hand. */
  readonly missingTypes: readonly string[];
}

/** The header that `receiveEventHook` looks at. */
const header = 'authorization';
const path = '/api/okta/events';

/**
 * The address for Okta to post to.
 * @throws Fault `invalid_request` unless it is https and that of the receiver; http is for this machine alone
 */
export function readHookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLoopback = url !== null && ['127.0.0.1', 'localhost'].includes(url.hostname);
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  if (url === null || !isSecure) throw wrongUrl('is no https address');
  if (url.pathname !== path || url.search !== '' || url.hash !== '') throw wrongUrl(`does not end with ${path}`);
  return url.href;
}

/**
 * Has the event hook in Okta: found by its address, else made, and verified where it is not. Can be run again at any time.
 * @throws Fault `invalid_request` for a hook that a person has to look at, and the faults of OktaEventHooks
 */
export async function ensureEventHook(wanted: WantedHook, hooks: OktaEventHooks, call: Call): Promise<EnsuredHook> {
  const found = await findHook(wanted, hooks, call);
  const hook = found ?? (await hooks.create({ ...wanted, eventTypes: hookEventTypes, header: headerOf(wanted) }, call));
  const missingTypes = hookEventTypes.filter((type) => !hook.eventTypes.includes(type));
  if (hook.verificationStatus === 'VERIFIED') return { outcome: 'already_verified', hook, missingTypes };
  const verified = await verify(hook, hooks, call);
  return { outcome: found === null ? 'created' : 'verified', hook: verified, missingTypes };
}

/** What Okta refuses then is nothing that was sent to it. */
async function verify(hook: OktaEventHook, hooks: OktaEventHooks, call: Call): Promise<OktaEventHook> {
  try {
    return await hooks.verify(hook.id, call);
  } catch (error) {
    throw isOktaFault(error, 'invalid') ? notVerified(hook, error) : error;
  }
}

function headerOf({ secret }: WantedHook) {
  return { name: header, value: secret };
}

async function findHook({ name, url }: WantedHook, hooks: OktaEventHooks, call: Call): Promise<OktaEventHook | null> {
  const all: OktaEventHook[] = [];
  for await (const page of hooks.pages(call)) all.push(...page);
  const found = all.find((hook) => hook.url === url) ?? null;
  if (found !== null) {
    if (found.status !== 'ACTIVE') throw inactiveHook(found);
    return found;
  }
  const namesake = all.find((hook) => hook.name === name);
  if (namesake !== undefined) throw nameTaken(namesake);
  return null;
}

function wrongUrl(message: string): Fault {
  const fix = `Give the public address of the function app with its path, like https://contoso-okta.azurewebsites.net${path}.`;
  return new Fault('invalid_request', { detail: `The address of the hook ${message}.`, fix });
}

function inactiveHook({ id, name }: OktaEventHook): Fault {
  return new Fault('invalid_request', {
    detail: `Okta has the event hook "${name}" (${id}) for this address, but somebody has deactivated it.`,
    fix: 'Activate it in the Okta admin console (Workflow → Event Hooks → Actions), or delete it there; then run this again.',
  });
}

function notVerified({ id, name, url }: OktaEventHook, cause: Fault): Fault {
  return new Fault(cause.code, {
    detail: `The event hook "${name}" (${id}) is registered, and Okta could not verify it. ${cause.message}`,
    fix: `See that the app is deployed with the room push, and answers at ${url} from the internet within 3 seconds; then run this again.`,
    upstream: 'okta',
    upstreamRequestId: cause.upstreamRequestId,
    cause,
  });
}

function nameTaken({ id, name, url }: OktaEventHook): Fault {
  return new Fault('invalid_request', {
    detail: `Okta has an event hook "${name}" (${id}) already, for another address: ${url}.`,
    fix: 'Change its URL or delete it in the Okta admin console (Workflow → Event Hooks); or give this one another --name.',
  });
}
