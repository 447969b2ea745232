/**
 * How scripts commonly make a membership exact: read all members, compare by name, then one call for each change, one
 * after the other. Takes its job as a file, says what it did in one line of JSON, and ends.
 */
import { readFileSync } from 'node:fs';
import { peakMemoryBytes } from './peakMemory.ts';

export interface PeerJob {
  readonly graphUrl: string;
  readonly exchangeUrl: string;
  readonly tenantId: string;
  readonly graphToken: string;
  readonly exchangeToken: string;
  /** Entra id; known beforehand. */
  readonly groupId: string;
  /** UPNs. */
  readonly desired: readonly string[];
  /** Asks Graph for the id of each desired user, one by one, and compares by id, so that other spellings do no harm. */
  readonly resolves: boolean;
}

export interface PeerTally {
  readonly ms: number;
  readonly added: number;
  readonly removed: number;
  readonly peakBytes: number;
}

interface Member {
  readonly id: string;
  readonly userPrincipalName: string;
}
interface MemberPage {
  readonly value: readonly Member[];
  readonly '@odata.nextLink'?: string;
}

const startedAt = performance.now();
const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as PeerJob;
const nameOf = ({ id, userPrincipalName }: Member) => (job.resolves ? id : userPrincipalName.toLowerCase());

const actual = new Map((await readMembers()).map((member) => [nameOf(member), member]));
const desired = new Map<string, string>();
for (const upn of job.desired) desired.set(await nameWanted(upn), upn);
const tally = { added: 0, removed: 0 };
for (const [name, upn] of desired) {
  if (actual.has(name)) continue;
  await change('Add-DistributionGroupMember', upn);
  tally.added += 1;
}
for (const [name, { id }] of actual) {
  if (desired.has(name)) continue;
  await change('Remove-DistributionGroupMember', id);
  tally.removed += 1;
}
const said: PeerTally = { ms: performance.now() - startedAt, ...tally, peakBytes: peakMemoryBytes(process.pid) };
process.stdout.write(`${JSON.stringify(said)}\n`);

/** In pages as large as Graph gives them, the same as ours. */
async function readMembers(): Promise<Member[]> {
  const members: Member[] = [];
  let url: string | undefined =
    `${job.graphUrl}/v1.0/groups/${job.groupId}/members?$select=id,userPrincipalName,mail&$top=999`;
  while (url !== undefined) {
    const page: MemberPage = JSON.parse(await askGraph(url)) as MemberPage;
    members.push(...page.value);
    url = page['@odata.nextLink'];
  }
  return members;
}

async function nameWanted(upn: string): Promise<string> {
  if (!job.resolves) return upn.toLowerCase();
  const user = JSON.parse(await askGraph(`${job.graphUrl}/v1.0/users/${encodeURIComponent(upn)}?$select=id`)) as Member;
  return user.id;
}

async function askGraph(url: string): Promise<string> {
  return ask(url, { headers: { authorization: `Bearer ${job.graphToken}` } });
}

async function change(CmdletName: string, Member: string): Promise<void> {
  const Parameters = { Identity: job.groupId, Member, BypassSecurityGroupManagerCheck: true, Confirm: false };
  await ask(`${job.exchangeUrl}/adminapi/beta/${job.tenantId}/InvokeCommand`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${job.exchangeToken}`,
      'content-type': 'application/json',
      'x-anchormailbox': `APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@${job.tenantId}`,
    },
    body: JSON.stringify({ CmdletInput: { CmdletName, Parameters } }),
  });
}

async function ask(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}
