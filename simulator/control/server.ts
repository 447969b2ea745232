import { readFaultRule } from '../http/fault.ts';
import { isObject, parseJson, without } from '../http/json.ts';
import { empty, json, type Reply } from '../http/message.ts';
import type { ControlHandler } from '../http/server.ts';
import { seedMany } from '../tenant/bulk.ts';
import { syncCycle } from '../tenant/dirSync.ts';
import { mergeTenant } from '../tenant/merge.ts';
import { groupNamed, setMember } from '../tenant/outside.ts';
import { usersOf } from '../tenant/tenant.ts';
import type { World } from '../world.ts';
import { seedAttributeCauses } from './seedAttributes.ts';
import { controlOkta, oktaControlPaths } from './okta.ts';
import { refuse } from './refuse.ts';
import { seedImmutableIds } from './seedImmutableIds.ts';
import { stateOf } from './state.ts';

function moveClock(world: World, body: unknown): Reply {
  if (!isObject(body) || Object.keys(body).length !== 1) return refuse('the body is either {advanceMs} or {now}');
  const { advanceMs, now } = body;
  if (typeof advanceMs === 'number' && Number.isFinite(advanceMs)) world.clock.advance(advanceMs);
  else if (typeof now === 'number' || (typeof now === 'string' && !Number.isNaN(Date.parse(now))))
    world.clock.set(typeof now === 'number' ? now : Date.parse(now));
  else return refuse('the body is either {advanceMs} or {now}');
  return json(200, { now: new Date(world.clock.now()).toISOString() });
}

function addFault(world: World, body: unknown): Reply {
  const rule = readFaultRule(body);
  if (Array.isArray(rule)) return refuse(...rule);
  world.faults.add(rule);
  return json(201, rule);
}

function putTenant(world: World, body: unknown): Reply {
  const faults = mergeTenant(world, body);
  return faults.length > 0 ? refuse(...faults) : json(200, { ok: true });
}

function seed(world: World, body: unknown): Reply {
  const faults = seedMany(world, body);
  return faults.length > 0 ? refuse(...faults) : json(200, { ok: true });
}

/** One export from on-premises, now. */
function runSyncCycle({ tenant, clock }: World, body: unknown): Reply {
  const { policy = 'delta', ...more } = isObject(body) ? body : {};
  if (Object.keys(more).length > 0 || (policy !== 'delta' && policy !== 'initial'))
    return refuse('the body is {"policy": "delta"} or {"policy": "initial"}');
  if (tenant.syncState.onPremisesSyncEnabled !== true) return refuse('directory synchronization is off in this tenant');
  const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const { users, overwritten, kept } = syncCycle(usersOf(tenant.view('entra')), {
    isInitial: policy === 'initial',
    isBypassed: tenant.onPremisesSynchronization.features.bypassDirSyncOverridesEnabled === true,
    now,
  });
  if (users.length > 0)
    tenant.commit(
      'entra',
      users.map((put) => ({ put })),
    );
  tenant.syncState.onPremisesLastSyncDateTime = now;
  return json(200, { exported: users.length, overwritten, kept });
}

function seedAttributes(world: World): Reply {
  const faults = seedAttributeCauses(world);
  return faults.length > 0 ? refuse(...faults) : json(200, { ok: true });
}

function seedAnchored(world: World): Reply {
  const { faults, users } = seedImmutableIds(world);
  return faults.length > 0 ? refuse(...faults) : json(200, { users });
}

/** /_sim/groups/{group} and /_sim/groups/{group}/members/{member}, by id, name, address or UPN. */
function ofGroup(world: World, method: string, pathname: string): Reply | null {
  const [, group = '', member] = /^\/_sim\/groups\/([^/]+)(?:\/members\/([^/]+))?$/.exec(pathname) ?? [];
  if (group === '') return null;
  if (member === undefined && method === 'GET') {
    const found = groupNamed(world, decodeURIComponent(group));
    return found ? json(200, without(found, 'type')) : json(404, { error: `${group} is no group` });
  }
  if (member === undefined || (method !== 'PUT' && method !== 'DELETE')) return null;
  const faults = setMember(world, decodeURIComponent(group), decodeURIComponent(member), method === 'PUT');
  return faults.length > 0 ? json(404, { error: faults.join('; ') }) : empty(204);
}

const clear = (clearing: () => void): Reply => {
  clearing();
  return empty(204);
};

/** The control API: seed, faults, journal and clock (docs/simulator.md). */
export function controlHandler(world: World): ControlHandler {
  const routes: Record<string, (body: unknown) => Reply> = {
    'GET /_sim/state': () => json(200, stateOf(world)),
    'POST /_sim/reset': () => clear(() => world.reset()),
    'PUT /_sim/tenant': (body) => putTenant(world, body),
    'POST /_sim/seed': (body) => seed(world, body),
    'POST /_sim/onPremises/sync': (body) => runSyncCycle(world, body),
    'POST /_sim/seed/attributes': () => seedAttributes(world),
    'POST /_sim/seed/immutableIds': () => seedAnchored(world),
    'GET /_sim/faults': () => json(200, world.faults.rules),
    'POST /_sim/faults': (body) => addFault(world, body),
    'DELETE /_sim/faults': () => clear(() => world.faults.clear()),
    'GET /_sim/late': () => json(200, world.late.waiting),
    'GET /_sim/calls': () => json(200, world.journal.rows),
    'DELETE /_sim/calls': () => clear(() => world.journal.clear()),
    'POST /_sim/clock': (body) => moveClock(world, body),
  };
  return async (method, url, text) => {
    await world.late.settle();
    const name = `${method} ${url.pathname}`;
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    const body = text === '' ? undefined : parseJson(text);
    if (route) return route(body);
    if (name === 'POST /_sim/late') return json(200, await world.late.landAll());
    const known = [
      ...Object.keys(routes),
      'POST /_sim/late',
      'GET /_sim/groups/{group}',
      'PUT, DELETE /_sim/groups/{group}/members/{member}',
      ...oktaControlPaths,
    ];
    const found = ofGroup(world, method, url.pathname) ?? (await controlOkta(world, method, url.pathname, body));
    return found ?? json(404, { error: `${name} is none of ${known.join(', ')}` });
  };
}
