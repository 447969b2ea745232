import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { Upstream, UpstreamResponse } from '../upstream/upstream.ts';
import { isObject, type OktaObject, readJson } from './answers.ts';
import {
  isOktaFault,
  oktaApiRequired,
  oktaFault,
  OktaFault,
  type OktaRequestLine,
  openOktaWrite,
  unreadableOktaAnswer,
} from './errors.ts';
import { nextLink } from './links.ts';

export type { OktaObject } from './answers.ts';

/** A request below `/api/v1`: segments are encoded here. */
export interface OktaRequest extends OktaRequestLine {
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * Okta's Management API. Every method throws OktaFault for a refusal, the faults of Upstream.send, and
 * `okta_api_required` where Okta's API is not configured.
 */
export interface Okta {
  readonly isConfigured: boolean;
  /** One object; null when Okta itself says that there is none: any other failure is a fault. */
  find(request: OktaRequest, call: Call): Promise<OktaObject | null>;
  /** A list, a page at a time. A page that fails is a fault, never the end of the list. */
  pages(request: OktaRequest, call: Call): AsyncGenerator<readonly OktaObject[], void, undefined>;
  /** One POST. @throws Fault `outcome_unknown` when it may have been carried out */
  post(request: OktaRequest, body: object, call: Call): Promise<OktaObject>;
  /** One PUT. @throws Fault `outcome_unknown` when it may have been carried out */
  put(request: OktaRequest, body: object, call: Call): Promise<OktaObject>;
  /** One DELETE. @throws Fault `outcome_unknown` when it may have been carried out */
  remove(request: OktaRequest, call: Call): Promise<void>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const dots = ['', '.', '..'];

/** @param upstream null: not configured */
export function createOkta(upstream: Upstream | null): Okta {
  async function send(
    method: Method,
    url: string,
    request: OktaRequestLine,
    body: object | null,
    call: Call,
  ): Promise<UpstreamResponse> {
    const { label } = request;
    const own = configured(upstream);
    const content =
      body === null ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const effect = method === 'GET' ? 'read' : 'write';
    const answer = await own.send({ method, url, ...content, effect, label }, call);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const fault = oktaFault(request, answer);
    // A token that was revoked, or made before a grant, shall not be used up to its end.
    if (isOktaFault(fault, 'unauthorized', 'forbidden')) own.tokens.forget();
    throw fault;
  }

  function urlOf({ path, query = {} }: OktaRequest): string {
    const odd = path.find((segment) => dots.includes(segment));
    if (odd !== undefined) throw noSuchName(odd);
    const search = new URLSearchParams(query).toString();
    return `${rootOf(configured(upstream))}/${path.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
  }

  /** The origin is checked again where the token is attached; here the path too. Parsed, so that `..` climbs nowhere. */
  function checkNext(next: string, seen: ReadonlySet<string>, { label }: OktaRequest): void {
    const isOwn = URL.canParse(next) && new URL(next).href.startsWith(`${rootOf(configured(upstream))}/`);
    if (!isOwn) throw foreignPage(label);
    if (seen.has(next)) throw endlessList(label);
  }

  async function write(method: Method, request: OktaRequest, body: object, call: Call): Promise<OktaObject> {
    const answer = await send(method, urlOf(request), request, body, call);
    return objectIn(answer, () => openOktaWrite(request.label, answer));
  }

  return {
    isConfigured: upstream !== null,

    find: async (request, call) => {
      try {
        const answer = await send('GET', urlOf(request), request, null, call);
        return objectIn(answer, () => unreadableOktaAnswer(request.label, answer));
      } catch (error) {
        if (isOktaFault(error, 'notFound')) return null;
        throw error;
      }
    },

    pages: async function* (request, call) {
      const seen = new Set<string>();
      for (let url: string | null = urlOf(request); url !== null;) {
        seen.add(url);
        const answer: UpstreamResponse = await send('GET', url, request, null, call);
        const page = readJson(answer.text);
        // What cannot be read is not left out: whoever is missing from a list of members may be removed.
        if (!Array.isArray(page) || !page.every(isObject)) throw unreadableOktaAnswer(request.label, answer);
        url = nextLink(answer.headers.get('link'));
        if (url !== null) checkNext(url, seen, request);
        yield page;
      }
    },

    post: (request, body, call) => write('POST', request, body, call),
    put: (request, body, call) => write('PUT', request, body, call),

    remove: async (request, call) => {
      await send('DELETE', urlOf(request), request, null, call);
    },
  };
}

function configured(upstream: Upstream | null): Upstream {
  if (upstream === null) throw oktaApiRequired();
  return upstream;
}

function rootOf(upstream: Upstream): string {
  return `${upstream.baseUrl}/api/v1`;
}

function objectIn(answer: UpstreamResponse, unreadable: () => Fault): OktaObject {
  const object = readJson(answer.text);
  if (!isObject(object)) throw unreadable();
  return object;
}

/** In a path these would lead to something else. */
function noSuchName(name: string): Fault {
  return new OktaFault('invalid', null, 'invalid_request', {
    detail: `"${name}" names nothing in Okta.`,
    fix: 'Give an id of Okta, or the login of a user.',
  });
}

function foreignPage(label: string): Fault {
  return new Fault('foreign_link', {
    detail: `The next page of ${label} lies outside the Management API of this org; it was not followed.`,
    fix: 'Check that OKTA_ORG_URL is the address by which Okta names itself; else look for a proxy that rewrites links.',
    upstream: 'okta',
  });
}

function endlessList(label: string): Fault {
  return new Fault('upstream_failed', {
    detail: `The pages of ${label} lead back to one that was read already.`,
    fix: 'Repeat the request later.',
    upstream: 'okta',
  });
}
