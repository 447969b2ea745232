import { nulBody } from '../http/faultReplies.ts';
import { isObject, type JsonObject } from '../http/json.ts';
import { empty, json, type Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { hiddenParameters, mayRun, type Access } from './access.ts';
import type { CmdletResult } from './cmdlet.ts';
import { cmdletNamed } from './cmdlets/index.ts';
import { errorReply, ExchangeError, malformed } from './errors.ts';
import type { Pages } from './paging.ts';
import { bind } from './parameters.ts';
import { dressed } from './rows.ts';

export interface Invocation {
  /** On the simulator's own origin. */
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: unknown;
  access: Access;
  inBatch: boolean;
  stale: boolean;
}

/** Keys are case-sensitive, Parameters is {} rather than null (exchange.md §1.1). */
function commandOf(body: unknown): { name: string; parameters: JsonObject } {
  const input = isObject(body) ? body.CmdletInput : undefined;
  if (!isObject(body) || !isObject(input)) throw malformed('The request body has no CmdletInput.');
  const { CmdletName: name, Parameters: parameters } = input;
  if (typeof name !== 'string' || name === '') throw malformed('CmdletInput has no CmdletName.');
  if (!isObject(parameters)) throw malformed('CmdletInput has no Parameters.');
  const unknown = [
    ...Object.keys(body).filter((key) => key !== 'CmdletInput'),
    ...Object.keys(input).filter((key) => key !== 'CmdletName' && key !== 'Parameters'),
  ];
  if (unknown.length > 0) throw malformed(`The property '${unknown.join(', ')}' does not exist on the request.`);
  return { name, parameters };
}

/** For the journal and for faults, where the body may be anything. */
export function cmdletNameIn(body: unknown): string | null {
  const input = isObject(body) ? body.CmdletInput : undefined;
  return isObject(input) && typeof input.CmdletName === 'string' ? input.CmdletName : null;
}

function checkQuery(url: URL): void {
  const unknown = [...url.searchParams.keys()].filter((key) => key !== '$select' && key !== '$skiptoken');
  if (unknown.length > 0) throw malformed(`The query parameter '${unknown.join(', ')}' is not supported.`);
}

const envelope = (tenantId: string, more: object, warnings: readonly string[] = []) => ({
  '@odata.context': `https://outlook.office365.com/adminapi/beta/${tenantId}/$metadata#Collection(Exchange.GenericHashTable)`,
  ...more,
  'adminapi.warnings@odata.type': '#Collection(String)',
  '@adminapi.warnings': warnings,
});

/** A write without output answers in one of three ways (exchange.md §1.4). */
function emptyAnswer(world: World): Reply {
  const turn = world.random.rotate('emptyAnswer', 3);
  if (turn === 0) return json(200, { ...envelope(world.tenant.id, {}), value: [] });
  return turn === 1 ? json(200, {}) : empty(200);
}

function reply(
  world: World,
  pages: Pages,
  invocation: Invocation,
  question: string,
  offset: number,
  result: CmdletResult,
): Reply {
  const { tenant } = world;
  if ('confirmation' in result)
    return json(200, {
      ...envelope(tenant.id, { '@adminapi.confirmationmessage': result.confirmation }),
      value: [],
    });
  if (result.rows === null) return emptyAnswer(world);
  const select =
    invocation.url.searchParams
      .get('$select')
      ?.split(',')
      .map((name) => name.trim()) ?? null;
  const page = pages.slice(world, { ...invocation, question }, result.rows, offset);
  return json(200, {
    ...envelope(tenant.id, page.nextLink === null ? {} : { '@odata.nextLink': page.nextLink }, result.warnings),
    value: page.rows.map((row) => dressed(row, select, tenant.settings)),
  });
}

function run(world: World, pages: Pages, invocation: Invocation): Reply {
  checkQuery(invocation.url);
  const { name, parameters } = commandOf(invocation.body);
  const cmdlet = cmdletNamed(name);
  if (!cmdlet || !mayRun(invocation.access, cmdlet.name)) return nulBody();
  const bound = bind(parameters, cmdlet.parameters, hiddenParameters(invocation.access));
  const question = JSON.stringify(invocation.body);
  const offset = pages.offset(world, { ...invocation, question });
  const { tenant } = world;
  const view = tenant.view('exchange', invocation.stale);
  const { access, inBatch } = invocation;
  return reply(world, pages, invocation, question, offset, cmdlet.run(bound, { world, tenant, view, access, inBatch }));
}

export function invoke(world: World, pages: Pages, invocation: Invocation): Reply {
  try {
    return run(world, pages, invocation);
  } catch (error) {
    if (error instanceof ExchangeError) return errorReply(error);
    throw error;
  }
}
