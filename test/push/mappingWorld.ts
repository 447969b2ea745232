import { randomUUID } from 'node:crypto';
import type { Answer, App, JsonObject, World } from '../support/world.ts';
import { orgOf } from './oktaWorld.ts';

/** People with an ACTIVE login in Okta, an Office 365 account and a mailbox. */
export const crew = [
  'kaya.demir@contoso.com',
  'liam.corrigan@contoso.com',
  'mina.sato@contoso.com',
  'noel.fischer@contoso.com',
  'olga.petrova@contoso.com',
  'amara.osei@contoso.com',
  'bruno.keller@contoso.com',
  'chiara.lind@contoso.com',
] as const;

const kinds = {
  distributionList: { mailEnabled: true, securityEnabled: false, groupTypes: [] },
  mailEnabledSecurity: { mailEnabled: true, securityEnabled: true, groupTypes: [] },
  security: { mailEnabled: false, securityEnabled: true, groupTypes: [] },
  microsoft365: { mailEnabled: true, securityEnabled: false, groupTypes: ['Unified'] },
} as const;
export type TargetKind = keyof typeof kinds;
export const targetKinds = Object.keys(kinds) as TargetKind[];

/** An Okta group and a group in Microsoft 365 that nothing links yet. */
export interface Pair {
  oktaGroupId: string;
  oktaName: string;
  targetId: string;
  /** As a request names it. */
  target: string;
}

export interface PairOptions {
  kind?: TargetKind;
  /** Logins in Okta. */
  inOkta?: readonly string[];
  /** Members of the target. */
  inTarget?: readonly string[];
  /** Properties of the target. */
  more?: object;
}

let pairs = 0;

/** New to the app each time: it keeps what it knows of a group while the world is reset. */
export async function newPair(world: World, options: PairOptions = {}): Promise<Pair> {
  const { kind = 'distributionList', inOkta = crew.slice(0, 3), inTarget = [], more = {} } = options;
  pairs += 1;
  const org = orgOf(world);
  const oktaName = `Deckhands ${pairs}`;
  await org.tell('PUT', 'org', { groups: [{ name: oktaName, members: inOkta }] });
  const targetId = randomUUID();
  const displayName = `deck-${pairs}`;
  const mail = kinds[kind].mailEnabled ? `${displayName}@contoso.com` : null;
  const people = { owners: [crew[7]], members: inTarget };
  const group = { id: targetId, displayName, ...(mail && { mail }), ...kinds[kind], ...people, ...more };
  await world.control.tenant({ groups: [group] });
  await world.control.clearCalls();
  return { oktaGroupId: await org.groupId(oktaName), oktaName, targetId, target: mail ?? displayName };
}

const pathOf = ({ oktaGroupId }: Pick<Pair, 'oktaGroupId'>) => `push-mappings/${oktaGroupId}`;

export const putMapping = (app: App, pair: Pair, more: object = {}): Promise<Answer> =>
  app.call('PUT', pathOf(pair), { body: { target: pair.target, ...more } });

export const readMapping = (app: App, pair: Pick<Pair, 'oktaGroupId'>): Promise<Answer> =>
  app.call('GET', pathOf(pair));

export const setStatus = (app: App, pair: Pair, body: object): Promise<Answer> =>
  app.call('PUT', `${pathOf(pair)}/status`, { body });

export const pushMapping = (app: App, pair: Pair, body: object = {}): Promise<Answer> =>
  app.call('POST', `${pathOf(pair)}/push`, { body });

export const deleteMapping = (app: App, pair: Pair, query: Record<string, string> = {}): Promise<Answer> =>
  app.call('DELETE', pathOf(pair), { query });

export const explain = (app: App, pair: Pick<Pair, 'oktaGroupId'>, user: string): Promise<Answer> =>
  app.call('GET', `${pathOf(pair)}/members/${encodeURIComponent(user)}`);

/** A mapping whose plan was approved. */
export async function activeMapping(
  world: World,
  app: App,
  options: PairOptions = {},
  settings: object = {},
): Promise<Pair> {
  const pair = await newPair(world, options);
  const put = await putMapping(app, pair, settings);
  const activated = await setStatus(app, pair, { status: 'ACTIVE', planId: put.body?.planId });
  if (activated.body?.status !== 'ACTIVE') throw new Error(`The mapping is not ACTIVE: ${put.text} ${activated.text}`);
  await world.control.clearCalls();
  return pair;
}

/** The settings of an answer that shows a mapping. */
export function settingsOf({ body }: Answer): JsonObject {
  const { authority, desiredStatuses, oktaAppId, neverRemove, maxAdditions, adoptMembers, renameTarget, reportOnly } =
    body ?? {};
  return { authority, desiredStatuses, oktaAppId, neverRemove, maxAdditions, adoptMembers, renameTarget, reportOnly };
}
