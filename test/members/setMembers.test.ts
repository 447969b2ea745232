import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { groupAt, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = '', dora = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';

beforeEach(async () => {
  await control.reset();
  await control.tenant({
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        mailEnabled: true,
        securityEnabled: true,
        owners: [owner],
        members: [ada, ben],
      },
    ],
  });
});
afterAll(() => world.close());

const set = (members: unknown, more: object = {}, group = address): Promise<Answer> =>
  app.call('PUT', `groups/${encodeURIComponent(group)}/members`, { body: { members, ...more } });
const outcomes = (answer: Answer): unknown[] =>
  rowsOf(answer, 'results').map(({ member, outcome, code }) => [member, outcome, code]);
const membersNow = async (mail = address): Promise<Set<string>> => new Set((await groupAt(control, mail)).members);
const ids = (...upns: string[]): Set<string> => new Set(upns.map(cast.idOf));

describe('setting the members', () => {
  test('adds who is missing and removes who is not desired', async () => {
    const answer = await set([ada, cem, dora]);
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'updated', addedCount: 2, removedCount: 1 } });
    expect(outcomes(answer)).toEqual([
      [cem, 'added', 'added'],
      [dora, 'added', 'added'],
      [ben, 'removed', 'removed'],
    ]);
    expect(await membersNow()).toEqual(ids(ada, cem, dora));
  });
});
