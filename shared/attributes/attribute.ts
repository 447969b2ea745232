import type { UserAttributes } from '../graph/userAttributes.ts';

/** Sensitive properties (graph.md §4) that Okta provisions. All pure. */
export const attributeNames = ['accountEnabled', 'mobilePhone', 'businessPhones', 'otherMails'] as const;
export type AttributeName = (typeof attributeNames)[number];

/** Values of some of them. */
export type AttributeValues = Partial<UserAttributes>;

interface AttributeRules {
  /** Whether Active Directory alone decides it for a synced user; `otherMails` stay the cloud's (graph.md §4). */
  readonly isMasteredOnPremises: boolean;
  /** Application permissions of Graph: each list suffices, the narrowest first (graph.md §4). */
  readonly permissions: readonly (readonly string[])[];
}

const anyProperty: AttributeRules['permissions'] = [['User.ReadWrite.All'], ['Directory.ReadWrite.All']];

const rules: Readonly<Record<AttributeName, AttributeRules>> = {
  accountEnabled: {
    isMasteredOnPremises: true,
    permissions: [['User.EnableDisableAccount.All', 'User.Read.All'], ...anyProperty],
  },
  mobilePhone: { isMasteredOnPremises: true, permissions: [['User-Phone.ReadWrite.All'], ...anyProperty] },
  businessPhones: { isMasteredOnPremises: true, permissions: [['User-Phone.ReadWrite.All'], ...anyProperty] },
  otherMails: { isMasteredOnPremises: false, permissions: [['User-Mail.ReadWrite.All'], ...anyProperty] },
};

/** Whether Graph refuses to write it, since the user is mastered in on-premises Active Directory. */
export function isMasteredOnPremises(name: AttributeName, user: { readonly isSynced: boolean }): boolean {
  return user.isSynced && rules[name].isMasteredOnPremises;
}

export function mayWrite(name: AttributeName, permissions: readonly string[]): boolean {
  return rules[name].permissions.some((list) => list.every((permission) => permissions.includes(permission)));
}

/** The least that one has to be granted. */
export function narrowestPermissions(name: AttributeName): readonly string[] {
  return rules[name].permissions[0] ?? [];
}

/** Lists have no order, and addresses no case; a phone number is compared as it is written. */
export function isEqual(name: AttributeName, left: AttributeValues, right: AttributeValues): boolean {
  return comparable(name, left) === comparable(name, right);
}

function comparable(name: AttributeName, values: AttributeValues): string {
  const value = values[name];
  if (!Array.isArray(value)) return JSON.stringify(value ?? null);
  const entries = (value as readonly string[]).map((entry) => (name === 'otherMails' ? entry.toLowerCase() : entry));
  return JSON.stringify([...new Set(entries)].sort());
}

/** As text, for people and for flat replies; null: none. */
export function textOfAttribute(name: AttributeName, values: AttributeValues): string | null {
  const value = values[name];
  if (value === undefined || value === null) return null;
  if (typeof value === 'object') return value.length === 0 ? null : value.join(', ');
  return String(value);
}

/** One of the values alone. */
export function only(name: AttributeName, values: AttributeValues): AttributeValues {
  return name in values ? { [name]: values[name] } : {};
}

export function namesIn(values: AttributeValues): AttributeName[] {
  return attributeNames.filter((name) => values[name] !== undefined);
}
