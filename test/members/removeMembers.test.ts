import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { batchSizes, groupAt, parametersOf, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = ''] = cast.staff;
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
        members: [ada, ben, cast.contact.mail, cast.unified.id],
      },
    ],
  });
});
afterAll(() => world.close());

const remove = (members: unknown, more: object = {}): Promise<Answer> =>
  app.call('POST', `groups/${address}/members/remove`, { body: { members, ...more } });
const outcomes = (answer: Answer): unknown[] =>
  rowsOf(answer, 'results').map(({ member, outcome, code }) => [member, outcome, code]);

describe('removing members', () => {
  test('takes them out, and who is out is not listed any more', async () => {
    const answer = await remove([ada, cast.contact.mail]);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'updated', changed: true, removedCount: 2, addedCount: 0, failedCount: 0 },
    });
    expect(outcomes(answer)).toEqual([
      [ada, 'removed', 'removed'],
      [cast.contact.mail, 'removed', 'removed'],
    ]);
    const listed = await app.call('GET', `groups/${address}/members`);
    expect(rowsOf(listed, 'members').map(({ id }) => id)).toEqual([cast.idOf(ben), cast.unified.id]);
  });

  test('who are none is a success', async () => {
    const answer = await remove([cem]);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'unchanged', changed: false, unchangedCount: 1 },
    });
    expect(outcomes(answer)).toEqual([[cem, 'not_member', 'not_member']]);
  });

  test('who have no mailbox is a success: they cannot be members', async () => {
    const answer = await remove([cast.withoutMailbox]);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, outcome: 'unchanged' } });
    expect(outcomes(answer)).toEqual([[cast.withoutMailbox, 'not_member', 'not_member']]);
    expect(await control.writes()).toEqual([]);
  });

  test('of whom one is unknown is partial: a misspelt address must not pass for a removal', async () => {
    const answer = await remove([ada, 'nobody@contoso.com']);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: false, outcome: 'partial', changed: true, removedCount: 1 },
    });
    expect(outcomes(answer)).toEqual([
      [ada, 'removed', 'removed'],
      ['nobody@contoso.com', 'failed', 'member_not_found'],
    ]);
  });

  test('takes out a Microsoft 365 group that came in by another way', async () => {
    expect((await remove([String(cast.unified.mail)])).body).toMatchObject({ ok: true, removedCount: 1 });
  });

  test('sends each once with the bypass and without a question back', async () => {
    const answer = await remove([ada, cast.idOf(ada)]);
    expect(outcomes(answer)).toEqual([
      [ada, 'removed', 'removed'],
      [cast.idOf(ada), 'not_member', 'not_member'],
    ]);
    const rows = await control.calls({ cmdlet: 'Remove-DistributionGroupMember' });
    expect(rows).toHaveLength(1);
    const guid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(parametersOf(rows[0])).toEqual({
      Identity: guid,
      Member: guid,
      BypassSecurityGroupManagerCheck: true,
      Confirm: false,
    });
  });

  test('of more than ten goes out in batches of ten', async () => {
    const users = Array.from({ length: 12 }, (_, index) => `deckhand${index}@contoso.com`);
    await control.tenant({
      users: users.map((upn) => ({ userPrincipalName: upn, mail: upn })),
      groups: [{ mail: address, members: users }],
    });
    expect((await remove(users.join('\n'))).body).toMatchObject({ removedCount: 12 });
    expect(await batchSizes(control, 'Remove-DistributionGroupMember')).toEqual([10, 2]);
    expect((await groupAt(control, address)).members).toEqual([]);
  });

  test('as a dry run says what would be done, and writes nothing', async () => {
    const answer = await remove([ada, cem, cast.withoutMailbox, 'nobody@contoso.com'], { dryRun: true });
    expect(answer).toMatchObject({ status: 200, body: { dryRun: true, changed: false, outcome: 'partial' } });
    expect(outcomes(answer)).toEqual([
      [ada, 'would_remove', 'would_remove'],
      [cem, 'not_member', 'not_member'],
      [cast.withoutMailbox, 'not_member', 'not_member'],
      ['nobody@contoso.com', 'failed', 'member_not_found'],
    ]);
    expect(await control.writes()).toEqual([]);
    expect((await groupAt(control, address)).members).toHaveLength(4);
  });
});
