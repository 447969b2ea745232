import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../shared/clock.ts';
import { readConfig } from '../../shared/config.ts';
import { createOkta } from '../../shared/okta/client.ts';
import { createOktaEventHooks, type OktaEventHooks } from '../../shared/okta/eventHooks.ts';
import { eventHookScopes } from '../../shared/okta/scopes.ts';
import { createOktaTokens } from '../../shared/okta/tokens.ts';
import { ensureEventHook, readHookUrl } from '../../shared/push/hooks/ensureHook.ts';
import { hookEventTypes } from '../../shared/push/hooks/eventTypes.ts';
import { linesOf } from '../action/actionHost.ts';
import { faultOf, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { type App, type JsonObject, type Settings, settingsFor, startWorld, type World } from '../support/world.ts';
import { orgOf } from './oktaWorld.ts';

const secret = 'a-secret-of-the-event-hook';
const name = 'Okta M365 Actions';
const root = fileURLToPath(new URL('../../', import.meta.url));

let world: World;
let app: App;
let call: TestCall;
let hooks: OktaEventHooks;
let url = '';

beforeAll(async () => {
  world = await startWorld();
  app = await world.startApp({ OKTA_EVENT_HOOK_SECRET: secret });
  url = `${app.host.url}/api/okta/events`;
});
beforeEach(async () => {
  await world.control.reset();
  call = testCall();
  hooks = hooksOf(settingsFor(world.simulator));
});
afterEach(() => call.end());
afterAll(() => world.close());

function hooksOf(settings: Settings): OktaEventHooks {
  const result = readConfig({ ...settings, AzureWebJobsStorage: 'UseDevelopmentStorage=true' });
  if (!result.ok || result.config.okta === null) throw new Error('no settings for Okta');
  const outside = { fetch, clock: systemClock, random: () => 0 };
  const tokens = createOktaTokens(result.config.okta, eventHookScopes, outside);
  return createOktaEventHooks(createOkta(testUpstream('okta', result.config.okta.orgUrl, { tokens })));
}

async function registered() {
  const found: JsonObject[] = [];
  for await (const page of hooks.pages(call)) found.push(...page.map((hook) => ({ ...hook })));
  return found;
}

/** The script, as a person runs it. */
async function run(args: string[], settings: Settings = {}) {
  const env = { PATH: process.env.PATH, ...settingsFor(world.simulator), OKTA_EVENT_HOOK_SECRET: secret, ...settings };
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/setup/eventHook.ts', ...args], { cwd: root, env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

describe('the event hook in Okta', () => {
  test('is registered for the events that mappings need, verified, and its deliveries are taken in', async () => {
    const { outcome, missingTypes } = await ensureEventHook({ name, url, secret }, hooks, call);
    expect([outcome, missingTypes]).toEqual(['created', []]);
    expect(await registered()).toEqual([
      expect.objectContaining({
        name,
        url,
        status: 'ACTIVE',
        verificationStatus: 'VERIFIED',
        eventTypes: expect.arrayContaining([...hookEventTypes]),
      }),
    ]);
    const org = orgOf(world);
    await org.tell('PATCH', `groups/${await org.groupId('Field Engineers')}`, {
      profile: { name: 'Field Engineering' },
    });
    await org.tell('POST', 'deliveries/settle');
    expect(await org.tell('GET', 'deliveries')).toEqual([expect.objectContaining({ outcome: 'delivered' })]);
    expect(linesOf(app.host)).toContainEqual(
      expect.objectContaining({ action: 'receiveEventHook', status: 204, outcome: 'queued' }),
    );
  });

  test('stays one, however often it is set up', async () => {
    await ensureEventHook({ name, url, secret }, hooks, call);
    const again = await ensureEventHook({ name: 'Another name', url, secret }, hooks, call);
    expect(again).toMatchObject({ outcome: 'already_verified', hook: { name } });
    expect(await registered()).toHaveLength(1);
  });

  test('that was not verified is verified, and what it does not hear is told', async () => {
    const header = { name: 'authorization', value: secret };
    await hooks.create({ name: 'By hand', url, eventTypes: ['group.user_membership.add'], header }, call);
    const { outcome, hook, missingTypes } = await ensureEventHook({ name, url, secret }, hooks, call);
    expect([outcome, hook.verificationStatus]).toEqual(['verified', 'VERIFIED']);
    expect(missingTypes).toEqual(hookEventTypes.filter((type) => type !== 'group.user_membership.add'));
  });

  test('that does not answer the challenge is a fault, and is taken up where it was left', async () => {
    const nowhere = 'http://127.0.0.1:9/api/okta/events';
    for (let time = 0; time < 2; time += 1) {
      expect(await faultOf(ensureEventHook({ name, url: nowhere, secret }, hooks, call))).toMatchObject({
        code: 'upstream_rejected',
        message: expect.stringMatching(/is registered, and Okta could not verify it.*unreachable/),
        fix: expect.stringContaining(nowhere),
      });
    }
    expect(await registered()).toHaveLength(1);
  });

  test('is left alone where it was deactivated, or has the name but another address', async () => {
    const { hook } = await ensureEventHook({ name, url, secret }, hooks, call);
    const elsewhere = url.replace('127.0.0.1', 'localhost');
    const taken = await faultOf(ensureEventHook({ name, url: elsewhere, secret }, hooks, call));
    expect([taken.code, taken.message]).toEqual(['invalid_request', expect.stringContaining(url)]);
    const { urls, okta } = world.simulator;
    const deactivated = await fetch(`${urls.okta}/api/v1/eventHooks/${hook.id}/lifecycle/deactivate`, {
      method: 'POST',
      headers: { authorization: `SSWS ${okta.apiToken}` },
    });
    expect(deactivated.status).toBe(200);
    const inactive = await faultOf(ensureEventHook({ name, url, secret }, hooks, call));
    expect([inactive.code, inactive.fix]).toEqual(['invalid_request', expect.stringContaining('Activate it')]);
    expect(await registered()).toHaveLength(1);
  });
});

describe('the address of the hook', () => {
  test.each(['https://contoso-okta.azurewebsites.net/api/okta/events', 'http://127.0.0.1:7071/api/okta/events'])(
    'can be %s',
    (address) => {
      expect(readHookUrl(address)).toBe(address);
    },
  );

  test.each([
    ['', 'no https'],
    ['contoso-okta.azurewebsites.net/api/okta/events', 'no https'],
    ['http://contoso-okta.azurewebsites.net/api/okta/events', 'no https'],
    ['http://127.0.0.1.example.com/api/okta/events', 'no https'],
    ['ftp://127.0.0.1/api/okta/events', 'no https'],
    ['https://contoso-okta.azurewebsites.net', 'does not end'],
    ['https://contoso-okta.azurewebsites.net/api/okta/events?code=key', 'does not end'],
  ])('cannot be "%s"', async (address, why) => {
    const fault = await faultOf(Promise.resolve().then(() => readHookUrl(address)));
    expect([fault.code, fault.message]).toEqual(['invalid_request', expect.stringContaining(why)]);
  });
});

describe('npm run setup:event-hook', () => {
  test('sets it up, and says what it found when it is run again', async () => {
    const first = await run([url]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      /^Registered and verified: the event hook "Okta M365 Actions" \(who\w+\) posts to http/,
    );
    const second = await run([url]);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Registered already: /) });
    expect(first.stdout + second.stdout).not.toContain(secret);
    expect(await registered()).toHaveLength(1);
  });

  test('refuses plain http, and names the settings that it lacks', async () => {
    const plain = await run(['http://contoso.example/api/okta/events']);
    expect(plain).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no https address') });
    const bare = await run([url], { OKTA_EVENT_HOOK_SECRET: '', OKTA_ORG_URL: '', OKTA_CLIENT_ID: '' });
    expect(bare).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('OKTA_EVENT_HOOK_SECRET is not set'),
    });
    expect(bare.stderr).toContain('OKTA_ORG_URL is not set');
    const weak = await run([url], { OKTA_EVENT_HOOK_SECRET: 'hush' });
    expect(weak).toMatchObject({ code: 1, stderr: expect.stringContaining('OKTA_EVENT_HOOK_SECRET is too short') });
    const unknown = await run([url, '--nmae', 'typo']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('--nmae') });
    expect(await registered()).toEqual([]);
  });
});
