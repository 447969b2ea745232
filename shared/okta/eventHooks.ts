import type { Call } from '../call.ts';
import { objectOf } from './answers.ts';
import type { Okta, OktaObject } from './client.ts';
import { required } from './required.ts';

export interface OktaEventHook {
  readonly id: string;
  readonly name: string;
  /** `ACTIVE` or `INACTIVE`. */
  readonly status: string;
  /** `VERIFIED` or `UNVERIFIED`: nothing is delivered before. */
  readonly verificationStatus: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
}

export interface NewOktaEventHook {
  readonly name: string;
  /** https. */
  readonly url: string;
  readonly eventTypes: readonly string[];
  /** The header that every delivery carries; Okta never shows its value again. */
  readonly header: { readonly name: string; readonly value: string };
}

/** With tokens for `eventHookScopes`. Methods throw as those of Okta do. */
export interface OktaEventHooks {
  pages(call: Call): AsyncGenerator<readonly OktaEventHook[], void, undefined>;
  /** ACTIVE and UNVERIFIED. */
  create(hook: NewOktaEventHook, call: Call): Promise<OktaEventHook>;
  /** Okta sends its challenge to the URL. @throws OktaFault `invalid` when it does not come back */
  verify(id: string, call: Call): Promise<OktaEventHook>;
}

export function createOktaEventHooks(okta: Okta): OktaEventHooks {
  const scope = 'okta.eventHooks.manage';
  return {
    pages: async function* (call) {
      const request = { path: ['eventHooks'], scope, label: 'GET /eventHooks' } as const;
      for await (const page of okta.pages(request, call)) yield page.map(oktaEventHookOf);
    },

    create: async ({ name, url, eventTypes, header }, call) => {
      const authScheme = { type: 'HEADER', key: header.name, value: header.value };
      const body = {
        name,
        events: { type: 'EVENT_TYPE', items: eventTypes },
        channel: { type: 'HTTP', version: '1.0.0', config: { uri: url, authScheme } },
      };
      return oktaEventHookOf(await okta.post({ path: ['eventHooks'], scope, label: 'POST /eventHooks' }, body, call));
    },

    verify: async (id, call) => {
      const path = ['eventHooks', id, 'lifecycle', 'verify'];
      const label = 'POST /eventHooks/{id}/lifecycle/verify';
      return oktaEventHookOf(await okta.post({ path, scope, label }, {}, call));
    },
  };
}

function oktaEventHookOf(hook: OktaObject): OktaEventHook {
  const { items } = objectOf(hook, 'events');
  return {
    id: required(hook, 'id', 'an event hook'),
    name: required(hook, 'name', 'an event hook'),
    status: required(hook, 'status', 'an event hook'),
    verificationStatus: required(hook, 'verificationStatus', 'an event hook'),
    url: required(objectOf(objectOf(hook, 'channel'), 'config'), 'uri', 'an event hook'),
    eventTypes: Array.isArray(items) ? items.filter((item) => typeof item === 'string') : [],
  };
}
