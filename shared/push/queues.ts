/** What Okta's event hook brought, as it came: HookMessage. */
export const eventQueue = 'events';

/** `{oktaGroupId}`: changes of this mapping are pending. */
export const pushQueue = 'pushes';

/** `{oktaGroupId}`: this mapping is due for a full reconcile. */
export const reconcileQueue = 'reconciles';
