import { without } from '../http/json.ts';
import type { Group, Settings } from '../tenant/model.ts';
import { entraIdOf, type Recipient } from './recipients.ts';

export type Row = Record<string, unknown>;

/** Rows of which only those of one page are ever made. */
export interface Rows {
  readonly length: number;
  slice(start: number, end: number): readonly Row[];
}

const recipientTypes: Readonly<Record<string, string>> = {
  UserMailbox: 'UserMailbox',
  SharedMailbox: 'UserMailbox',
  RoomMailbox: 'UserMailbox',
  EquipmentMailbox: 'UserMailbox',
  MailUser: 'MailUser',
  GuestMailUser: 'MailUser',
  MailContact: 'MailContact',
  MailUniversalDistributionGroup: 'MailUniversalDistributionGroup',
  MailUniversalSecurityGroup: 'MailUniversalSecurityGroup',
  RoomList: 'MailUniversalDistributionGroup',
  GroupMailbox: 'MailUniversalDistributionGroup',
  DynamicDistributionGroup: 'DynamicDistributionGroup',
};

export const recipientTypeOf = (typeDetails: string): string => recipientTypes[typeDetails] ?? '';

export function recipientRow(recipient: Recipient): Row {
  const { object } = recipient;
  return {
    Name: recipient.name,
    DisplayName: object.displayName,
    Alias: recipient.alias,
    PrimarySmtpAddress: recipient.primarySmtpAddress,
    EmailAddresses: recipient.emailAddresses,
    RecipientType: recipientTypeOf(recipient.typeDetails),
    RecipientTypeDetails: recipient.typeDetails,
    ExternalDirectoryObjectId: entraIdOf(recipient),
    WindowsLiveID: object.type === 'user' ? object.userPrincipalName : '',
    Guid: recipient.guid,
    ExchangeObjectId: recipient.guid,
    DistinguishedName: recipient.distinguishedName,
    Identity: recipient.name,
  };
}

export function distributionGroupRow(recipient: Recipient<Group>): Row {
  const { object } = recipient;
  const row = without(recipientRow(recipient), 'WindowsLiveID');
  const exchange = object.exchange ? without(object.exchange, 'CustomAttributes', 'RecipientTypeDetails', 'Name') : {};
  const mailTip = object.exchange?.MailTip ?? null;
  const customAttributes = object.exchange?.CustomAttributes ?? {};
  return {
    ...row,
    GroupType: object.securityEnabled ? 'Universal, SecurityEnabled' : 'Universal',
    // Owners by ExternalDirectoryObjectId, as CIPP reads them (exchange.md §4 Set-DistributionGroup).
    ManagedBy: object.owners,
    IsDirSynced: object.onPremisesSyncEnabled === true,
    Description: object.description === null ? [] : [object.description],
    WhenCreatedUTC: object.createdDateTime,
    ...exchange,
    // facts.mailTipMarkup
    MailTip: mailTip === null ? null : `<html><body>${mailTip}</body></html>`,
    ...Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => `CustomAttribute${String(index + 1)}`).map((name) => [
        name,
        customAttributes[name] ?? '',
      ]),
    ),
  };
}

/** facts.dynamicGroups */
export function dynamicGroupRow(recipient: Recipient<Group>): Row {
  const row = distributionGroupRow(recipient);
  return {
    ...without(row, 'MemberJoinRestriction', 'MemberDepartRestriction', 'HiddenGroupMembershipEnabled', 'BccBlocked'),
    RecipientFilter: "(RecipientType -eq 'UserMailbox')",
    IncludedRecipients: 'MailboxUsers',
  };
}

const guids = new Set(['Guid', 'ExchangeObjectId']);

function companion(key: string, value: unknown): Row {
  if (Array.isArray(value)) return { [`${key}@odata.type`]: '#Collection(String)' };
  if (guids.has(key)) return { [`${key}@data.type`]: 'System.Guid' };
  return key.endsWith('UTC') ? { [`${key}@data.type`]: 'System.DateTime' } : {};
}

/** Companion keys, $select and the odd booleans: exchange.md §1.1, §1.4. */
export function dressed(row: Row, select: readonly string[] | null, settings: Settings): Row {
  const wanted = Object.entries(row).filter(
    ([key]) => select === null || select.some((name) => name.toLowerCase() === key.toLowerCase()),
  );
  return Object.fromEntries(
    wanted.flatMap(([key, value]) => [
      ...Object.entries(companion(key, value)),
      [key, typeof value === 'boolean' && settings.booleansAsStrings ? (value ? 'True' : 'False') : value],
    ]),
  );
}
