/**
 * What the app would be without itself: a bare HTTP server that makes the calls of two actions, in their order and as
 * many at a time, and hands on what came. No checks, no retries, no messages; the bodies are ready-made.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from '../../local/host/listen.ts';
import type { Target } from './stage.ts';
import { openStorage } from './storage.ts';

const env = (name: string): string => process.env[name] ?? '';
const [graphUrl, exchangeUrl, tenantId] = [env('GRAPH_BASE_URL'), env('EXCHANGE_BASE_URL'), env('AZURE_TENANT_ID')];
const targets = JSON.parse(env('BENCH_TARGETS')) as readonly Target[];

const groupFields =
  'id,displayName,description,mail,mailNickname,proxyAddresses,groupTypes,mailEnabled,securityEnabled,onPremisesSyncEnabled,onPremisesSecurityIdentifier,membershipRule,resourceProvisioningOptions,visibility,isAssignableToRole,isManagementRestricted';
const invokeUrl = `${exchangeUrl}/adminapi/beta/${tenantId}/InvokeCommand`;
const anchor = `APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@${tenantId}`;

async function tokenFor(resource: string): Promise<string> {
  const query = new URLSearchParams({ resource, 'api-version': '2019-08-01' });
  const response = await fetch(`${env('IDENTITY_ENDPOINT')}?${query.toString()}`, {
    headers: { 'x-identity-header': env('IDENTITY_HEADER') },
  });
  return `Bearer ${((await response.json()) as { access_token: string }).access_token}`;
}
const [graphToken, exchangeToken] = [
  await tokenFor('https://graph.microsoft.com'),
  await tokenFor('https://outlook.office365.com'),
];

async function graph(path: string): Promise<string> {
  const response = await fetch(`${graphUrl}/v1.0${path}`, { headers: { authorization: graphToken } });
  return await response.text();
}

const exchangeHeaders = {
  authorization: exchangeToken,
  'content-type': 'application/json',
  'x-anchormailbox': anchor,
};
const command = (CmdletName: string, Parameters: object) => ({ CmdletInput: { CmdletName, Parameters } });

async function exchange(url: string, body: object): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers: exchangeHeaders, body: JSON.stringify(body) });
  return await response.text();
}

const batchOfOne = (CmdletName: string, Parameters: object) =>
  exchange(invokeUrl.replace('InvokeCommand', '$batch'), {
    requests: [
      {
        id: '0',
        method: 'POST',
        url: invokeUrl,
        headers: exchangeHeaders,
        body: command(CmdletName, Parameters),
      },
    ],
  });

const storage = await openStorage(env('AzureWebJobsStorage'), 'benchproxy');

/** As both actions begin: all that a name can be, at once. */
function resolveGroup({ group }: Target): Promise<unknown> {
  const named = { Filter: `Name -eq '${group}' -or DisplayName -eq '${group}'`, ResultSize: 'Unlimited' };
  return Promise.all([
    exchange(invokeUrl, command('Get-DistributionGroup', named)),
    exchange(invokeUrl, command('Get-DynamicDistributionGroup', named)),
    graph(
      `/groups?$filter=${encodeURIComponent(`displayName eq '${group}'`)}&$select=${encodeURIComponent(groupFields)}`,
    ),
  ]);
}

async function listMembers(target: Target): Promise<string> {
  await resolveGroup(target);
  const fields = encodeURIComponent('id,displayName,userPrincipalName,mail');
  return graph(`/groups/${target.groupId}/members?$select=${fields}&$top=100`);
}

/** One writer a group, as in the app. */
async function addMember(target: Target): Promise<string> {
  await resolveGroup(target);
  const blob = `groups/${target.groupId}.json`;
  const leaseId = await storage.lease(blob);
  try {
    await storage.read(blob);
    return await writeMember(target);
  } finally {
    await storage.release(blob, leaseId);
  }
}

async function writeMember({ group, groupId, member, memberId }: Target): Promise<string> {
  await batchOfOne('Get-Recipient', { Identity: member });
  const key = { PartitionKey: new Date().toISOString().slice(0, 10), RowKey: randomUUID() };
  const rows = JSON.stringify([{ member, id: memberId }]);
  // As many columns as the app's audit has.
  await storage.insert({
    ...key,
    at: new Date().toISOString(),
    requestId: randomUUID(),
    operationId: '',
    action: 'addMembers',
    operation: 'Add-DistributionGroupMember',
    targetType: 'group',
    targetId: groupId,
    targetName: group,
    targetIdFolded: groupId,
    targetNameFolded: group,
    state: 'intent',
    before: 'null',
    planned: rows,
  });
  const answer = await batchOfOne('Add-DistributionGroupMember', {
    Identity: groupId,
    Member: memberId,
    BypassSecurityGroupManagerCheck: true,
  });
  await storage.merge({
    ...key,
    finishedAt: new Date().toISOString(),
    state: 'succeeded',
    code: '',
    message: '',
    upstreamRequestId: randomUUID(),
    after: rows,
  });
  return answer;
}

/** The path is the number of the target. */
const server = createServer((request, response) => {
  request.resume().once('end', () => {
    const target = targets[Number(request.url?.slice(1))];
    if (target === undefined) {
      response.writeHead(404).end();
      return;
    }
    (request.method === 'GET' ? listMembers(target) : addMember(target)).then(
      (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body),
      (error: unknown) => response.writeHead(502).end(String(error)),
    );
  });
});
const port = await listen(server, 0);
process.once('SIGTERM', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
