import type { Call } from '../call.ts';
import { Fault, type FaultCode } from '../errors.ts';
import type { Effect } from '../upstream/policy.ts';
import type { Upstream, UpstreamRequest, UpstreamResponse } from '../upstream/upstream.ts';
import { type Output, readAnswer } from './answers.ts';
import { type BatchPart, readBatchAnswer } from './batch.ts';
import { listOf, type Row } from './body.ts';
import { authorizationFault, isTransient } from './errors.ts';
import { encodeParameters, type Parameters } from './parameters.ts';

/** Every cmdlet this app uses; testConnection checks that each is allowed. */
export const cmdlets = [
  'Get-DistributionGroup',
  'New-DistributionGroup',
  'Set-DistributionGroup',
  'Remove-DistributionGroup',
  'Add-DistributionGroupMember',
  'Remove-DistributionGroupMember',
  'Get-DynamicDistributionGroup',
  'Get-Recipient',
] as const;
export type CmdletName = (typeof cmdlets)[number];

export interface Command {
  readonly name: CmdletName;
  readonly parameters: Parameters;
}

export interface Exchange {
  /** All rows of a Get- cmdlet. A page that fails is an error, never the end of the list. */
  read(command: Command, call: Call): Promise<Row[]>;
  /** One write. @throws ExchangeFault, Fault `outcome_unknown` when it may have been carried out */
  write(command: Command, call: Call): Promise<Output>;
  /** Up to `maxBatchSize` commands of one effect in one call, answered in the order given. */
  batch(commands: readonly Command[], effect: Effect, call: Call): Promise<BatchPart[]>;
  /** The cmdlets this principal may run: a test of its roles without side effects (exchange.md §1.1). */
  availableCmdlets(call: Call): Promise<string[]>;
}

/** What the EXO module and CIPP send at most (exchange.md §1.6); the server's own limit is not known. */
export const maxBatchSize = 10;
const maxPages = 200;
const pageSize = 1000;
/** `v2.0` has no write cmdlets for groups; `beta` is what the known REST clients use (exchange.md §1.1, §2). */
const apiVersion = 'beta';
/** The last module version before its 3.10 breakages; the file lists what this principal may run (exchange.md §1.1, §6). */
const moduleVersion = '3.9.2';

/** Faults that a grant mends: the next token may carry it. */
const grantCodes: readonly FaultCode[] = [
  'exchange_app_role_missing',
  'exchange_directory_role_missing',
  'exchange_forbidden',
];

export function createExchange(upstream: Upstream, tenantId: string): Exchange {
  const root = `${upstream.baseUrl}/adminapi`;
  const invokeUrl = `${root}/${apiVersion}/${tenantId}/InvokeCommand`;

  // The same anchor on every call routes an app-only caller to its tenant and keeps the pages of one list together
  // (exchange.md §1.2, §1.5).
  const commonHeaders = {
    'content-type': 'application/json',
    'x-anchormailbox': `APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@${tenantId}`,
    'x-responseformat': 'json',
    'x-clientapplication': 'okta-m365-actions',
    prefer: `odata.maxpagesize=${pageSize}`,
  };
  const batchHeaders = { ...commonHeaders, prefer: `odata.maxpagesize=${pageSize};odata.continue-on-error` };

  /** Sends, and turns a refused token into the fault that says which grant is missing. */
  async function send(request: UpstreamRequest, call: Call): Promise<UpstreamResponse> {
    const response = await upstream.send(request, call);
    if (response.status !== 401 && response.status !== 403) return response;
    upstream.tokens.forget();
    throw authorizationFault(request.label, response);
  }

  function invoke(url: string, command: Command, effect: Effect, call: Call): Promise<UpstreamResponse> {
    const headers = { ...commonHeaders, 'x-cmdletname': command.name };
    const body = JSON.stringify(encodeCommand(command));
    return send({ method: 'POST', url, headers, body, effect, label: command.name, isTransient }, call);
  }

  return {
    read: async (command, call) => {
      const rows: Row[] = [];
      let url: string | null = invokeUrl;
      for (let page = 1; url !== null; page += 1) {
        if (page > maxPages) throw tooManyPages(command.name);
        // The origin is checked where the token is attached; here the path, so that no other API is asked in our name.
        // Parsed, so that `..` cannot climb out of it.
        if (!URL.canParse(url) || !new URL(url).href.startsWith(`${root}/`)) throw foreignPage(command.name);
        const output = readAnswer(command.name, 'read', await invoke(url, command, 'read', call));
        rows.push(...output.rows);
        url = output.nextLink;
      }
      return rows;
    },

    write: async (command, call) => readAnswer(command.name, 'write', await invoke(invokeUrl, command, 'write', call)),

    batch: async (commands, effect, call) => {
      if (commands.length === 0) return [];
      if (commands.length > maxBatchSize) throw new RangeError(`a batch holds at most ${maxBatchSize} commands`);
      const names = commands.map(({ name }) => name);
      const token = await upstream.tokens.get(call);
      const requests = commands.map((command, index) => ({
        id: String(index),
        method: 'POST',
        url: invokeUrl,
        // Each part carries the headers again, the token too, as the EXO module sends them (exchange.md §1.6).
        headers: { ...batchHeaders, 'x-cmdletname': command.name, authorization: `Bearer ${token.value}` },
        body: encodeCommand(command),
      }));
      const request: UpstreamRequest = {
        method: 'POST',
        url: `${root}/${apiVersion}/${tenantId}/$batch`,
        headers: batchHeaders,
        body: JSON.stringify({ requests }),
        effect,
        label: `$batch of ${commands.length} ${[...new Set(names)].join(', ')}`,
      };
      const parts = readBatchAnswer(names, effect, await send(request, call));
      const waitSeconds = parts.flatMap((part) =>
        !part.ok && part.fault.code === 'throttled' ? [part.fault.retryAfterSeconds ?? 0] : [],
      );
      if (waitSeconds.length > 0) upstream.slowDown(effect, Math.max(...waitSeconds) * 1_000);
      if (parts.some((part) => !part.ok && grantCodes.includes(part.fault.code))) upstream.tokens.forget();
      return parts;
    },

    availableCmdlets: async (call) => {
      const url = `${root}/v1.0/${tenantId}/EXOModuleFile?Version=${moduleVersion}`;
      const headers = { ...commonHeaders, commandname: '*' };
      const request: UpstreamRequest = { method: 'GET', url, headers, effect: 'read', label: 'EXOModuleFile' };
      const { rows } = readAnswer(request.label, 'read', await send(request, call));
      return rows.flatMap((row) => listOf(row, 'exportedCmdlets'));
    },
  };
}

function encodeCommand(command: Command): Record<string, unknown> {
  return { CmdletInput: { CmdletName: command.name, Parameters: encodeParameters(command.parameters) } };
}

function foreignPage(cmdlet: string): Fault {
  return new Fault('foreign_link', {
    detail: `The next page of ${cmdlet} lies outside Exchange's admin API; it was not followed.`,
    fix: 'Repeat the request; if it stays, look for a proxy between the function app and Microsoft that rewrites links.',
    upstream: 'exchange',
  });
}

function tooManyPages(cmdlet: string): Fault {
  return new Fault('upstream_failed', {
    detail: `${cmdlet} did not end after ${maxPages} pages.`,
    fix: 'Repeat the request; if it stays, narrow it.',
    upstream: 'exchange',
  });
}
