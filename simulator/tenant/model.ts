import type { RateLimit } from '../http/limits.ts';
import type { MemberList } from './memberList.ts';

// One tenant behind all servers. Properties that Graph has carry Graph's names, those only Exchange has carry Exchange's.

interface DirectoryObjectBase {
  readonly id: string;
  readonly displayName: string;
}

type RecipientTypeDetails =
  'UserMailbox' | 'SharedMailbox' | 'RoomMailbox' | 'EquipmentMailbox' | 'MailUser' | 'GuestMailUser';

export interface User extends DirectoryObjectBase {
  readonly type: 'user';
  readonly userPrincipalName: string;
  readonly userType: 'Member' | 'Guest';
  readonly accountEnabled: boolean;
  readonly givenName: string | null;
  readonly surname: string | null;
  readonly jobTitle: string | null;
  readonly department: string | null;
  readonly officeLocation: string | null;
  readonly mobilePhone: string | null;
  readonly businessPhones: readonly string[];
  readonly otherMails: readonly string[];
  readonly mail: string | null;
  readonly mailNickname: string | null;
  readonly proxyAddresses: readonly string[];
  readonly onPremisesSyncEnabled: boolean | null;
  readonly onPremisesImmutableId: string | null;
  readonly isManagementRestricted: boolean | null;
  readonly createdDateTime: string;
  /** null: Exchange has no recipient for this user. */
  readonly recipientTypeDetails: RecipientTypeDetails | null;
  /** Directory role template ids held by this user. */
  readonly directoryRoles: readonly string[];
}

export interface Contact extends DirectoryObjectBase {
  readonly type: 'contact';
  readonly mail: string;
  readonly mailNickname: string;
  readonly proxyAddresses: readonly string[];
  readonly onPremisesSyncEnabled: boolean | null;
}

export interface Device extends DirectoryObjectBase {
  readonly type: 'device';
}

export type GroupRecipientTypeDetails =
  | 'MailUniversalDistributionGroup'
  | 'MailUniversalSecurityGroup'
  | 'RoomList'
  | 'GroupMailbox'
  | 'DynamicDistributionGroup';

/** The properties of an ExchangeGroup that hold ids of recipients. */
export const recipientListNames = [
  'ModeratedBy',
  'AcceptMessagesOnlyFromSendersOrMembers',
  'RejectMessagesFromSendersOrMembers',
  'BypassModerationFromSendersOrMembers',
  'GrantSendOnBehalfTo',
] as const;

/** What Exchange knows of a group beyond Entra; the names are those of Set-DistributionGroup. */
export interface ExchangeGroup {
  readonly RecipientTypeDetails: GroupRecipientTypeDetails;
  /** The unique name, which DisplayName need not be. */
  readonly Name: string;
  readonly MemberJoinRestriction: 'Open' | 'Closed' | 'ApprovalRequired';
  readonly MemberDepartRestriction: 'Open' | 'Closed';
  readonly RequireSenderAuthenticationEnabled: boolean;
  readonly HiddenFromAddressListsEnabled: boolean;
  readonly HiddenGroupMembershipEnabled: boolean;
  readonly ModerationEnabled: boolean;
  readonly ModeratedBy: readonly string[];
  readonly SendModerationNotifications: 'Always' | 'Internal' | 'Never';
  /** Ids, as are the three below. */
  readonly AcceptMessagesOnlyFromSendersOrMembers: readonly string[];
  readonly RejectMessagesFromSendersOrMembers: readonly string[];
  readonly BypassModerationFromSendersOrMembers: readonly string[];
  readonly GrantSendOnBehalfTo: readonly string[];
  readonly BypassNestedModerationEnabled: boolean;
  readonly BccBlocked: boolean;
  readonly MailTip: string | null;
  readonly Notes: string;
  readonly WhenChangedUTC: string;
  /** What Outlook's caches remember a group by: another for each creation. */
  readonly LegacyExchangeDN: string;
  readonly CustomAttributes: Readonly<Record<string, string>>;
}

export interface Group extends DirectoryObjectBase {
  readonly type: 'group';
  readonly description: string | null;
  readonly groupTypes: readonly string[];
  readonly mailEnabled: boolean;
  readonly securityEnabled: boolean;
  readonly mail: string | null;
  readonly mailNickname: string;
  readonly proxyAddresses: readonly string[];
  readonly onPremisesSyncEnabled: boolean | null;
  /** Both stay when authority moves to the cloud. */
  readonly onPremisesSecurityIdentifier: string | null;
  readonly onPremisesSamAccountName: string | null;
  /** Converted to the cloud's authority (graph.md §2.4). */
  readonly isCloudManaged: boolean;
  readonly isAssignableToRole: boolean | null;
  readonly isManagementRestricted: boolean | null;
  readonly membershipRule: string | null;
  readonly membershipRuleProcessingState: string | null;
  readonly resourceProvisioningOptions: readonly string[];
  readonly visibility: string | null;
  readonly createdDateTime: string;
  /** Set while it lies among the deleted items. */
  readonly deletedDateTime: string | null;
  readonly members: MemberList;
  readonly owners: readonly string[];
  /** null: not a recipient. */
  readonly exchange: ExchangeGroup | null;
}

export interface ServicePrincipal extends DirectoryObjectBase {
  readonly type: 'servicePrincipal';
  readonly appId: string;
  readonly servicePrincipalType: 'Application' | 'ManagedIdentity';
  /** App roles granted, by the resource that defines them. */
  readonly roles: { readonly graph: readonly string[]; readonly exchange: readonly string[] };
  readonly directoryRoles: readonly string[];
  readonly clientSecrets: readonly { readonly value: string; readonly endDateTime: string }[];
}

export type DirectoryObject = User | Contact | Device | Group | ServicePrincipal;

export interface Domain {
  readonly id: string;
  readonly authenticationType: 'Managed' | 'Federated';
  readonly isDefault: boolean;
  readonly isInitial: boolean;
  readonly isVerified: boolean;
}

export interface Settings {
  /** As in Set-OrganizationConfig -DistributionGroupNamingPolicy, e.g. `GRP_<GroupName>`; null: none. */
  namingPolicy: string | null;
  blockedWords: string[];
  defaultDomain: string;
  replicationLagMs: { entraToExchange: number; exchangeToEntra: number };
  /** absent: the tenant has never consented to the app (graph.md §6). */
  tenantServicePrincipal: 'present' | 'absent';
  /** Seen in the field: booleans as "True"/"False" (exchange.md §1.4). */
  booleansAsStrings: boolean;
  /** Removing who is no member: Graph was seen to answer both (graph.md §1.4). */
  nonMemberRemovalStatus: 400 | 404;
  /** Security groups too are kept for 30 days (graph.md §8, unverified). */
  softDeleteSecurityGroups: boolean;
  /** How long the addresses of a removed group stay unusable (exchange.md §4: about an hour). */
  addressQuarantineMs: number;
  limits: RateLimit[];
  /** How long a call takes at least, by the simulator's clock. */
  latencyMs: { graph: number; exchange: number };
}

export interface TenantContents {
  readonly tenantId: string;
  readonly displayName: string;
  domains: Domain[];
  objects: DirectoryObject[];
  settings: Settings;
}
