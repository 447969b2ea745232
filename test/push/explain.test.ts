import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';
import { activeMapping, crew, explain, newPair, pushMapping, putMapping, setStatus } from './mappingWorld.ts';
import { orgOf } from './oktaWorld.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const org = orgOf(world);
const cast = await readCast(control);
const [kaya, liam, mina, noel, , amara] = crew;

// The world is not reset: that would take Okta's token from the app.
beforeEach(async () => {
  await control.clearFaults();
  await control.clearCalls();
});
afterAll(() => world.close());

const linkOf = (answer: Answer, name: string) => rowsOf(answer, 'links').find(({ link }) => link === name);
const judged = (answer: Answer) => rowsOf(answer, 'links').map(({ ok }) => ok);

describe('a member that is desired', () => {
  test('has a whole chain, by whatever name it is asked for', async () => {
    const oktaAppId = await org.appId();
    const pair = await activeMapping(world, app, {}, { oktaAppId });
    const entraId = cast.idOf(kaya);
    const oktaUserId = await org.userId(kaya);
    for (const user of [kaya, kaya.toUpperCase(), entraId, entraId.toUpperCase(), oktaUserId]) {
      const answer = await explain(app, pair, user);
      expect(answer).toMatchObject({
        status: 200,
        body: {
          verdict: 'member',
          isDesired: true,
          isMember: true,
          brokenAt: null,
          fix: null,
          user,
          oktaUserId,
          login: kaya,
          entraId,
          oktaGroupName: pair.oktaName,
          targetId: pair.targetId,
          status: 'ACTIVE',
        },
      });
      expect(judged(answer)).toEqual(Array.from({ length: 8 }, () => true));
      expect(linkOf(answer, 'match')?.message).toContain('external id');
      expect(linkOf(answer, 'change')?.message).toContain('The mapping added this member');
    }
    expect(await control.writes()).toEqual([]);
  });

  test('is found by another address, and by a user principal name that differs from the login', async () => {
    const [login, upn, alias] = ['deck.one@example.com', 'deck.one@contoso.com', 'deckhand.one@contoso.com'];
    await control.tenant({
      users: [{ userPrincipalName: upn, mail: upn, proxyAddresses: [`SMTP:${upn}`, `smtp:${alias}`] }],
    });
    const { idOf } = await readCast(control);
    await org.addUser(login);
    await org.putAccount(login, { externalId: idOf(upn) });
    const pair = await activeMapping(world, app, { inOkta: [login] }, { oktaAppId: await org.appId() });
    for (const user of [login, upn, alias]) {
      expect((await explain(app, pair, user)).body).toMatchObject({ verdict: 'member', login, entraId: idOf(upn) });
    }
  });
});

describe('somebody who is missing', () => {
  test('has no mailbox yet, and the change waits', async () => {
    const pair = await activeMapping(world, app);
    await org.tell('PUT', `groups/${pair.oktaGroupId}/members/new.hire@contoso.com`);
    await pushMapping(app, pair);
    const answer = await explain(app, pair, 'new.hire@contoso.com');
    expect(answer.body).toMatchObject({ verdict: 'missing', brokenAt: 'recipient', isDesired: true, isMember: false });
    expect(answer.body?.fix).toContain('mailbox');
    expect(judged(answer)).toEqual([true, true, true, true, true, false, false, false]);
    expect(linkOf(answer, 'recipient')).toMatchObject({ code: 'no_mailbox' });
    expect(linkOf(answer, 'change')).toMatchObject({ code: 'change_waiting' });
    expect(linkOf(answer, 'list')).toMatchObject({ code: 'not_member' });
  });

  test('is nobody in Entra', async () => {
    const pair = await activeMapping(world, app, { inOkta: ['okta.only@example.com', kaya] });
    const answer = await explain(app, pair, 'okta.only@example.com');
    expect(answer.body).toMatchObject({ verdict: 'missing', brokenAt: 'match', entraId: null });
    expect(linkOf(answer, 'match')).toMatchObject({ code: 'member_not_found' });
    expect(linkOf(answer, 'recipient')).toMatchObject({ ok: null, code: 'unknown' });
  });

  test('waits for a mapping that is INACTIVE or only reports', async () => {
    const pair = await newPair(world);
    await putMapping(app, pair);
    const waiting = await explain(app, pair, kaya);
    expect(waiting.body).toMatchObject({ verdict: 'missing', brokenAt: 'mapping', status: 'INACTIVE' });
    expect(linkOf(waiting, 'mapping')).toMatchObject({ code: 'awaiting_approval' });
    const reporting = await activeMapping(world, app, {}, { reportOnly: true });
    const answer = await explain(app, reporting, kaya);
    expect(linkOf(answer, 'mapping')).toMatchObject({ ok: false, code: 'report_only' });
    expect(answer.body).toMatchObject({ verdict: 'missing', brokenAt: 'mapping' });
  });

  test('is listed in PROTECTED_USERS', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: liam });
    const pair = await newPair(world);
    const { planId } = (await putMapping(guarded, pair)).body ?? {};
    await setStatus(guarded, pair, { status: 'ACTIVE', planId });
    const answer = await explain(guarded, pair, liam);
    expect(answer.body).toMatchObject({ verdict: 'missing', brokenAt: 'recipient' });
    expect(linkOf(answer, 'recipient')).toMatchObject({ ok: false, code: 'protected_object' });
  });
});

describe('somebody who is not desired', () => {
  test('is no member of the Okta group', async () => {
    const pair = await activeMapping(world, app);
    const answer = await explain(app, pair, noel);
    expect(answer.body).toMatchObject({ verdict: 'not_desired', brokenAt: 'oktaMembership', isDesired: false });
    expect(linkOf(answer, 'oktaMembership')).toMatchObject({ code: 'not_in_okta_group' });
    expect(linkOf(answer, 'match')).toMatchObject({ ok: true });
  });

  test('has a status that does not count', async () => {
    const login = 'vera.kovac@contoso.com';
    const pair = await activeMapping(world, app, { inOkta: [login, kaya] });
    const answer = await explain(app, pair, login);
    expect(answer.body).toMatchObject({ verdict: 'not_desired', brokenAt: 'oktaStatus' });
    expect(linkOf(answer, 'oktaStatus')).toMatchObject({ code: 'status_not_desired' });
    expect(answer.body?.fix).toContain('SUSPENDED');
  });

  test('is unknown to everybody', async () => {
    const pair = await activeMapping(world, app);
    for (const user of ['nobody.at.all@contoso.com', '99999999-9999-4999-8999-999999999999']) {
      const answer = await explain(app, pair, user);
      expect(answer.body).toMatchObject({
        verdict: 'not_desired',
        brokenAt: 'oktaUser',
        oktaUserId: null,
        entraId: null,
      });
    }
  });
});

describe('a member that is not desired', () => {
  test('was added by somebody else, and stays under authority managed', async () => {
    const pair = await activeMapping(world, app, { inTarget: [amara] });
    const answer = await explain(app, pair, amara);
    expect(answer.body).toMatchObject({
      verdict: 'kept',
      brokenAt: 'oktaMembership',
      isDesired: false,
      isMember: true,
      message: expect.stringContaining('the mapping has not added it'),
    });
    expect(answer.body?.fix).toContain('members/remove');
  });

  test('is a contact whom Okta does not know, found among the members by its address', async () => {
    const { mail, id } = cast.contact;
    const pair = await activeMapping(world, app, { inTarget: [mail] });
    const answer = await explain(app, pair, mail);
    expect(answer.body).toMatchObject({ verdict: 'kept', brokenAt: 'oktaUser', isMember: true, entraId: id });
  });

  test('goes under authority exclusive, unless it is listed in neverRemove', async () => {
    const settings = { authority: 'exclusive', neverRemove: [amara] };
    const pair = await activeMapping(world, app, {}, settings);
    await control.addMember(pair.target.split('@')[0] ?? '', amara);
    await control.addMember(pair.target.split('@')[0] ?? '', noel);
    expect((await explain(app, pair, noel)).body).toMatchObject({ verdict: 'to_be_removed', isMember: true });
    const kept = await explain(app, pair, amara);
    expect(kept.body).toMatchObject({ verdict: 'kept', message: expect.stringContaining('neverRemove') });
  });

  test('of the mapping goes with the next reconcile, and stays while it is INACTIVE', async () => {
    const pair = await activeMapping(world, app);
    await org.tell('DELETE', `groups/${pair.oktaGroupId}/members/${mina}`);
    const leaving = await explain(app, pair, mina);
    expect(leaving.body).toMatchObject({ verdict: 'to_be_removed', brokenAt: 'oktaMembership' });
    expect(leaving.body?.message).toContain('next reconcile');
    await setStatus(app, pair, { status: 'INACTIVE' });
    expect((await explain(app, pair, mina)).body?.message).toContain('stays while the mapping writes nothing');
  });

  test('is held back while a desired person cannot be resolved', async () => {
    const inOkta = ['okta.only@example.com', kaya];
    const pair = await activeMapping(world, app, { inOkta, inTarget: [amara] }, { authority: 'exclusive' });
    const answer = await explain(app, pair, amara);
    expect(answer.body).toMatchObject({ verdict: 'kept', message: expect.stringContaining('cannot be resolved') });
  });
});

describe('what cannot be asked', () => {
  test.each<[string, 'okta' | 'exchange' | 'graph', string, unknown[]]>([
    ['Okta', 'okta', '/api/v1/', [true, null, null, null, null, true, true, true]],
    ['Exchange', 'exchange', '/adminapi/', [true, true, true, true, true, null, true, true]],
    ['the members in Graph', 'graph', '/members', [true, true, true, true, true, true, true, null]],
  ])('is unknown, and hides nothing else: %s', async (_who, upstream, path, expected) => {
    const pair = await activeMapping(world, app, {}, { oktaAppId: await org.appId() });
    const fault = { kind: 'status' as const, status: 403 };
    await control.fault({ upstream, match: { path }, fault, times: 100 });
    const answer = await explain(app, pair, kaya);
    expect(answer.status).toBe(200);
    expect(judged(answer)).toEqual(expected);
    expect(rowsOf(answer, 'links').filter(({ ok }) => ok === false)).toEqual([]);
  });

  test('is a group that Okta does not show: nobody is taken for undesired', async () => {
    const pair = await activeMapping(world, app);
    await org.tell('DELETE', `groups/${pair.oktaGroupId}`);
    const answer = await explain(app, pair, kaya);
    expect(answer.body).toMatchObject({
      verdict: 'unknown',
      brokenAt: 'oktaMembership',
      isDesired: null,
      isMember: true,
    });
    expect(linkOf(answer, 'oktaMembership')).toMatchObject({ code: 'okta_object_not_found' });
  });

  test('is a target that is gone', async () => {
    const pair = await activeMapping(world, app);
    await app.call('DELETE', `groups/${pair.target}`, { query: { confirm: pair.target } });
    const answer = await explain(app, pair, kaya);
    expect(answer.body).toMatchObject({ verdict: 'unknown', isMember: null });
    expect(linkOf(answer, 'list')).toMatchObject({ ok: null, code: 'group_not_found' });
  });

  test('is all but Okta where the group has no mapping', async () => {
    const pair = await newPair(world);
    const answer = await explain(app, pair, kaya);
    expect(answer.body).toMatchObject({ verdict: 'unknown', brokenAt: 'mapping', targetId: null, status: null });
    expect(judged(answer)).toEqual([false, true, null, true, null, null, null, null]);
  });
});
