import type { Call } from '../call.ts';
import { objectOf, textOf } from './answers.ts';
import type { Okta, OktaObject } from './client.ts';
import { isOktaFault } from './errors.ts';
import { required } from './required.ts';

/** "Deactivate Users" of an app: whether Okta disables the account of who is unassigned. */
export type DeactivateUsers = 'ENABLED' | 'DISABLED';

/** What a user is assigned with. */
export interface AssignmentContent {
  readonly userName: string | null;
  readonly profile: OktaObject;
}

/** Methods throw as those of Okta do. */
export interface OktaProvisioning {
  /** null: the app provisions nobody, so that nobody is disabled either (okta.md §4). */
  deactivateUsers(appId: string, call: Call): Promise<DeactivateUsers | null>;
  /** @throws Fault also `outcome_unknown` */
  setDeactivateUsers(appId: string, status: DeactivateUsers, call: Call): Promise<void>;
  /** Of a user alone: who is assigned by a group is refused. @throws Fault also `outcome_unknown` */
  unassign(appId: string, userId: string, call: Call): Promise<void>;
  /** @throws Fault also `outcome_unknown` */
  assign(appId: string, userId: string, content: AssignmentContent, call: Call): Promise<void>;
}

const featureName = 'USER_PROVISIONING';

/** @param okta.read as everywhere; `write` with tokens for `assignmentScopes` */
export function createOktaProvisioning(okta: { readonly read: Okta; readonly write: Okta }): OktaProvisioning {
  const { read, write } = okta;
  const scope = 'okta.apps.manage';
  const featurePath = (appId: string) => ['apps', appId, 'features', featureName];
  return {
    deactivateUsers: async (appId, call) => {
      const label = 'GET /apps/{id}/features/USER_PROVISIONING';
      try {
        const feature = await read.find({ path: featurePath(appId), scope: 'okta.apps.read', label }, call);
        return feature === null ? null : statusOf(feature);
      } catch (error) {
        // "Provisioning is not enabled for the app instance."
        if (isOktaFault(error, 'invalid')) return null;
        throw error;
      }
    },

    setDeactivateUsers: async (appId, status, call) => {
      const label = 'PUT /apps/{id}/features/USER_PROVISIONING';
      await write.put({ path: featurePath(appId), scope, label }, featureBody(status), call);
    },

    unassign: (appId, userId, call) =>
      write.remove({ path: ['apps', appId, 'users', userId], scope, label: 'DELETE /apps/{id}/users/{user}' }, call),

    assign: async (appId, userId, content, call) => {
      const request = { path: ['apps', appId, 'users'], scope, label: 'POST /apps/{id}/users' } as const;
      await write.post(request, assignmentBody(userId, content), call);
    },
  };
}

/** One of the writes, for a person: method and path, and JSON. */
interface OktaCall {
  readonly request: string;
  readonly body: string;
}

export function assignCall(at: { appId: string; oktaUserId: string }, content: AssignmentContent): OktaCall {
  const body = JSON.stringify(assignmentBody(at.oktaUserId, content));
  return { request: `POST /api/v1/apps/${at.appId}/users`, body };
}

export function turnOnCall(appId: string): OktaCall {
  const request = `PUT /api/v1/apps/${appId}/features/${featureName}`;
  return { request, body: JSON.stringify(featureBody('ENABLED')) };
}

/** What is not named is kept. */
function featureBody(status: DeactivateUsers): object {
  return { update: { lifecycleDeactivate: { status } } };
}

function assignmentBody(userId: string, { userName, profile }: AssignmentContent): object {
  return { id: userId, scope: 'USER', ...(userName !== null && { credentials: { userName } }), profile };
}

/** An app that does not say it does not do it. */
function statusOf(feature: OktaObject): DeactivateUsers {
  const update = objectOf(objectOf(feature, 'capabilities'), 'update');
  required(feature, 'name', 'a feature');
  return textOf(objectOf(update, 'lifecycleDeactivate'), 'status') === 'ENABLED' ? 'ENABLED' : 'DISABLED';
}
