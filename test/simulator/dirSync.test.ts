import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Answer } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const PATH = '/directory/onPremisesSynchronization';
const INSUFFICIENT = {
  code: 'Authorization_RequestDenied',
  message: 'Insufficient privileges to complete the operation.',
};
const ALL = ['User.ReadWrite.All', 'Organization.Read.All', 'OnPremDirectorySynchronization.ReadWrite.All'];

const put = async (contents: object): Promise<void> => {
  expect((await bench.control('PUT', 'tenant', contents)).text).toBe('{"ok":true}');
};
const setBypass = (isOn: boolean): Promise<void> =>
  put({ onPremisesSynchronization: { features: { bypassDirSyncOverridesEnabled: isOn } } });
const sync = async (policy?: string) => {
  const answer = await bench.control('POST', 'onPremises/sync', policy === undefined ? undefined : { policy });
  return answer.body as unknown as { exported: number; overwritten: object[]; kept: object[] };
};
const phones = async (): Promise<Record<string, unknown>> => {
  const users = (await bench.state()).users as unknown as { userPrincipalName: string; mobilePhone: unknown }[];
  return Object.fromEntries(users.map(({ userPrincipalName, mobilePhone }) => [userPrincipalName, mobilePhone]));
};

describe('directory/onPremisesSynchronization', () => {
  let token = '';
  const read = (path = PATH, as = token): Promise<Answer> => bench.graph('GET', path, { token: as });
  const write = (body: object, id = bench.sim.tenantId, as = token): Promise<Answer> =>
    bench.graph('PATCH', `${PATH}/${id}`, { body, token: as });
  const features = async () => (await read(`${PATH}/${bench.sim.tenantId}`)).body as unknown as { features: object };
  const allow = (onPremisesSynchronizationAppOnly: string): Promise<void> =>
    put({ settings: { onPremisesSynchronizationAppOnly } });
  beforeEach(async () => {
    token = await bench.tokenWith('synchronization', { graph: ALL });
  });

  test('is a collection of one, or that one itself, by a setting; by its id always itself', async () => {
    const collection = await read();
    expect(collection.body.value).toMatchObject([
      {
        id: bench.sim.tenantId,
        configuration: {
          accidentalDeletionPrevention: { synchronizationPreventionType: 'enabledForCount', alertThreshold: 500 },
        },
        features: { bypassDirSyncOverridesEnabled: false, synchronizeUpnForManagedUsersEnabled: true },
      },
    ]);
    expect(Object.keys(collection.body.value[0]?.features as object)).toHaveLength(20);
    expect((await read(`${PATH}/${bench.sim.tenantId}`)).body).toMatchObject({ id: bench.sim.tenantId });
    await put({ settings: { onPremisesSynchronizationForm: 'entity' } });
    expect((await read()).body).toMatchObject({ id: bench.sim.tenantId });
    expect((await read(`${PATH}/f0000000-0000-4000-8000-000000000000`)).status).toBe(404);
  });

  test.each([
    ['refused', 403, 403],
    ['read', 200, 403],
    ['readWrite', 200, 204],
  ])('to an app alone it is %s by setting', async (appOnly, reading, writing) => {
    await allow(appOnly);
    const answers = [await read(), await write({ features: { bypassDirSyncOverridesEnabled: true } })];
    expect(answers.map(({ status }) => status)).toEqual([reading, writing]);
    for (const { status, body } of answers) if (status === 403) expect(body.error).toMatchObject(INSUFFICIENT);
  });

  test('unless set otherwise an app reads and does not write', async () => {
    expect((await read()).status).toBe(200);
    expect((await write({ features: {} })).status).toBe(403);
  });

  test('a permission is needed even where an app may', async () => {
    await allow('readWrite');
    const without = await bench.tokenWith('none', { graph: ['User.ReadWrite.All'] });
    const reader = await bench.tokenWith('reader', { graph: ['OnPremDirectorySynchronization.Read.All'] });
    expect((await read(PATH, without)).body.error).toMatchObject(INSUFFICIENT);
    expect((await read(PATH, reader)).status).toBe(200);
    expect((await write({ features: {} }, bench.sim.tenantId, reader)).body.error).toMatchObject(INSUFFICIENT);
  });

  test('only what is given changes', async () => {
    await allow('readWrite');
    const before = await features();
    expect(await write({ features: { bypassDirSyncOverridesEnabled: true } })).toMatchObject({ status: 204, text: '' });
    expect(await features()).toEqual({
      ...before,
      features: { ...before.features, bypassDirSyncOverridesEnabled: true },
    });
    const accidentalDeletionPrevention = { alertThreshold: 10 };
    expect((await write({ configuration: { accidentalDeletionPrevention } })).status).toBe(204);
    expect(await features()).toMatchObject({
      configuration: {
        accidentalDeletionPrevention: { synchronizationPreventionType: 'enabledForCount', alertThreshold: 10 },
      },
      features: { bypassDirSyncOverridesEnabled: true },
    });
  });

  test.each([
    [{ features: { nonsense: true } }, 'nonsense'],
    [{ features: { bypassDirSyncOverridesEnabled: 'true' } }, 'bypassDirSyncOverridesEnabled'],
    [{ features: [] }, 'features'],
    [{ nonsense: {} }, 'nonsense'],
    [{ configuration: { nonsense: {} } }, 'nonsense'],
    [{ configuration: { accidentalDeletionPrevention: { alertThreshold: 'ten' } } }, 'alertThreshold'],
    [
      { configuration: { accidentalDeletionPrevention: { synchronizationPreventionType: 'never' } } },
      'synchronizationPreventionType',
    ],
    [
      { features: { bypassDirSyncOverridesEnabled: true, synchronizeUpnForManagedUsersEnabled: false } },
      'synchronizeUpnForManagedUsersEnabled',
    ],
  ])('%j is refused and changes nothing', async (body, words) => {
    await allow('readWrite');
    const before = await features();
    const answer = await write(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(words);
    expect(await features()).toEqual(before);
  });

  test('is 404 by another id', async () => {
    await allow('readWrite');
    expect((await write({ features: {} }, 'f0000000-0000-4000-8000-000000000000')).status).toBe(404);
  });
});

describe('a sync cycle', () => {
  const OVERRIDDEN = 'cause.override@contoso.com';
  const change = { userPrincipalName: OVERRIDDEN, property: 'mobilePhone' };
  beforeEach(async () => {
    await bench.control('POST', 'seed/attributes');
  });

  test('leaves an override while bypass is off', async () => {
    const before = await phones();
    expect(await sync('initial')).toMatchObject({
      overwritten: [],
      kept: [{ ...change, cloud: '+1 555 010 0100', onPremises: '+1 555 010 0199' }],
    });
    expect(await phones()).toEqual(before);
  });

  test('overwrites it while bypass is on, once for all: what is lost does not come back', async () => {
    const before = await phones();
    await setBypass(true);
    expect(await sync('initial')).toMatchObject({
      overwritten: [{ ...change, cloud: '+1 555 010 0100', onPremises: '+1 555 010 0199' }],
      kept: [],
    });
    const after = { ...before, [OVERRIDDEN]: '+1 555 010 0199' };
    expect(await phones()).toEqual(after);
    await setBypass(false);
    expect(await sync('initial')).toMatchObject({ overwritten: [], kept: [] });
    expect(await phones()).toEqual(after);
    // The override is gone, so that what is edited on-premises comes again.
    await put({ users: [{ userPrincipalName: OVERRIDDEN, onPremises: { mobilePhone: '5' } }] });
    expect(await sync()).toMatchObject({ overwritten: [{ onPremises: '5' }], kept: [] });
  });

  test('of the delta kind, which is the usual one, takes those only who changed on-premises', async () => {
    await setBypass(true);
    expect(await sync()).toEqual({ exported: 0, overwritten: [], kept: [] });
    await put({
      users: [{ userPrincipalName: OVERRIDDEN, onPremises: { mobilePhone: '+1 555 010 0199', department: 'New' } }],
    });
    expect(await sync('delta')).toMatchObject({ exported: 1, overwritten: [change, { property: 'department' }] });
    expect((await phones())[OVERRIDDEN]).toBe('+1 555 010 0199');
    expect(await sync('delta')).toMatchObject({ exported: 0 });
  });

  test('brings what is edited on-premises where nothing overrides it, and only of synced people', async () => {
    const synced = { userPrincipalName: 'cause.synced@contoso.com', onPremises: { mobilePhone: '+1 555 010 0199' } };
    await put({
      users: [synced, { userPrincipalName: 'wade.barton@corp.contoso.com', onPremises: { mobilePhone: '1' } }],
    });
    expect(await sync()).toMatchObject({ exported: 1, overwritten: [{ property: 'mobilePhone' }] });
    expect(await phones()).toMatchObject({
      'cause.synced@contoso.com': '+1 555 010 0199',
      'wade.barton@corp.contoso.com': null,
    });
  });

  test('undoes an edit that Graph accepted while bypass was on, and keeps one of while it was off', async () => {
    const synced = 'anton.berg@contoso.com';
    await put({
      settings: { syncedUserWrites: ['mobilePhone'] },
      users: [{ userPrincipalName: synced, mobilePhone: '1' }],
    });
    const edit = async (mobilePhone: string) => {
      expect((await bench.graph('PATCH', `/users/${synced}`, { body: { mobilePhone } })).status).toBe(204);
    };
    await setBypass(true);
    await edit('2');
    expect(await sync()).toMatchObject({ overwritten: [{ userPrincipalName: synced, cloud: '2', onPremises: '1' }] });
    expect((await phones())[synced]).toBe('1');
    await setBypass(false);
    await edit('3');
    expect(await sync('initial')).toMatchObject({
      kept: expect.arrayContaining([
        expect.objectContaining({ userPrincipalName: synced, cloud: '3', onPremises: '1' }),
      ]),
    });
    expect((await phones())[synced]).toBe('3');
  });

  test('sets when the tenant and the person were last synced', async () => {
    await bench.control('POST', 'clock', { now: '2030-01-01T00:00:00Z' });
    await sync('initial');
    const token = await bench.tokenWith('synchronization', { graph: ALL });
    const select = '$select=onPremisesSyncEnabled,onPremisesLastSyncDateTime';
    const organization = await bench.graph('GET', `/organization?${select}`, { token });
    expect(organization.body.value).toEqual([
      { onPremisesSyncEnabled: true, onPremisesLastSyncDateTime: expect.stringMatching(/^2030-01-01T00:00:0\dZ$/) },
    ]);
    const person = await bench.graph('GET', `/users/${OVERRIDDEN}?${select}`, { token });
    expect(person.body).toMatchObject({ onPremisesLastSyncDateTime: expect.stringContaining('2030-01-01') });
  });

  test('does not run where synchronization is off, or was never on', async () => {
    for (const onPremisesSyncEnabled of [false, null]) {
      await put({ syncState: { onPremisesSyncEnabled, onPremisesLastSyncDateTime: null } });
      expect((await bench.control('POST', 'onPremises/sync')).status).toBe(400);
      const organization = await bench.graph('GET', '/organization');
      expect(organization.body.value).toMatchObject([{ onPremisesSyncEnabled, onPremisesLastSyncDateTime: null }]);
    }
    expect((await bench.control('POST', 'onPremises/sync', { policy: 'full' })).status).toBe(400);
    expect((await bench.control('POST', 'onPremises/sync', { who: 'all' })).status).toBe(400);
  });
});

describe('the seed of causes', () => {
  interface OktaState {
    users: { id: string; profile: { login: string; mobilePhone: string | null } }[];
    apps: { name: string; users: { id: string; syncState: string; lastSync: string; profile: object }[] }[];
  }

  test('has nobody before it is asked for, and each once however often it is', async () => {
    const count = async () => Object.keys(await phones()).filter((upn) => upn.startsWith('cause.')).length;
    expect(await count()).toBe(0);
    for (const asked of [1, 2]) {
      const answer = await bench.control('POST', 'seed/attributes');
      expect([asked, answer.text, await count()]).toEqual([asked, '{"ok":true}', 14]);
    }
  });

  test('is the one that docs/simulator.md tells of', async () => {
    await bench.control('POST', 'seed/attributes');
    const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
    const section = page.split('## Causes of a wrong phone')[1]?.split('\n## ')[0] ?? '';
    const documented = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name ?? '');
    const seeded = Object.keys(await phones()).filter((upn) => upn.startsWith('cause.'));
    expect(documented.sort()).toEqual(seeded.sort());
  });

  test('gives everybody a phone in Okta, which all but one have in Entra otherwise', async () => {
    await bench.control('POST', 'seed/attributes');
    const okta = (await bench.control('GET', 'okta/state')).body as unknown as OktaState;
    const inEntra = await phones();
    const causes = okta.users.filter(({ profile }) => profile.login.startsWith('cause.'));
    expect(causes).toHaveLength(14);
    const equal = causes.filter(({ profile }) => inEntra[profile.login] === profile.mobilePhone);
    expect(equal.map(({ profile }) => profile.login)).toEqual(['cause.equal@corp.contoso.com']);
  });

  test('tells in the app user what Okta has not sent', async () => {
    await bench.control('POST', 'seed/attributes');
    const okta = (await bench.control('GET', 'okta/state')).body as unknown as OktaState;
    const assigned = okta.apps.find(({ name }) => name === 'office365')?.users ?? [];
    const of = (login: string) => {
      const id = okta.users.find(({ profile }) => profile.login === login)?.id;
      return assigned.find((appUser) => appUser.id === id);
    };
    expect(of('cause.unmapped@corp.contoso.com')).toMatchObject({
      syncState: 'SYNCHRONIZED',
      lastSync: expect.any(String),
      profile: { mobilePhone: null },
    });
    expect(of('cause.unpushed@corp.contoso.com')).toMatchObject({
      syncState: 'ERROR',
      lastSync: null,
      profile: { mobilePhone: '+1 555 010 0199' },
    });
    expect(of('cause.active.role@corp.contoso.com')).toMatchObject({
      syncState: 'SYNCHRONIZED',
      profile: { mobilePhone: '+1 555 010 0199' },
    });
  });
});
