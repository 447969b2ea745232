import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../shared/clock.ts';
import { createMappingPutter } from '../../shared/push/mappings/putMapping.ts';
import { testCall } from '../support/rooms.ts';
import { startWorld } from '../support/world.ts';
import {
  activeMapping,
  crew,
  explain,
  newPair,
  pushMapping,
  putMapping,
  readMapping,
  setStatus,
} from './mappingWorld.ts';
import { orgOf } from './oktaWorld.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const org = orgOf(world);
const [kaya, liam, mina, noel, olga, amara, bruno] = crew;

beforeEach(() => control.clearFaults());
afterEach(() => control.clearCalls());
afterAll(() => world.close());

describe('what stops a mapping', () => {
  test('is told before its approval with the call that approves it', async () => {
    const inTarget = [mina, noel, olga, amara, bruno, crew[7]];
    const pair = await newPair(world, { inOkta: [kaya], inTarget });
    const { body } = await putMapping(app, pair, { authority: 'exclusive', closeMembership: true });
    const approval = `PUT push-mappings/${pair.oktaGroupId}/status, its planId and "maxRemovals": 6`;
    expect(body?.warnings).toEqual([expect.stringContaining(approval)]);
    const answer = await setStatus(app, pair, { status: 'ACTIVE', planId: body?.planId });
    expect(answer).toMatchObject({ status: 409, body: { code: 'too_many_removals' } });
    expect(answer.body?.fix).toContain(approval);
    expect(answer.body?.detail).toContain('Nothing was written.');
  });

  test('is told as what was left undone, with the push that allows it', async () => {
    const pair = await activeMapping(world, app, { inOkta: [kaya] });
    await org.tell('POST', `groups/${pair.oktaGroupId}/members`, { remove: [kaya] });
    await app.fire('reconcilePushMapping', { oktaGroupId: pair.oktaGroupId });
    const { body } = await readMapping(app, pair);
    expect(body).toMatchObject({
      reasonCode: 'would_empty_group',
      reasonMessage: 'The group has 1 members and would be left without any. Nobody was removed.',
      reasonFix: `If that is meant, send POST push-mappings/${pair.oktaGroupId}/push with "allowEmpty": true.`,
    });
    const leaver = await explain(app, pair, kaya);
    expect(leaver.body).toMatchObject({ verdict: 'to_be_removed', fix: body?.reasonFix });
  });

  test('is a target that is gone, and how the mapping goes on is told', async () => {
    const pair = await activeMapping(world, app);
    await app.call('DELETE', `groups/${pair.target}`, { query: { confirm: pair.target } });
    await org.tell('PUT', `groups/${pair.oktaGroupId}/members/${noel}`);
    const fault = {
      code: 'group_not_found',
      detail: `The target ${pair.target} (${pair.targetId}) is gone, or Entra does not show it.`,
      fix: expect.stringContaining('map the Okta group anew'),
    };
    expect(await pushMapping(app, pair)).toMatchObject({ status: 404, body: fault });
    await app.fire('reconcilePushMapping', { oktaGroupId: pair.oktaGroupId });
    expect((await readMapping(app, pair)).body).toMatchObject({
      status: 'ERROR',
      reasonCode: fault.code,
      reasonMessage: fault.detail,
      reasonFix: fault.fix,
    });
  });
});

test('a match of nobody in the group cannot be let go, and the typo is named', async () => {
  const pair = await activeMapping(world, app, { inOkta: [kaya, liam] });
  const id = await org.userId(liam);
  const { body } = await pushMapping(app, pair, { repin: [kaya.toUpperCase(), id, noel, 'nobody@contoso.con'] });
  expect(body?.warnings).toEqual([
    `Nobody in the Okta group ${pair.oktaName} has this id or login to be matched anew: ${noel}, nobody@contoso.con.`,
  ]);
});

describe('a list that is closed with its mapping', () => {
  const sentence = 'join or leave';

  test('is said to be, in a dry run and when it is done, and not when it was closed already', async () => {
    const pair = await newPair(world);
    const settings = { closeMembership: true };
    const planned = await putMapping(app, pair, { ...settings, dryRun: true });
    expect(planned.body?.message).toContain(`Nobody could ${sentence} ${pair.target}`);
    const made = await putMapping(app, pair, settings);
    expect(made.body?.message).toContain(`Nobody joins or leaves ${pair.target} by themselves any more.`);
    const again = await putMapping(app, pair, settings);
    expect(again.body).toMatchObject({ outcome: 'already_exists', message: expect.not.stringContaining('any more') });
  });

  test('is asked for where a new list lets people leave, and authority exclusive would undo that', async () => {
    const { oktaGroupId } = await newPair(world);
    const create = { kind: 'distributionList', displayName: `Deck ${oktaGroupId}`, owners: [amara] };
    const { body } = await app.call('PUT', `push-mappings/${oktaGroupId}`, {
      body: { create, authority: 'exclusive' },
    });
    expect(body).toMatchObject({ outcome: 'created', warnings: [expect.stringContaining('"closeMembership": true')] });
  });

  test('in part is no success, and what is open is told', async () => {
    const call = testCall();
    const target = { id: 't', kind: 'distributionList', primarySmtpAddress: 'deck@contoso.com' };
    const make = () => Promise.resolve({ target, changed: false, shortfall: null });
    const putter = createMappingPutter({
      pushSource: { group: () => Promise.resolve({ id: '00g1', name: 'Deckhands' }) },
      pushMappings: {
        get: () => Promise.resolve(null),
        findByTarget: () => Promise.resolve(null),
        create: (draft: object) => Promise.resolve({ type: 'created', mapping: draft }),
      },
      mappingTargets: {
        look: () => Promise.resolve({ target, kind: target.kind, label: 'deck', planned: null, make }),
      },
      groupUpdater: { update: () => Promise.resolve({ outcome: 'pending', message: 'Not known yet.' }) },
      pusher: { push: () => Promise.resolve({}) },
      audit: {
        record: async (_intent: object, _call: object, write: () => Promise<{ result: unknown }>) =>
          (await write()).result,
      },
      clock: systemClock,
    } as never);
    const request = {
      choice: { type: 'existing', identity: 't' },
      settings: {},
      closeMembership: true,
      isDryRun: false,
    };
    const answer = await putter.put('00g1', request as never, call);
    expect(answer).toMatchObject({ ok: false, changed: true, message: expect.not.stringContaining('any more') });
    expect(call.warnings).toEqual([expect.stringContaining('is open. Not known yet.')]);
    call.end();
  });
});

test('an approval that is sent twice at once is a success twice, and carried out once', async () => {
  const pair = await newPair(world);
  const { planId } = (await putMapping(app, pair)).body ?? {};
  const approve = () => setStatus(app, pair, { status: 'ACTIVE', planId });
  const answers = await Promise.all([approve(), approve(), approve()]);
  expect(answers.map(({ status, body }) => [status, body?.status, body?.ok])).toEqual(
    answers.map(() => [200, 'ACTIVE', true]),
  );
  expect(answers.filter(({ body }) => body?.changed)).toHaveLength(1);
  const other = await newPair(world);
  await putMapping(app, other);
  const stale = await setStatus(app, other, { status: 'ACTIVE', planId });
  expect(stale).toMatchObject({ status: 409, body: { code: 'plan_changed' } });
});

test('a setting that is a number or null is refused by that name', async () => {
  const pair = await newPair(world);
  const fix = 'Give how many members may come within 24 hours, up to 100,000; null for any number.';
  expect(await putMapping(app, pair, { maxAdditions: '5' })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/maxAdditions', message: 'must be integer or null', fix }] },
  });
});

test('a target that was renamed with its Okta group is called by its new name', async () => {
  const pair = await activeMapping(world, app, { kind: 'security' }, { renameTarget: true });
  const name = `${pair.oktaName} Ashore`;
  await org.tell('PATCH', `groups/${pair.oktaGroupId}`, { profile: { name } });
  await pushMapping(app, pair);
  expect((await readMapping(app, pair)).body).toMatchObject({ oktaGroupName: name, targetName: name });
});

describe('two Okta users who are one object in Entra', () => {
  const [one, two] = ['twin.one@example.com', 'twin.two@example.com'];

  test('stay for each other, and whoever is asked about is told for whom', async () => {
    for (const login of [one, two]) {
      await org.addUser(login);
      await org.putAccount(login, { userName: bruno });
    }
    const pair = await activeMapping(world, app, { inOkta: [one, two] }, { oktaAppId: await org.appId() });
    const leave = (login: string) => org.tell('DELETE', `groups/${pair.oktaGroupId}/members/${login}`);
    expect((await explain(app, pair, bruno)).body).toMatchObject({ verdict: 'kept', isMember: true });
    await leave(one);
    expect((await explain(app, pair, one)).body).toMatchObject({
      verdict: 'kept',
      message: expect.stringContaining(`stays for ${two}`),
      fix: expect.stringContaining(two),
    });
    expect((await explain(app, pair, two)).body).toMatchObject({ verdict: 'member' });
    await org.tell('PATCH', `users/${two}`, { status: 'SUSPENDED' });
    expect((await explain(app, pair, one)).body).toMatchObject({ verdict: 'to_be_removed' });
    await org.tell('PATCH', `users/${two}`, { status: 'ACTIVE' });
    await leave(two);
    expect((await explain(app, pair, one)).body).toMatchObject({ verdict: 'to_be_removed' });
  });
});
