import type { Call } from '../call.ts';
import { textOf } from './answers.ts';
import type { Okta, OktaObject } from './client.ts';
import { required } from './required.ts';

/** One of Okta's own Group Push mappings. */
export interface OktaPushMapping {
  readonly id: string;
  readonly sourceGroupId: string;
  /** The app's group in Okta, not the id in Entra (okta.md §4). */
  readonly targetGroupId: string;
  /** `ACTIVE`, `INACTIVE` or `ERROR`. */
  readonly status: string;
  readonly errorSummary: string | null;
  /** ISO 8601. */
  readonly lastPush: string | null;
  readonly lastUpdated: string | null;
}

export interface OktaPushMappings {
  /** Those of an app, a page at a time. @throws OktaFault `notFound` where there is no such app */
  pages(appId: string, call: Call): AsyncGenerator<readonly OktaPushMapping[], void, undefined>;
}

/** The most that Okta gives (okta.md §4). */
const mappingsPerPage = '1000';

export function createOktaPushMappings(okta: Okta): OktaPushMappings {
  return {
    pages: async function* (appId, call) {
      const path = ['apps', appId, 'group-push', 'mappings'];
      const label = 'GET /apps/{id}/group-push/mappings';
      const request = { path, query: { limit: mappingsPerPage }, scope: 'okta.apps.read', label } as const;
      for await (const page of okta.pages(request, call)) yield page.map(oktaPushMappingOf);
    },
  };
}

function oktaPushMappingOf(mapping: OktaObject): OktaPushMapping {
  return {
    id: required(mapping, 'id', 'a push mapping'),
    sourceGroupId: required(mapping, 'sourceGroupId', 'a push mapping'),
    targetGroupId: required(mapping, 'targetGroupId', 'a push mapping'),
    status: required(mapping, 'status', 'a push mapping'),
    errorSummary: textOf(mapping, 'errorSummary'),
    lastPush: textOf(mapping, 'lastPush'),
    lastUpdated: textOf(mapping, 'lastUpdated'),
  };
}
