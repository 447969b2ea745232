import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { groupAt, groupsNamed, readCast } from '../support/directory.ts';
import { type Answer, startWorld } from '../support/world.ts';
import { createWire } from './wire.ts';

/** The servers of Exchange do not all show the same at the same moment. */

const world = await startWorld();
const { control } = world;
const wire = createWire();
const app = await world.startApp({}, { fetch: wire.fetch });
const cast = await readCast(control);
const [owner = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const create = (): Promise<Answer> =>
  app.call('POST', 'groups', {
    body: {
      kind: 'mailEnabledSecurity',
      displayName: 'Harbour Crew',
      alias: 'harbour-crew',
      primarySmtpAddress: address,
      owners: [owner],
      hideFromAddressLists: true,
    },
  });

beforeEach(async () => {
  await control.reset();
  wire.onAnswer(({ text }) => text);
});
afterAll(() => world.close());

test('a group that is found as a recipient and not as a group yet is found after the refusal of its creation', async () => {
  expect(await create()).toMatchObject({ status: 201 });
  wire.onAnswer(({ cmdlet, nth, text }) => (cmdlet === 'Get-DistributionGroup' && nth === 1 ? '{"value":[]}' : text));
  expect(await create()).toMatchObject({ status: 200, body: { outcome: 'already_exists', changed: false } });
  expect(await groupsNamed(control, 'Harbour Crew')).toHaveLength(1);
});

test('settings whose group is not shown afterwards are proven by their own answer', async () => {
  wire.onAnswer(({ cmdlet, nth, text }) => (cmdlet === 'Get-DistributionGroup' && nth === 2 ? '{"value":[]}' : text));
  expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', warnings: [] } });
  expect(await groupAt(control, address)).toMatchObject({ exchange: { HiddenFromAddressListsEnabled: true } });
});

test('a group that turns out to be a room list is no group as asked for, and is named as what it is', async () => {
  await create();
  await control.clearCalls();
  wire.onAnswer(({ cmdlet, text }) =>
    cmdlet === 'Get-DistributionGroup' ? text.replaceAll('"MailUniversalSecurityGroup"', '"RoomList"') : text,
  );
  expect(await create()).toMatchObject({
    status: 409,
    body: {
      code: 'exists_with_differences',
      errors: [{ pointer: '/kind', message: 'is "RoomList", asked for "mailEnabledSecurity"' }],
    },
  });
  expect(await control.writes()).toEqual([]);
});
