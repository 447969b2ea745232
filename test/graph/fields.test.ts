import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { createGraph } from '../../shared/graph/client.ts';
import { createGraphGroups, type GraphGroups } from '../../shared/graph/groups.ts';
import { createGraphUsers } from '../../shared/graph/users.ts';
import { type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { startScriptedServer } from '../support/scriptedServer.ts';

/** Objects that come with less than they should: what is absent is said to be absent, and nothing is made up. */

const server = await startScriptedServer();
let groups: GraphGroups;
let call: TestCall;

beforeEach(() => {
  groups = createGraphGroups(createGraph(testUpstream('graph', server.url)));
  call = testCall();
});
afterEach(() => call.end());
afterAll(() => server.close());

const nobody = { id: '', displayName: null, userPrincipalName: null, mail: null };

test('a member with nothing in it keeps its row, and its type where Graph tells it', async () => {
  server.script({ body: { value: [{}, { '@odata.type': '#microsoft.graph.device', id: 7, mail: '' }, null] } });
  const { members } = await groups.members('x', { size: 5, from: null }, call);
  expect(members).toEqual([
    { ...nobody, type: 'user', addresses: [] },
    { ...nobody, type: 'device', addresses: [] },
  ]);
});

test('a group with nothing in it is flagged as nothing', async () => {
  server.script({ body: { groupTypes: null, mailEnabled: null, proxyAddresses: ['x500:/o=a', 7, 'SMTP:a@b.c'] } });
  expect(await groups.get('x', call)).toEqual({
    id: '',
    displayName: '',
    description: null,
    mail: null,
    mailNickname: null,
    addresses: ['a@b.c'],
    isUnified: false,
    isDynamic: false,
    isMailEnabled: false,
    isSecurityEnabled: false,
    isOnPremisesSynced: false,
    wasSynced: false,
    isAssignableToRole: false,
    isManagementRestricted: false,
    isTeam: false,
    visibility: null,
    membershipRule: null,
  });
});

test('a user with nothing in it is nobody by name', async () => {
  server.script({ body: { id: null, displayName: '' } });
  expect(await createGraphUsers(createGraph(testUpstream('graph', server.url))).find('x', call)).toEqual({
    ...nobody,
    userPrincipalName: '',
  });
});
