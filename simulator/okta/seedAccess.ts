import type { Random } from '../random.ts';
import { oktaId } from './ids.ts';
import type { ApiToken, ServiceApp } from './model.ts';

/** What the app asks for: reads, push mappings, app users, and its own event hook. */
const scopes = [
  'okta.groups.read',
  'okta.groups.manage',
  'okta.users.read',
  'okta.apps.read',
  'okta.apps.manage',
  'okta.eventHooks.read',
  'okta.eventHooks.manage',
];
const adminRoles = ['APP_ADMIN', 'GROUP_MEMBERSHIP_ADMIN', 'okta.eventhooks.manage'];

export const oktaClientId = (random: Random): string => oktaId('0oa', random.guid('okta:client:okta-m365-actions'));
export const oktaApiToken = (random: Random): string => `00simulated-${random.guid('okta:apiToken')}`;

/** The app, and the states of a half-finished set-up, each as a service app of its own. */
export function seedAccess(random: Random, clientId: string): { serviceApps: ServiceApp[]; apiTokens: ApiToken[] } {
  const app = (label: string, more: Partial<ServiceApp>): ServiceApp => ({
    id: oktaId('0oa', random.guid(`okta:client:${label}`)),
    label,
    grantedScopes: scopes,
    adminRoles,
    dpopBound: false,
    ...more,
  });
  return {
    serviceApps: [
      app('okta-m365-actions', { id: clientId }),
      app('okta-without-admin-role', { adminRoles: [] }),
      app('okta-without-groups-scope', { grantedScopes: ['okta.users.read', 'okta.apps.read'] }),
      app('okta-read-only', { adminRoles: ['READ_ONLY_ADMIN'] }),
      app('okta-with-dpop', { dpopBound: true }),
    ],
    apiTokens: [
      { id: 'apiToken', value: oktaApiToken(random), adminRoles: ['SUPER_ADMIN'] },
      { id: 'helpDeskToken', value: `${oktaApiToken(random)}-help-desk`, adminRoles: ['HELP_DESK_ADMIN'] },
    ],
  };
}
