/**
 * `npm run setup:event-hook -- https://contoso-okta.azurewebsites.net/api/okta/events`: registers the event hook in Okta
 * and has Okta verify it. Needs OKTA_ORG_URL, a credential that may manage event hooks, and OKTA_EVENT_HOOK_SECRET, from
 * the environment or local.settings.json. Options:
 *
 *   --name <text>   of the hook in Okta; "Okta M365 Actions" by default
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startCall } from '../../shared/call.ts';
import { systemClock } from '../../shared/clock.ts';
import { readEventHookSetup } from '../../shared/config.ts';
import { isFault } from '../../shared/errors.ts';
import { createOkta } from '../../shared/okta/client.ts';
import { createOktaEventHooks } from '../../shared/okta/eventHooks.ts';
import { eventHookScopes } from '../../shared/okta/scopes.ts';
import { createOktaTokens } from '../../shared/okta/tokens.ts';
import { ensureEventHook, readHookUrl } from '../../shared/push/hooks/ensureHook.ts';
import { createUpstream } from '../../shared/upstream/upstream.ts';
import { readSettings } from '../settings.ts';

const said = { created: 'Registered and verified', verified: 'Verified', already_verified: 'Registered already' };

try {
  const { values, positionals } = parseArgs({
    options: { name: { type: 'string', default: 'Okta M365 Actions' } },
    allowPositionals: true,
  });
  const url = readHookUrl(positionals[0] ?? '');
  const { okta, secret } = readEventHookSetup(await readSettings());
  const outside = { fetch, clock: systemClock, random: Math.random };
  const tokens = createOktaTokens(okta, eventHookScopes, outside);
  const hooks = createOktaEventHooks(
    createOkta(createUpstream({ name: 'okta', baseUrl: okta.orgUrl, tokens, ...outside })),
  );
  const quiet = () => undefined;
  const log = { info: quiet, warn: quiet, error: quiet };
  const call = startCall({ requestId: randomUUID(), action: 'setupEventHook', log }, systemClock);
  const { outcome, hook, missingTypes } = await ensureEventHook(
    { name: values.name, url, secret },
    hooks,
    call,
  ).finally(() => call.end());
  console.log(`${said[outcome]}: the event hook "${hook.name}" (${hook.id}) posts to ${hook.url}.`);
  if (outcome !== 'created') {
    console.log(
      'Okta does not show the secret it has: whether it is OKTA_EVENT_HOOK_SECRET shows with the next event.',
    );
  }
  if (missingTypes.length > 0) {
    console.log(`Subscribe it to these too (Workflow → Event Hooks → Edit): ${missingTypes.join(', ')}.`);
  }
} catch (error) {
  if (isFault(error)) {
    console.error(error.message);
    for (const { pointer, message, fix } of error.errors) console.error(`  ${pointer} ${message}. ${fix}`);
    console.error(error.fix);
  } else {
    console.error(error instanceof Error ? error.message : error);
  }
  process.exitCode = 1;
}
