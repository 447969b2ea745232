import { hookRow } from '../okta/render.ts';
import type { World } from '../world.ts';

/** The whole org, without secrets. */
export function oktaState({ okta: { org, hooks } }: World) {
  return {
    settings: org.settings,
    delivery: hooks.delivery,
    users: [...org.users],
    groups: [...org.groups],
    rules: [...org.rules],
    apps: [...org.apps].map((app) => ({ ...app, users: [...org.appUsers(app.id)] })),
    pushMappings: [...org.pushMappings],
    serviceApps: [...org.serviceApps],
    hooks: [...org.hooks].map((hook) => hookRow(hooks.origin, hook)),
  };
}
