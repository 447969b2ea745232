import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, parametersOf, readCast } from '../support/directory.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { type Answer, type JsonObject, rowsOf, startWorld } from '../support/world.ts';
import { createWire } from './wire.ts';

/** What Exchange has and Entra does not know by name yet: it has Exchange's own GUID alone. */

const world = await startWorld();
const { control } = world;
const wire = createWire();
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const crew = {
  kind: 'mailEnabledSecurity',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  primarySmtpAddress: address,
  owners: [owner],
};

beforeEach(async () => {
  await control.reset();
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage }, { fetch: wire.fetch, clock: createFakeClock() });
  wire.onAnswer(({ text }) => text);
});
afterAll(() => world.close());

const create = (more: object = {}): Promise<Answer> => app.call('POST', 'groups', { body: { ...crew, ...more } });
const withoutIds = (text: string): string =>
  text.replace(/"ExternalDirectoryObjectId":"[^"]*"/g, '"ExternalDirectoryObjectId":""');
const groupsHaveNoId = (): void => {
  wire.onAnswer(({ cmdlet, text }) => (cmdlet.endsWith('-DistributionGroup') ? withoutIds(text) : text));
};
const recipientsHaveNoId = (): void => {
  wire.onAnswer(({ cmdlet, text }) => (cmdlet === 'Get-Recipient' ? withoutIds(text) : text));
};
const hidden = (isHidden: boolean) => ({ exchange: { HiddenFromAddressListsEnabled: isHidden } });

/** Exchange's own GUID of the group, and of whoever else it was asked about. */
async function guidOf(name: string): Promise<string> {
  const seen = JSON.stringify(await control.calls({ upstream: 'exchange' }));
  return new RegExp(`"PrimarySmtpAddress":"${name}"[^{}]*?"Guid":"([^"]+)"`).exec(seen)?.[1] ?? 'never seen';
}

describe('a group without Entra id', () => {
  test('that Entra shows already is one group all the same: known by its address', async () => {
    await create();
    groupsHaveNoId();
    const { id } = await groupAt(control, address);
    for (const name of [address, crew.displayName]) {
      expect(await app.call('GET', `groups/${encodeURIComponent(name)}`)).toMatchObject({ status: 200, body: { id } });
    }
    const added = await app.call('POST', `groups/${address}/members`, { body: { members: [ada] } });
    expect(added).toMatchObject({ status: 200, body: { ok: true, addedCount: 1 } });
  });

  test('gets its settings and members by its own GUID, which the audit names too', async () => {
    groupsHaveNoId();
    const answer = await create({ hideFromAddressLists: true, members: [ada] });
    expect(answer).toMatchObject({
      status: 201,
      body: { ok: false, outcome: 'pending', changed: true, id: null, addedCount: 1 },
    });
    expect(await groupAt(control, address)).toMatchObject({ ...hidden(true), members: [cast.idOf(ada)] });
    const rows = await auditRows(storage, String(answer.body?.requestId));
    const guid = await guidOf(address);
    // On a clock that stands still, they have no order.
    expect(rows.map(({ operation, targetId }) => [operation, targetId]).sort()).toEqual([
      ['Add-DistributionGroupMember', guid],
      ['New-DistributionGroup', 'harbour-crew'],
      ['Set-DistributionGroup', guid],
    ]);
  });

  test('is looked for by its address before it is completed, and not written to while Entra does not show it', async () => {
    await control.tenant({ settings: { replicationLagMs: { entraToExchange: 0, exchangeToEntra: 60_000 } } });
    groupsHaveNoId();
    await create();
    await control.clearCalls();
    expect(await create({ hideFromAddressLists: true })).toMatchObject({
      status: 429,
      body: { code: 'group_not_ready' },
    });
    expect(await control.writes()).toEqual([]);
    const asked = await control.calls({ cmdlet: 'Get-DistributionGroup' });
    expect(asked.map((row) => parametersOf(row).Identity).at(-1)).toBe(address);
  });

  test('that differs from the request is named by its GUID', async () => {
    groupsHaveNoId();
    await create();
    const answer = await create({ displayName: 'Something else' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(answer.body?.detail).toContain(`${address} (${await guidOf(address)})`);
  });

  test('that came to be of another kind is named by its GUID, and gets no settings', async () => {
    const otherKind = (text: string) =>
      text.replaceAll('"MailUniversalSecurityGroup"', '"MailUniversalDistributionGroup"');
    wire.onAnswer(({ cmdlet, text }) => (cmdlet.endsWith('-DistributionGroup') ? otherKind(withoutIds(text)) : text));
    const answer = await create({ hideFromAddressLists: true });
    expect(answer).toMatchObject({ status: 502, body: { code: 'kind_mismatch' } });
    expect(answer.body?.detail).toContain(`${address} (${await guidOf(address)})`);
    expect(await groupAt(control, address)).toMatchObject(hidden(false));
  });

  test('is planned for as if it had no members: Entra alone could tell', async () => {
    await create({ members: [ada] });
    // Seen without its id by the creation, and with it by the look at what blocks it.
    wire.onAnswer(({ cmdlet, nth, text }) =>
      cmdlet === 'Get-DistributionGroup' && nth === 1 ? withoutIds(text) : text,
    );
    await control.clearCalls();
    const answer = await create({ members: [ada, ben], dryRun: true });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'planned', id: null } });
    expect(rowsOf(answer, 'results')).toMatchObject([{ outcome: 'would_add' }, { outcome: 'would_add' }]);
    expect(await control.calls({ upstream: 'graph', path: '/members' })).toEqual([]);
  });
});

describe('a recipient without Entra id', () => {
  test('owns a group by its own GUID', async () => {
    recipientsHaveNoId();
    expect(await create()).toMatchObject({ status: 201, body: { outcome: 'created', owners: [owner] } });
    const [row] = await control.calls({ cmdlet: 'New-DistributionGroup' });
    expect(JSON.stringify(parametersOf(row).ManagedBy)).toContain(await guidOf(owner));
    expect((await groupAt(control, address)).owners).toEqual([cast.idOf(owner)]);
  });

  test('is added by its own GUID, and planned as if it were no member: Entra alone could tell', async () => {
    await create({ members: [ada] });
    recipientsHaveNoId();
    const change = async (path: string, more: JsonObject): Promise<unknown> => {
      const answer = await app.call('POST', `groups/${address}/${path}`, { body: { members: [ada, ben], ...more } });
      return rowsOf(answer, 'results').map(({ outcome }) => outcome);
    };
    await control.clearCalls();
    expect(await change('members', { dryRun: true })).toEqual(['would_add', 'would_add']);
    expect(await change('members/remove', { dryRun: true })).toEqual(['would_remove', 'would_remove']);
    // Nobody of them can be found in Graph, so nobody is looked for.
    expect(await control.calls({ upstream: 'graph', path: '/members' })).toEqual([]);
    expect(await change('members', {})).toEqual(['already_member', 'added']);
    expect((await groupAt(control, address)).members).toEqual([cast.idOf(ada), cast.idOf(ben)]);
  });
});
