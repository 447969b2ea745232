import { isObject, isStringArray } from '../http/json.ts';
import type { Schema } from '../tenant/mergeSchemas.ts';
import { appUserStatuses, groupTypes, syncStates, userStatuses } from './model.ts';
import { isRole } from './roles.ts';

// What PUT /_sim/okta/org may say of each kind of object; anything else is refused by name.

type Check = (value: unknown) => boolean;
const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const count: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const positive: Check = (value) => count(value) && Number(value) > 0;
const probability: Check = (value) => typeof value === 'number' && value >= 0 && value <= 1;
const roles: Check = (value) => isStringArray(value) && value.every(isRole);

export const orgSchemas: Readonly<Record<string, Schema>> = {
  users: { login: text, status: oneOf(userStatuses), profile: isObject },
  groups: { name: text, type: oneOf(groupTypes), profile: isObject, members: isStringArray, sourceApp: text },
  apps: {
    label: text,
    name: oneOf(['office365', 'active_directory']),
    settings: (value) => isObject(value) && Object.values(value).every(text),
  },
  appUsers: {
    app: text,
    user: text,
    externalId: orNull(text),
    status: oneOf(appUserStatuses),
    syncState: oneOf(syncStates),
    lastSync: orNull(text),
    scope: oneOf(['USER', 'GROUP']),
    groupId: orNull(text),
    userName: text,
    profile: isObject,
  },
  rules: { name: text, expression: text, status: oneOf(['ACTIVE', 'INACTIVE']), groups: isStringArray },
  pushMappings: {
    source: text,
    target: text,
    status: oneOf(['ACTIVE', 'INACTIVE', 'ERROR']),
    errorSummary: text,
    lastPush: text,
    failsWith: orNull(text),
  },
  serviceApps: { label: text, grantedScopes: isStringArray, adminRoles: roles, dpopBound: flag },
  settings: {
    rateLimits: (value) => isObject(value) && Object.values(value).every(positive),
    deactivationRemovesMemberships: flag,
    pushesImmutableId: flag,
  },
};

export const deliverySchema: Schema = {
  paused: flag,
  batchSize: positive,
  delayMs: count,
  concurrency: positive,
  disorder: flag,
  duplicates: probability,
  loss: probability,
  timeoutMs: positive,
  dailyLimit: count,
  legacyEnvelope: flag,
  nullTargets: flag,
};
