import { randomUUID } from 'node:crypto';
import type { SimulatorControl } from '../support/control.ts';
import { type Answer, type App, rowsOf } from '../support/world.ts';

/** One group of each kind that members can be set of, and what a request calls it. */
export const settableKinds = {
  distributionList: { name: 'harbour-list@contoso.com', mailEnabled: true, securityEnabled: false, groupTypes: [] },
  mailEnabledSecurity: { name: 'harbour-crew@contoso.com', mailEnabled: true, securityEnabled: true, groupTypes: [] },
  security: { name: 'Harbour Access', mailEnabled: false, securityEnabled: true, groupTypes: [] },
  microsoft365: {
    name: 'harbour-team@contoso.com',
    mailEnabled: true,
    securityEnabled: false,
    groupTypes: ['Unified'],
  },
} as const;
export type SettableKind = keyof typeof settableKinds;
export const kindNames = Object.keys(settableKinds) as SettableKind[];

/** Puts the group of this kind into the tenant. */
export async function putGroup(
  control: SimulatorControl,
  kind: SettableKind,
  people: { owners: readonly string[]; members: readonly string[] },
  more: object = {},
): Promise<void> {
  const { name, ...properties } = settableKinds[kind];
  const [displayName = ''] = name.split('@');
  const mail = properties.mailEnabled ? { mail: name } : {};
  await control.tenant({ groups: [{ displayName, ...mail, ...properties, ...people, ...more }] });
}

/** What the app remembers of a group it keeps by its id, and that is the same after a reset unless it is given. */
export const newId = (): { id: string } => ({ id: randomUUID() });

export function setMembers(app: App, group: string, members: unknown, more: object = {}): Promise<Answer> {
  return app.call('PUT', `groups/${encodeURIComponent(group)}/members`, { body: { members, ...more } });
}

/** Member, outcome and code of each row. */
export function outcomesOf(answer: Answer): unknown[] {
  return rowsOf(answer, 'results').map(({ member, outcome, code }) => [member, outcome, code]);
}

/** The operation that an answer speaks of, once it has ended. */
export async function endOf(app: App, answer: Answer): Promise<Answer> {
  const path = `operations/${String(answer.body?.operationId)}`;
  for (let looks = 0; looks < 6; looks += 1) {
    const operation = await app.call('GET', path, { query: { waitSeconds: '20' } });
    if (operation.body?.done === true) return operation;
  }
  throw new Error(`The operation of ${answer.text} does not end.`);
}
