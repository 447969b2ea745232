import type { Everything } from './everything.ts';

/** What a newcomer needs: where things are, and commands that work as they stand. */
export async function greet({ api, key, masterKey, hookSecret, simulator }: Everything): Promise<string> {
  const owner = simulator ? await someUser(simulator.control) : '<user principal name>';
  const group = `${api}/groups/field-engineers@contoso.com`;
  const functions = await listFunctions(new URL('/admin/functions', api).href, masterKey);
  const timer = functions.find(({ isTimer }) => isTimer);
  const pushes = functions.some(({ name }) => name === 'putPushMapping');
  const oktaGroup = simulator ? await someOktaGroup(simulator.control) : '<id of an Okta group>';
  const curl = (method: string, url: string, body?: object, opener = key) =>
    [
      `curl -sS -X ${method} '${url}' -H 'x-functions-key: ${opener}'`,
      ...(body ? [`  -H 'content-type: application/json' -d '${JSON.stringify(body)}'`] : []),
    ].join(' \\\n');
  const newGroup = {
    kind: 'mailEnabledSecurity',
    displayName: 'Field Engineers',
    alias: 'field-engineers',
    primarySmtpAddress: 'field-engineers@contoso.com',
    owners: [owner],
  };
  const newList = {
    kind: 'distributionList',
    displayName: 'Field News',
    primarySmtpAddress: 'field-news@contoso.com',
    owners: [owner],
  };
  const ofSimulator = simulator && { CONTROL: simulator.control, HOOK_SECRET: hookSecret ?? '' };
  const variables = { API: api, KEY: key, MASTER_KEY: masterKey, ...ofSimulator };
  return [
    simulator
      ? 'Running against a simulated tenant; nothing leaves this machine.'
      : 'Running against the tenant that is configured. What you call here happens there.',
    '',
    `  api       ${api}`,
    `  key       ${key}`,
    ...Object.entries(simulator ?? {}).map(([name, url]) => `  ${name.padEnd(10)}${String(url)}`),
    '',
    'Create a mail-enabled security group, fill it, look at it, delete it:',
    '',
    curl('POST', `${api}/groups`, newGroup),
    '',
    curl('POST', `${group}/members`, { members: [owner] }),
    '',
    curl('GET', `${group}/members`),
    '',
    curl('POST', `${group}/members/remove`, { members: [owner] }),
    '',
    curl('DELETE', `${group}?confirm=field-engineers@contoso.com`),
    '',
    ...(pushes
      ? [
          'Let a list follow an Okta group. docs/group-push.md, "Try it by hand", goes on from here with these variables:',
          '',
          `export ${Object.entries(variables)
            .map(([name, value]) => `${name}='${value}'`)
            .join(' ')}`,
          '',
          curl('PUT', `${api}/push-mappings/${oktaGroup}`, { create: newList }),
          '',
        ]
      : []),
    ...(timer === undefined
      ? []
      : ['Timers run by their schedule. To fire one by hand:', '', curl('POST', timer.url, {}, masterKey), '']),
    'Ctrl-C ends everything.',
  ].join('\n');
}

interface State {
  users?: { userPrincipalName?: string; mail?: string | null; accountEnabled?: boolean }[];
}

/** A member of the simulated tenant who has a mailbox, and so can own a group. */
async function someUser(control: string): Promise<string> {
  const state = (await (await fetch(`${control}/_sim/state`)).json()) as State;
  const user = state.users?.find(({ mail, accountEnabled }) => mail && accountEnabled !== false);
  return user?.userPrincipalName ?? '<user principal name>';
}

interface Org {
  groups: { id: string; profile: { name: string } }[];
}

/** An Okta group whose members all have a mailbox. */
async function someOktaGroup(control: string): Promise<string> {
  const { groups } = (await (await fetch(`${control}/_sim/okta/state`)).json()) as Org;
  return groups.find(({ profile }) => profile.name === 'Field Engineers')?.id ?? '<id of an Okta group>';
}

/** What the app has registered, and where each is set off by hand. */
async function listFunctions(url: string, masterKey: string) {
  const response = await fetch(url, { headers: { 'x-functions-key': masterKey } });
  const listed = (await response.json()) as { name: string; config: { bindings: { type: string }[] } }[];
  return listed.map(({ name, config }) => {
    const isTimer = config.bindings.some(({ type }) => type === 'timerTrigger');
    return { name, isTimer, url: `${url}/${name}` };
  });
}
