import type { Everything } from './everything.ts';

/** What a newcomer needs: where things are, and commands that work as they stand. */
export async function greet({ api, key, masterKey, simulator }: Everything): Promise<string> {
  const owner = simulator ? await someUser(simulator.control) : '<user principal name>';
  const group = `${api}/groups/field-engineers@contoso.com`;
  const timer = await someTimer(new URL('/admin/functions', api).href, masterKey);
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
    ...(timer === null
      ? []
      : ['Timers run by their schedule. To fire one by hand:', '', curl('POST', timer, {}, masterKey), '']),
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

/** Where the first timer of the app is fired; null while it has none. */
async function someTimer(functions: string, masterKey: string): Promise<string | null> {
  const response = await fetch(functions, { headers: { 'x-functions-key': masterKey } });
  const listed = (await response.json()) as { name: string; config: { bindings: { type: string }[] } }[];
  const timer = listed.find(({ config }) => config.bindings.some(({ type }) => type === 'timerTrigger'));
  return timer ? `${functions}/${timer.name}` : null;
}
