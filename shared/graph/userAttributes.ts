import type { Call } from '../call.ts';
import type { GraphObject, GraphOutput } from './answers.ts';
import type { Graph } from './client.ts';
import { flagField, listField, textField } from './fields.ts';
import { segment, withQuery } from './odata.ts';
import { nobodyWhenUnreadable } from './users.ts';

/** The sensitive properties (graph.md §4) that Okta and administrators write. */
export interface UserAttributes {
  readonly accountEnabled: boolean;
  readonly mobilePhone: string | null;
  /** One at most. */
  readonly businessPhones: readonly string[];
  readonly otherMails: readonly string[];
}

export interface AttributeUser extends UserAttributes {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  /** Mastered in on-premises Active Directory. */
  readonly isSynced: boolean;
  /** ISO 8601. */
  readonly lastSyncedAt: string | null;
  readonly isManagementRestricted: boolean;
  readonly mail: string | null;
  /** As Graph gives them: `SMTP:` before the primary one. */
  readonly proxyAddresses: readonly string[];
}

/** An administrative unit, as far as the app may read it. */
export interface UserUnit {
  readonly id: string;
  readonly name: string | null;
  /** null: may not be read. */
  readonly isRestricted: boolean | null;
}

/** Methods throw as those of Graph do. */
export interface GraphUserAttributes {
  /** By object id or user principal name; null when there is none, or when Graph cannot read the text as either. */
  find(idOrUpn: string, call: Call): Promise<AttributeUser | null>;
  /** One PATCH. @throws Fault `outcome_unknown` when it may have been carried out */
  update(id: string, change: Partial<UserAttributes>, call: Call): Promise<GraphOutput>;
  /** The administrative units that the user is in. */
  units(userId: string, call: Call): Promise<UserUnit[]>;
  /** null: there is no such unit. */
  unit(id: string, call: Call): Promise<UserUnit | null>;
}

const userSelect =
  'id,userPrincipalName,displayName,accountEnabled,mobilePhone,businessPhones,otherMails,onPremisesSyncEnabled,onPremisesLastSyncDateTime,isManagementRestricted,mail,proxyAddresses';
const unitSelect = 'id,displayName,isMemberManagementRestricted';

export function createGraphUserAttributes(graph: Graph): GraphUserAttributes {
  return {
    find: async (idOrUpn, call) => {
      const path = withQuery(`/users/${segment(idOrUpn)}`, { $select: userSelect });
      const user = await graph.find(path, 'GET /users/{id}', call).catch(nobodyWhenUnreadable);
      return user === null ? null : readUser(user);
    },

    update: (id, change, call) =>
      graph.write('PATCH', `/users/${segment(id)}`, { ...change }, 'PATCH /users/{id}', call),

    units: async (userId, call) => {
      const path = `/users/${segment(userId)}/memberOf/microsoft.graph.administrativeUnit`;
      const units: UserUnit[] = [];
      let next: string | null = withQuery(path, { $select: unitSelect });
      while (next !== null) {
        const label = 'GET /users/{id}/memberOf/microsoft.graph.administrativeUnit';
        const page: Awaited<ReturnType<Graph['page']>> = await graph.page(next, label, call);
        units.push(...page.items.map(readUnit));
        next = page.nextPath;
      }
      return units;
    },

    unit: async (id, call) => {
      const path = withQuery(`/directory/administrativeUnits/${segment(id)}`, { $select: unitSelect });
      const unit = await graph.find(path, 'GET /directory/administrativeUnits/{id}', call);
      return unit === null ? null : readUnit(unit);
    },
  };
}

function readUser(user: GraphObject): AttributeUser {
  return {
    id: textField(user, 'id') ?? '',
    userPrincipalName: textField(user, 'userPrincipalName') ?? '',
    displayName: textField(user, 'displayName'),
    accountEnabled: flagField(user, 'accountEnabled'),
    mobilePhone: textField(user, 'mobilePhone'),
    businessPhones: listField(user, 'businessPhones'),
    otherMails: listField(user, 'otherMails'),
    isSynced: flagField(user, 'onPremisesSyncEnabled'),
    lastSyncedAt: textField(user, 'onPremisesLastSyncDateTime'),
    isManagementRestricted: flagField(user, 'isManagementRestricted'),
    mail: textField(user, 'mail'),
    proxyAddresses: listField(user, 'proxyAddresses'),
  };
}

/** Of what may not be read, Graph gives null, and the id alone (graph.md §4). */
function readUnit(unit: GraphObject): UserUnit {
  const isRestricted = unit.isMemberManagementRestricted;
  return {
    id: textField(unit, 'id') ?? '',
    name: textField(unit, 'displayName'),
    isRestricted: typeof isRestricted === 'boolean' ? isRestricted : null,
  };
}
