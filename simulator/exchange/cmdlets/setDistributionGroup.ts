import type { ExchangeGroup, Group } from '../../tenant/model.ts';
import { addressesAfter, checkAddresses } from '../addresses.ts';
import { nothing, type Cmdlet, type CmdletContext } from '../cmdlet.ts';
import { checkModeration, deliveryAfter, deliveryLists, editedIds } from '../delivery.ts';
import {
  checkAlias,
  checkLength,
  groupToWrite,
  named,
  nowText,
  ownerIds,
  refuseDuplicates,
  refuseOpenSecurityGroup,
  requireOwner,
} from '../groupRules.ts';
import { edited, type Bound } from '../parameters.ts';

const customAttributes = Array.from({ length: 15 }, (_, index) => `CustomAttribute${String(index + 1)}`);
const flags = [
  'RequireSenderAuthenticationEnabled',
  'HiddenFromAddressListsEnabled',
  'ModerationEnabled',
  'BypassNestedModerationEnabled',
  'BccBlocked',
] as const;
const MAX_DISPLAY_NAME = 256;
const MAX_MAIL_TIP = 175;

function ownersOf(parameters: Bound, group: Group, context: CmdletContext): readonly string[] {
  const edit = parameters.edit('ManagedBy');
  if (!edit) return group.owners;
  const owners = editedIds(group.owners, edit, (names) => ownerIds(context, names));
  requireOwner(owners);
  return owners;
}

function exchangeOf(parameters: Bound, group: Group, name: string, context: CmdletContext): ExchangeGroup | null {
  if (!group.exchange) return null;
  const text = (parameter: string, current: string): string => parameters.text(parameter) ?? current;
  const join = parameters.text('MemberJoinRestriction');
  const depart = parameters.text('MemberDepartRestriction');
  refuseOpenSecurityGroup(group.securityEnabled, join, depart);
  const mailTip = parameters.text('MailTip');
  if (mailTip !== undefined) checkLength('MailTip', mailTip, MAX_MAIL_TIP);
  const edit = parameters.edit('ModeratedBy');
  const moderators = edit
    ? editedIds(group.exchange.ModeratedBy, edit, (names) => ownerIds(context, names))
    : group.exchange.ModeratedBy;
  const isModerated = parameters.flag('ModerationEnabled') ?? group.exchange.ModerationEnabled;
  checkModeration(group.securityEnabled, isModerated, moderators);
  const given = customAttributes.filter((attribute) => parameters.has(attribute));
  return {
    ...group.exchange,
    Name: name,
    WhenChangedUTC: nowText(context),
    MemberJoinRestriction: text(
      'MemberJoinRestriction',
      group.exchange.MemberJoinRestriction,
    ) as ExchangeGroup['MemberJoinRestriction'],
    MemberDepartRestriction: text(
      'MemberDepartRestriction',
      group.exchange.MemberDepartRestriction,
    ) as ExchangeGroup['MemberDepartRestriction'],
    SendModerationNotifications: text(
      'SendModerationNotifications',
      group.exchange.SendModerationNotifications,
    ) as ExchangeGroup['SendModerationNotifications'],
    ...Object.fromEntries(flags.filter((flag) => parameters.has(flag)).map((flag) => [flag, parameters.flag(flag)])),
    ...(parameters.has('MailTip') ? { MailTip: mailTip ?? null } : {}),
    ModeratedBy: moderators,
    ...deliveryAfter(parameters, group.exchange, context),
    CustomAttributes: {
      ...group.exchange.CustomAttributes,
      ...Object.fromEntries(given.map((attribute) => [attribute, parameters.text(attribute) ?? ''])),
    },
  };
}

export const setDistributionGroup: Cmdlet = {
  name: 'Set-DistributionGroup',
  parameters: {
    required: ['Identity'],
    modelled: {
      Identity: 'identity',
      Name: 'string',
      DisplayName: 'string',
      Alias: 'string',
      PrimarySmtpAddress: 'smtp',
      EmailAddresses: 'list',
      ManagedBy: 'list',
      Description: 'list',
      MailTip: 'string',
      MemberJoinRestriction: ['Open', 'Closed', 'ApprovalRequired'],
      MemberDepartRestriction: ['Open', 'Closed'],
      ModeratedBy: 'list',
      SendModerationNotifications: ['Always', 'Internal', 'Never'],
      IgnoreNamingPolicy: 'boolean',
      BypassSecurityGroupManagerCheck: 'boolean',
      Confirm: 'boolean',
      ...Object.fromEntries(deliveryLists.map((name) => [name, 'list' as const])),
      ...Object.fromEntries(flags.map((flag) => [flag, 'boolean' as const])),
      ...Object.fromEntries(customAttributes.map((attribute) => [attribute, 'string' as const])),
    },
    notModelled: [
      ...['AcceptMessagesOnlyFrom', 'AcceptMessagesOnlyFromDLMembers', 'MailTipTranslations', 'RoomList'],
      ...['RejectMessagesFrom', 'RejectMessagesFromDLMembers'],
      ...['ReportToManagerEnabled', 'ReportToOriginatorEnabled', 'SendOofMessageToOriginatorEnabled'],
      ...['HiddenGroupMembershipEnabled', 'SimpleDisplayName', 'UMDtmfMap', 'WindowsEmailAddress', 'ForceUpgrade'],
      ...['ExtensionCustomAttribute1', 'ExtensionCustomAttribute2', 'ExtensionCustomAttribute3', 'WhatIf'],
      ...['ExtensionCustomAttribute4', 'ExtensionCustomAttribute5', 'ArbitrationMailbox', 'UpdateMemberCount'],
    ],
  },
  run(parameters, context) {
    const target = groupToWrite(context, parameters, 'Set-DistributionGroup', 'Name');
    const group = target.object;
    const asPolicySays = (name: string): string =>
      parameters.flag('IgnoreNamingPolicy') === true ? name : named(context, name);
    const requestedName = parameters.text('Name');
    const requestedDisplayName = parameters.text('DisplayName');
    const name = requestedName === undefined ? target.name : asPolicySays(requestedName);
    const displayName = requestedDisplayName === undefined ? group.displayName : asPolicySays(requestedDisplayName);
    const alias = parameters.text('Alias') ?? target.alias;
    const proxyAddresses = addressesAfter(parameters, group);
    checkLength('Name', name);
    checkLength('DisplayName', displayName, MAX_DISPLAY_NAME);
    checkAlias(alias);
    refuseDuplicates(context, { name, alias }, group.id);
    checkAddresses(context, proxyAddresses, group.id);
    const description = parameters.edit('Description');
    const text = description ? edited([], description).join('\n') : group.description;
    const changed: Group = {
      ...group,
      displayName,
      description: text === '' ? null : text,
      mailNickname: alias,
      proxyAddresses,
      mail: proxyAddresses.find((address) => address.startsWith('SMTP:'))?.slice(5) ?? group.mail,
      owners: ownersOf(parameters, group, context),
      exchange: exchangeOf(parameters, group, name, context),
    };
    context.tenant.commit('exchange', [{ put: changed }]);
    return nothing;
  },
};
