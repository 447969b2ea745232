import type { Random } from '../random.ts';
import { legacyExchangeDN, newExchangeGroup, newGroup } from './defaults.ts';
import { MemberList } from './memberList.ts';
import type { ExchangeGroup, Group, GroupRecipientTypeDetails } from './model.ts';

const createdDateTime = '2025-03-03T09:00:00Z';

const shape: Record<GroupRecipientTypeDetails, Pick<Group, 'groupTypes' | 'mailEnabled' | 'securityEnabled'>> = {
  MailUniversalDistributionGroup: { groupTypes: [], mailEnabled: true, securityEnabled: false },
  MailUniversalSecurityGroup: { groupTypes: [], mailEnabled: true, securityEnabled: true },
  RoomList: { groupTypes: [], mailEnabled: true, securityEnabled: false },
  GroupMailbox: { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false },
  DynamicDistributionGroup: { groupTypes: [], mailEnabled: true, securityEnabled: false },
};

/** `refs` are UPNs and addresses of seeded people, or names of groups before. */
export function seedGroups(random: Random, idOf: (ref: string) => string): Group[] {
  const security = (displayName: string, more: Partial<Group> = {}): Group =>
    newGroup({
      id: random.guid(`group:${displayName}`),
      displayName,
      mailNickname: displayName.toLowerCase().replaceAll(' ', '-'),
      createdDateTime,
      ...more,
    });
  const recipient = (
    details: GroupRecipientTypeDetails,
    name: string,
    refs: { members?: string[]; owners?: string[] },
    more: Partial<Group> = {},
    exchange: Partial<ExchangeGroup> = {},
  ): Group => {
    const alias = name.toLowerCase().replaceAll(' ', '-');
    const mail = `${alias}@contoso.com`;
    return newGroup({
      id: random.guid(`group:${name}`),
      displayName: name,
      mailNickname: alias,
      mail,
      proxyAddresses: [`SMTP:${mail}`, `smtp:${alias}@contoso.onmicrosoft.com`],
      createdDateTime,
      ...shape[details],
      members: MemberList.of((refs.members ?? []).map(idOf)),
      owners: (refs.owners ?? ['amara.osei@contoso.com']).map(idOf),
      exchange: newExchangeGroup({
        RecipientTypeDetails: details,
        Name: name,
        WhenChangedUTC: createdDateTime,
        LegacyExchangeDN: legacyExchangeDN(random.guid(`legacy:${name}`), name),
        ...exchange,
      }),
      ...more,
    });
  };
  const synced = (name: string): Partial<Group> => ({
    onPremisesSyncEnabled: true,
    onPremisesSecurityIdentifier: `S-1-5-21-1004336348-1177238915-682003330-${String(1000 + parseInt(random.guid(`sid:${name}`).slice(0, 4), 16))}`,
    onPremisesSamAccountName: name,
  });
  const engineers = ['kaya.demir', 'liam.corrigan', 'mina.sato', 'noel.fischer'].map((name) => `${name}@contoso.com`);
  return [
    security('Engineering Access', {
      members: MemberList.of(engineers.map(idOf)),
      owners: [idOf('kaya.demir@contoso.com')],
    }),
    security('Tier Zero Operators', {
      isAssignableToRole: true,
      members: MemberList.of([idOf('audrey.keys@contoso.com')]),
      owners: [idOf('chief.admin@contoso.com')],
    }),
    security('All Engineers Dynamic', {
      groupTypes: ['DynamicMembership'],
      membershipRule: 'user.department -eq "Engineering"',
      membershipRuleProcessingState: 'On',
      members: MemberList.of(engineers.map(idOf)),
    }),
    security('Restricted Unit Group', { isManagementRestricted: true }),
    security('Synced Security', {
      onPremisesSyncEnabled: true,
      members: MemberList.of([idOf('anton.berg@contoso.com')]),
    }),
    recipient(
      'GroupMailbox',
      'Project Aurora',
      { members: ['elena.marsh@contoso.com', 'grace.tan@contoso.com'], owners: ['elena.marsh@contoso.com'] },
      { resourceProvisioningOptions: ['Team'], visibility: 'Private' },
    ),
    recipient(
      'GroupMailbox',
      'Social Club',
      { members: ['tara.nolan@contoso.com'], owners: ['tara.nolan@contoso.com'] },
      { visibility: 'Public' },
    ),
    recipient('MailUniversalSecurityGroup', 'Finance Approvers', {
      members: ['hugo.brandt@contoso.com', 'ines.varga@contoso.com'],
      owners: ['hugo.brandt@contoso.com'],
    }),
    recipient(
      'MailUniversalSecurityGroup',
      'Plant Safety',
      { members: ['anton.berg@contoso.com'], owners: ['anton.berg@contoso.com'] },
      synced('Plant Safety'),
    ),
    recipient('MailUniversalDistributionGroup', 'Sales Nordics', {
      members: [
        'amara.osei@contoso.com',
        'bruno.keller@contoso.com',
        'pat.supplier@example.com',
        'guest.partner@example.com',
      ],
    }),
    recipient(
      'MailUniversalDistributionGroup',
      'Plant News',
      { members: ['bella.cruz@contoso.com', 'carl.dahl@contoso.com'], owners: ['anton.berg@contoso.com'] },
      synced('Plant News'),
    ),
    // Two groups that a person can only tell apart by Name, alias or address.
    recipient(
      'MailUniversalDistributionGroup',
      'Announcements North',
      { members: ['rosa.delgado@contoso.com'] },
      { displayName: 'Announcements' },
    ),
    recipient(
      'MailUniversalDistributionGroup',
      'Announcements South',
      { members: ['sven.aalto@contoso.com'] },
      { displayName: 'Announcements' },
    ),
    recipient('RoomList', 'Meeting Rooms', { members: ['room.aurora@contoso.com'] }),
    recipient('DynamicDistributionGroup', 'Everyone In Support', { owners: ['rosa.delgado@contoso.com'] }),
    // Authority over it was moved to the cloud (graph.md §2.4): what came from on-premises is still there.
    security('Converted Welders', {
      ...synced('Converted Welders'),
      onPremisesSyncEnabled: null,
      isCloudManaged: true,
      members: MemberList.of([idOf('bella.cruz@contoso.com')]),
      owners: [idOf('anton.berg@contoso.com')],
    }),
  ];
}
