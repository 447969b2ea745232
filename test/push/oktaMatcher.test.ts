import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DirectoryObject } from '../../shared/graph/directoryObjects.ts';
import { createPushMatcher } from '../../shared/push/oktaMatcher.ts';
import type { PushPerson } from '../../shared/push/people.ts';
import type { Match } from '../../shared/push/pushMatcher.ts';
import type { PushSource, SourcePerson } from '../../shared/push/source.ts';
import { type Cast, readCast } from '../support/directory.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';
import { startWorld, type World } from '../support/world.ts';
import { groundOf, type OrgControl, orgOf, sourceOver } from './oktaWorld.ts';

let world: World;
let org: OrgControl;
let ground: Awaited<ReturnType<typeof groundOf>>;
let source: PushSource;
let cast: Cast;
let officeApp: string;
let call: TestCall;

beforeAll(async () => {
  world = await startWorld();
  org = orgOf(world);
});
beforeEach(async () => {
  await world.control.reset();
  ground = await groundOf(world);
  source = sourceOver(ground.okta);
  cast = await readCast(world.control);
  officeApp = await org.appId();
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => world.close());

const kaya = 'kaya.demir@contoso.com';
const liam = 'liam.corrigan@contoso.com';
const nobodysId = '00000000-0000-4000-8000-00000000dead';

async function personOf(login: string): Promise<SourcePerson> {
  return { id: await org.userId(login), login, status: 'ACTIVE' };
}

/** Matched before, with this object of Entra; by its login of then. */
async function pinOf(login: string, more: Partial<PushPerson> = {}): Promise<PushPerson> {
  return {
    oktaUserId: await org.userId(login),
    login,
    entraId: cast.idOf(login),
    label: login,
    matchedBy: 'externalId',
    problem: null,
    ...more,
  };
}

interface Asked {
  pins?: readonly PushPerson[];
  appId?: string | null;
  verifyPins?: boolean;
}

function matchAll(people: readonly SourcePerson[], asked: Asked = {}): Promise<ReadonlyMap<string, Match>> {
  const { pins = [], appId = null, verifyPins = false } = asked;
  const matcher = createPushMatcher({ source, directoryObjects: ground.directoryObjects });
  return matcher.match(people, new Map(pins.map((pin) => [pin.oktaUserId, pin])), appId, { verifyPins }, call);
}

/** Who this one is; the calls that it takes are the only ones in the journal then. */
async function matchOne(person: SourcePerson, asked: Asked = {}): Promise<Match | undefined> {
  await world.control.clearCalls();
  return (await matchAll([person], asked)).get(person.id);
}

const calls = async (upstream: 'okta' | 'graph') =>
  (await world.control.calls({ upstream }))
    .filter(({ path }) => !path.includes('/oauth2/'))
    .map(({ method, path }) => `${method} ${decodeURIComponent(path).replace(/[?&]\$select=.*/, '')}`);

describe('somebody who was not matched yet', () => {
  test('is whom the user of the Office 365 app points at, whatever the names are', async () => {
    await org.putAccount(kaya, { externalId: cast.idOf(liam).toUpperCase(), userName: 'old.name@contoso.com' });
    const person = await personOf(kaya);
    expect(await matchOne(person, { appId: officeApp })).toEqual({
      type: 'matched',
      entraId: cast.idOf(liam),
      label: liam,
      matchedBy: 'externalId',
    });
    expect(await calls('graph')).toEqual(['POST /v1.0/$batch', `GET /v1.0/users/${cast.idOf(liam)}`]);
    expect(await calls('okta')).toEqual([
      `GET /api/v1/apps/${officeApp}/users/${person.id}`,
      `GET /api/v1/apps/${officeApp}`,
    ]);
  });

  test('is nobody where that points at nothing, though there is a user of that name', async () => {
    await org.putAccount(kaya, { externalId: nobodysId });
    const match = await matchOne(await personOf(kaya), { appId: officeApp });
    expect(match).toMatchObject({ type: 'failed', code: 'member_not_found' });
    expect(match).toMatchObject({ message: expect.stringContaining(`points at ${nobodysId}`) });
  });

  test('is the user with the user name of the account, where that points at nobody', async () => {
    await org.putAccount(kaya, { externalId: null, userName: liam });
    expect(await matchOne(await personOf(kaya), { appId: officeApp })).toEqual({
      type: 'matched',
      entraId: cast.idOf(liam),
      label: liam,
      matchedBy: 'userPrincipalName',
    });
    expect(await calls('graph')).toEqual([
      'POST /v1.0/$batch',
      `GET /v1.0/users?$filter=userPrincipalName eq '${liam}'`,
    ]);
    await org.putAccount(kaya, { userName: 'nobody@contoso.com' });
    expect(await matchOne(await personOf(kaya), { appId: officeApp })).toMatchObject({
      code: 'member_not_found',
      message: expect.stringContaining(`nobody@contoso.com for ${kaya}`),
    });
  });

  test('is the user whose principal name is the login, without an account or without an app', async () => {
    await world.control.tenant({
      users: [{ userPrincipalName: "O'Neil+x@contoso.com", displayName: 'O', mail: 'oneil@contoso.com' }],
    });
    const login = "o'neil+X@contoso.com";
    await org.addUser(login);
    for (const appId of [null, officeApp]) {
      expect(await matchOne(await personOf(login), { appId })).toEqual({
        type: 'matched',
        entraId: (await readCast(world.control)).idOf("O'Neil+x@contoso.com"),
        label: 'oneil@contoso.com',
        matchedBy: 'userPrincipalName',
      });
    }
    expect(await matchOne(await personOf(kaya))).toMatchObject({ entraId: cast.idOf(kaya) });
    expect(await calls('okta')).toEqual([]);
  });

  test('is labelled by the principal name where there is no address', async () => {
    expect(await matchOne(await personOf('moments.ago@corp.contoso.com'))).toMatchObject({
      type: 'matched',
      label: 'moments.ago@corp.contoso.com',
    });
  });

  test('is never whom an address, a second address or an object id leads to', async () => {
    await world.control.tenant({
      users: [{ userPrincipalName: kaya, proxyAddresses: [`SMTP:${kaya}`, 'smtp:kaya.alias@contoso.com'] }],
    });
    for (const login of [cast.oddUpn.mail, 'kaya.alias@contoso.com', cast.idOf(kaya)]) {
      await org.addUser(login);
      const match = await matchOne(await personOf(login));
      expect(match).toMatchObject({ type: 'failed', code: 'member_not_found' });
      expect(match).toMatchObject({ message: expect.stringContaining(`user principal name ${login};`) });
    }
  });

  test('is not whom Graph answers with beside the question', async () => {
    const [person, row] = [await personOf(kaya), { id: cast.idOf(liam), userPrincipalName: liam, mail: kaya }];
    await org.putAccount(liam, { externalId: nobodysId });
    const answered = (body: object) => ({ responses: [{ id: '0', status: 200, body }] });
    for (const [each, body] of [
      [person, answered({ value: [row] })],
      [await personOf(liam), answered(row)],
    ] as const) {
      await world.control.fault({ upstream: 'graph', fault: { kind: 'status', status: 200, body }, times: 1 });
      expect(await matchOne(each, { appId: each === person ? null : officeApp })).toMatchObject({
        code: 'member_not_found',
      });
    }
  });

  test('is nobody for sure where two may be meant', async () => {
    const objects = [cast.idOf(kaya), cast.idOf(liam)].map((id): DirectoryObject => {
      const nothing = { displayName: null, mail: null, addresses: [], isSecurityGroup: false };
      return { id, type: 'user', userPrincipalName: kaya, ...nothing };
    });
    const matcher = createPushMatcher({
      source,
      directoryObjects: { lookUpUsers: () => Promise.resolve([{ type: 'found', objects }]) },
    });
    const person = await personOf(kaya);
    const match = (await matcher.match([person], new Map(), null, { verifyPins: false }, call)).get(person.id);
    expect(match).toMatchObject({ type: 'failed', code: 'ambiguous_member' });
    expect(match).toMatchObject({ message: expect.stringContaining(`2 users with the user principal name ${kaya}`) });
  });

  test('is looked for again where nobody was found the last time', async () => {
    const pin = await pinOf(kaya, { entraId: null, matchedBy: null });
    expect(await matchOne(await personOf(kaya), { pins: [pin] })).toMatchObject({ entraId: cast.idOf(kaya) });
  });
});

describe('somebody who was matched before', () => {
  const held = { type: 'matched', label: 'as it was', matchedBy: 'userPrincipalName' };
  const asBefore = { label: 'as it was', matchedBy: 'userPrincipalName' } as const;

  test('stays who it is without a single call, while the login is the same in any letters', async () => {
    const pin = await pinOf(kaya, { ...asBefore, login: kaya.toUpperCase(), entraId: cast.idOf(liam).toUpperCase() });
    await org.putAccount(kaya, { externalId: nobodysId });
    for (const appId of [null, officeApp]) {
      const match = await matchOne(await personOf(kaya), { pins: [pin], appId });
      expect(match).toEqual({ ...held, entraId: cast.idOf(liam) });
      expect(await world.control.calls()).toEqual([]);
    }
    const whole = await matchOne(await personOf(kaya), { pins: [pin], verifyPins: true });
    expect(whole).toEqual({ ...held, entraId: cast.idOf(liam) });
    expect(await world.control.calls()).toEqual([]);
  });

  test('is confirmed by the account where pins are verified, without Entra', async () => {
    const pin = await pinOf(kaya, { ...asBefore, entraId: cast.idOf(kaya).toUpperCase() });
    const asked = { pins: [pin], appId: officeApp, verifyPins: true };
    expect(await matchOne(await personOf(kaya), asked)).toEqual({
      ...held,
      entraId: cast.idOf(kaya),
      matchedBy: 'externalId',
    });
    expect(await calls('okta')).toHaveLength(2);
    expect(await calls('graph')).toEqual([]);
  });

  test.each([
    ['no account', 'moments.ago@corp.contoso.com', undefined],
    ['an account without an external id', kaya, null],
    ['an account with one that is of another kind', kaya, 'SGVsbG8='],
  ])('stays who it is with %s', async (_what, login, externalId) => {
    if (externalId !== undefined) await org.putAccount(login, { externalId });
    const pin = await pinOf(login, { ...asBefore, entraId: cast.idOf(liam), matchedBy: null });
    const asked = { pins: [pin], appId: officeApp, verifyPins: true };
    expect(await matchOne(await personOf(login), asked)).toEqual({ ...held, entraId: cast.idOf(liam) });
    expect(await calls('graph')).toEqual([]);
  });

  test('is a finding where the account points at somebody else', async () => {
    await org.putAccount(kaya, { externalId: cast.idOf(liam) });
    const asked = { pins: [await pinOf(kaya)], appId: officeApp, verifyPins: true };
    const match = await matchOne(await personOf(kaya), asked);
    expect(match).toMatchObject({ type: 'changed', code: 'match_changed' });
    for (const words of [kaya, cast.idOf(kaya), cast.idOf(liam), '"repin"']) {
      expect(match).toMatchObject({ message: expect.stringContaining(words) });
    }
  });

  describe('under another login', () => {
    const renamed = 'kaya.demirci@contoso.com';
    const rename = async (): Promise<SourcePerson> => {
      await org.rename(kaya, renamed);
      return personOf(renamed);
    };
    const pinnedBefore = async (more: Partial<PushPerson> = {}) => pinOf(kaya, { ...asBefore, ...more });

    test('is the same where the new name leads to the same object, and is labelled anew', async () => {
      const pin = await pinnedBefore();
      await world.control.tenant({ users: [{ id: cast.idOf(kaya), userPrincipalName: renamed, mail: renamed }] });
      expect(await matchOne(await rename(), { pins: [pin] })).toEqual({
        ...held,
        entraId: cast.idOf(kaya),
        label: renamed,
      });
      expect(await calls('graph')).toHaveLength(2);
    });

    test('is a finding where the new name is somebody else', async () => {
      const pin = await pinnedBefore();
      await world.control.tenant({ users: [{ userPrincipalName: renamed, displayName: 'Another Kaya' }] });
      const match = await matchOne(await rename(), { pins: [pin] });
      expect(match).toMatchObject({ type: 'changed', code: 'match_changed' });
      const other = (await readCast(world.control)).idOf(renamed);
      for (const words of [renamed, cast.idOf(kaya), other, '"repin"']) {
        expect(match).toMatchObject({ message: expect.stringContaining(words) });
      }
    });

    test('stays who it is where Entra does not have the new name (yet)', async () => {
      const pin = await pinnedBefore();
      expect(await matchOne(await rename(), { pins: [pin] })).toEqual({ ...held, entraId: cast.idOf(kaya) });
    });

    test('is held against the account though pins are not verified', async () => {
      const pin = await pinnedBefore();
      const person = await rename();
      await world.control.tenant({ users: [{ userPrincipalName: renamed, displayName: 'Another Kaya' }] });
      expect(await matchOne(person, { pins: [pin], appId: officeApp })).toEqual({
        ...held,
        entraId: cast.idOf(kaya),
        label: kaya,
        matchedBy: 'externalId',
      });
      await org.putAccount(renamed, { externalId: cast.idOf(liam) });
      expect(await matchOne(person, { pins: [pin], appId: officeApp })).toMatchObject({ type: 'changed' });
    });

    test('stays who it is where the account confirms it and Entra does not have it any more', async () => {
      await org.putAccount(kaya, { externalId: nobodysId });
      const pin = await pinnedBefore({ entraId: nobodysId });
      expect(await matchOne(await rename(), { pins: [pin], appId: officeApp })).toEqual({
        ...held,
        entraId: nobodysId,
        matchedBy: 'externalId',
      });
    });

    test('is looked for by the user name of an account that points at nobody', async () => {
      await org.putAccount(kaya, { externalId: null, userName: liam });
      const pin = await pinnedBefore();
      const match = await matchOne(await rename(), { pins: [pin], appId: officeApp });
      expect(match).toMatchObject({ type: 'changed', message: expect.stringContaining(`Entra has ${liam} as`) });
    });
  });
});

describe('a lookup that fails', () => {
  const failing = (status: number, times: number) =>
    world.control.fault({ upstream: 'graph', fault: { kind: 'batchParts', status }, times });

  test('in passing is made again', async () => {
    await failing(503, 2);
    expect(await matchOne(await personOf(kaya))).toMatchObject({ type: 'matched' });
    expect(await world.control.calls({ upstream: 'graph', path: '$batch' })).toHaveLength(3);
  });

  test.each([
    [503, 'upstream_failed'],
    [429, 'throttled'],
    [403, 'graph_permission_missing'],
  ])('for good with %i is a fault, never an answer that somebody is nobody', async (status, code) => {
    const [one, other] = [await personOf(kaya), await personOf(liam)];
    for (const pins of [[], [await pinOf(liam, { login: 'before@contoso.com' })]]) {
      await failing(status, 9);
      expect(await faultOf(matchAll([one, other], { pins }))).toMatchObject({ code, upstream: 'graph' });
      await world.control.clearFaults();
    }
  });

  test('as a whole is a fault, of Graph or of Okta', async () => {
    const person = await personOf(kaya);
    await world.control.fault({ upstream: 'graph', fault: { kind: 'status', status: 500 }, times: 99 });
    expect(await faultOf(matchAll([person]))).toMatchObject({ code: 'upstream_failed', upstream: 'graph' });
    await world.control.clearFaults();
    await world.control.fault({ upstream: 'okta', fault: { kind: 'status', status: 500 }, times: 99 });
    expect(await faultOf(matchAll([person], { appId: officeApp }))).toMatchObject({ upstream: 'okta' });
    await world.control.clearFaults();
    expect(await faultOf(matchAll([person], { appId: '0oaNobody' }))).toMatchObject({ code: 'okta_object_not_found' });
  });
});

test('hundreds take a page of accounts and a batch for each twenty; who is known costs nothing', async () => {
  await org.tell('POST', 'seed', { users: 310, groups: 1, members: { 'Okta Group 0001': 310 } });
  const people: SourcePerson[] = [];
  for await (const page of source.memberPages(await org.groupId('Okta Group 0001'), call)) people.push(...page);
  const everybody = await readCast(world.control);
  const pins = people.slice(0, 10).map(({ id, login }): PushPerson => ({
    oktaUserId: id,
    login,
    entraId: everybody.idOf(login),
    label: login,
    matchedBy: 'externalId',
    problem: null,
  }));
  await org.putAccount(people[200]?.login ?? '', { externalId: nobodysId });
  await world.control.clearCalls();
  const matches = await matchAll(people, { pins, appId: officeApp });
  expect(matches.size).toBe(310);
  for (const { id, login } of people) {
    expect(matches.get(id)).toMatchObject(
      id === people[200]?.id
        ? { type: 'failed', code: 'member_not_found' }
        : { type: 'matched', entraId: everybody.idOf(login), label: login, matchedBy: 'externalId' },
    );
  }
  expect(await calls('okta')).toHaveLength(2);
  expect(await world.control.calls({ upstream: 'graph', path: '$batch' })).toHaveLength(15);
  expect(await calls('graph')).toHaveLength(315);
});

test('nobody to match takes no call', async () => {
  await world.control.clearCalls();
  expect(await matchAll([], { appId: officeApp, verifyPins: true })).toEqual(new Map());
  expect(await world.control.calls()).toEqual([]);
});
