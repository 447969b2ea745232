import { nulBody } from '../http/faultReplies.ts';
import { isObject, parseJson } from '../http/json.ts';
import { empty, json, type Call, type Handler, type Reply } from '../http/message.ts';
import type { World } from '../world.ts';
import { accessOf, hiddenParameters, mayRun, type Access } from './access.ts';
import { batch } from './batch.ts';
import { cmdlets } from './cmdlets/index.ts';
import { errorReply, ExchangeError, malformed, notModelled } from './errors.ts';
import { cmdletNameIn, invoke } from './invoke.ts';
import { refusal } from './limits.ts';
import { Pages } from './paging.ts';

const path = /^\/adminapi\/(beta|v1\.0)\/([^/]+)(?:\/([^/]*))?$/;

/** E16: an empty body; the header alone speaks. */
const unauthorized = (): Reply =>
  empty(401, {
    'www-authenticate':
      'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", token_types="app_asserted_user_v1 service_asserted_app_v1", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="invalid_token"',
  });

/** The cmdlets a principal may run: a self-test without side effects (exchange.md §1.1). */
function moduleFile(call: Call, access: Access): Reply {
  const unknown = [...call.url.searchParams.keys()].filter((key) => key !== 'Version');
  if (unknown.length > 0) throw malformed(`The query parameter '${unknown.join(', ')}' is not supported.`);
  // facts.moduleFileNeedsBoth
  if (!call.url.searchParams.get('Version')) throw malformed('The Version is missing.');
  const wanted = call.headers.commandname;
  if (!wanted) throw malformed('The CommandName header is missing.');
  const names = wanted.split(',').map((name) => name.trim().toLowerCase());
  const exported = cmdlets
    .filter(({ name }) => mayRun(access, name) && (wanted === '*' || names.includes(name.toLowerCase())))
    .map(({ name, parameters }) => ({
      name,
      parameters: Object.keys(parameters.modelled).filter((each) => !hiddenParameters(access).includes(each)),
    }));
  return json(200, {
    '@odata.context': `https://outlook.office365.com/adminapi/v1.0/$metadata#EXOModuleFile`,
    value: [{ exportedCmdlets: exported.map(({ name }) => name) }],
  });
}

const entitySets = (tenantId: string): Reply =>
  json(200, {
    '@odata.context': `https://outlook.office365.com/adminapi/beta/${tenantId}/$metadata`,
    value: ['Mailbox', 'Recipient', 'DistributionGroup'].map((name) => ({ name, kind: 'EntitySet', url: name })),
  });

async function answer(world: World, pages: Pages, call: Call): Promise<Reply> {
  const { tenant } = world;
  const token = await world.issuer.verify(call.headers.authorization, 'exchange', tenant, call.heardAtMs);
  const access = accessOf(token);
  if (access === 'unauthenticated') return unauthorized();
  if (access === 'none') return nulBody();
  const [, version = '', segment = '', resource = ''] = path.exec(call.url.pathname) ?? [];
  const wanted = `${call.method} ${resource}`;
  if (!version || !['POST InvokeCommand', 'POST $batch', 'GET EXOModuleFile', 'GET '].includes(wanted))
    throw notModelled(`${call.method} ${call.url.pathname}`);
  // The token's tenant by GUID or by its initial domain (exchange.md §1.1); another is facts.foreignTenant.
  if (![tenant.id, tenant.initialDomain].includes(segment.toLowerCase())) return unauthorized();
  if (wanted === 'GET ') return entitySets(tenant.id);
  if (wanted === 'GET EXOModuleFile') return moduleFile(call, access);
  if (!call.headers['content-type']?.includes('application/json'))
    throw malformed('A supported MIME type could not be found that matches the content type of the request.');
  const origin = `http://${call.headers.host ?? ''}`;
  if (wanted === 'POST $batch') return batch(world, pages, call, origin, access);
  const refused = refusal(world, call.cmdlets);
  if (refused) return refused;
  const url = new URL(call.target, origin);
  const body = parseJson(call.body);
  return invoke(world, pages, { url, headers: call.headers, body, access, inBatch: false, stale: call.stale });
}

export function exchangeHandler(world: World): Handler {
  const pages = new Pages();
  return async (call) => {
    try {
      return await answer(world, pages, call);
    } catch (error) {
      if (error instanceof ExchangeError) return errorReply(error);
      throw error;
    }
  };
}

/** The cmdlets named in a request, of every part of a $batch. */
export function cmdletsIn(pathname: string, text: string): string[] {
  const body = parseJson(text);
  const bodies = pathname.endsWith('/$batch')
    ? isObject(body) && Array.isArray(body.requests)
      ? body.requests.map((part: unknown) => (isObject(part) ? part.body : undefined))
      : []
    : [body];
  return bodies.map(cmdletNameIn).filter((name) => name !== null);
}
