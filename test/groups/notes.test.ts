import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { readCast } from '../support/directory.ts';
import { type Answer, startWorld } from '../support/world.ts';

/** What does not stand in the way of a write and should be known before one is told with it. */

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [ada = ''] = cast.staff.filter((each) => !cast.unified.members.includes(cast.idOf(each)));
const { id } = cast.unified;
const team = /carries a Team/;
const converted = /was synced from on-premises/;

beforeEach(async () => {
  await control.reset();
  await control.tenant({ groups: [{ id, resourceProvisioningOptions: ['Team'], onPremisesSyncEnabled: false }] });
});
afterAll(() => world.close());

const warnings = async (answer: Promise<Answer>): Promise<unknown> => {
  const { status, text, body } = await answer;
  if (status !== 200) throw new Error(text);
  return body?.warnings;
};
const both = [expect.stringMatching(team), expect.stringMatching(converted)];

test('a change of the group, made or planned, tells it; one that changes nothing does not', async () => {
  const patch = (body: object) => warnings(app.call('PATCH', `groups/${id}`, { body }));
  expect(await patch({ description: 'New', dryRun: true })).toEqual(both);
  expect(await patch({ description: 'New' })).toEqual(both);
  expect(await patch({ description: 'New' })).toEqual([]);
});

test('so do members that are added, removed or made exact', async () => {
  const members = [ada];
  const add = () => warnings(app.call('POST', `groups/${id}/members`, { body: { members } }));
  expect(await add()).toEqual(both);
  expect(await add()).toEqual([]);
  expect(await warnings(app.call('POST', `groups/${id}/members/remove`, { body: { members } }))).toEqual(both);
  const all = { members: [...cast.unified.members, cast.idOf(ada)] };
  expect(await warnings(app.call('PUT', `groups/${id}/members`, { body: { ...all, dryRun: true } }))).toEqual(both);
  // Whoever was added a moment ago may not show yet.
  const lag = expect.stringMatching(/^Members were added to this group within the last minute/);
  expect(await warnings(app.call('PUT', `groups/${id}/members`, { body: all }))).toEqual([lag, ...both]);
  expect(await warnings(app.call('PUT', `groups/${id}/members`, { body: all }))).toEqual([lag]);
});

test.each(['true', 'false'])(
  'a deletion tells that a Team goes with it, planned or done: dry run %s',
  async (dryRun) => {
    const query = { confirm: cast.unified.displayName, dryRun };
    expect(await warnings(app.call('DELETE', `groups/${id}`, { query }))).toEqual([
      expect.stringMatching(/Team goes with the group.*30 days/),
      expect.stringMatching(converted),
    ]);
  },
);
