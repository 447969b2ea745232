import type { RateLimit } from '../http/limits.ts';
import type { MemberList } from './memberList.ts';
import type { RoleDefinition } from './roles.ts';

// One tenant behind all servers. Properties that Graph has carry Graph's names, those only Exchange has carry Exchange's.

interface DirectoryObjectBase {
  readonly id: string;
  readonly displayName: string;
}

type RecipientTypeDetails =
  'UserMailbox' | 'SharedMailbox' | 'RoomMailbox' | 'EquipmentMailbox' | 'MailUser' | 'GuestMailUser';

/** A directory role held over the members of an administrative unit only. */
export interface ScopedRole {
  readonly roleDefinitionId: string;
  readonly administrativeUnitId: string;
}

export interface AdministrativeUnit {
  readonly id: string;
  readonly displayName: string;
  /** Its members are written only by who holds a role scoped to it (graph.md §1.2). */
  readonly isMemberManagementRestricted: boolean;
  /** Ids. */
  readonly members: readonly string[];
}

/** mobilePhone is the one that Graph shows; AlternateMobilePhones it does not (graph.md §3). */
export type OverridableProperty = 'mobilePhone';

export type OnPremisesValues = Readonly<
  Partial<
    Pick<User, 'accountEnabled' | 'mobilePhone' | 'businessPhones' | 'department' | 'jobTitle' | 'officeLocation'>
  >
>;

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
  readonly onPremisesDistinguishedName: string | null;
  readonly onPremisesDomainName: string | null;
  readonly onPremisesSamAccountName: string | null;
  readonly onPremisesUserPrincipalName: string | null;
  readonly isManagementRestricted: boolean | null;
  readonly createdDateTime: string;
  /** Set while it lies among the deleted items. */
  readonly deletedDateTime: string | null;
  /** null: Exchange has no recipient for this user. */
  readonly recipientTypeDetails: RecipientTypeDetails | null;
  /** Directory role template ids held by this user. */
  readonly directoryRoles: readonly string[];
  readonly scopedRoles: readonly ScopedRole[];
  /** Roles that may be activated (PIM), held by nobody until then. */
  readonly eligibleRoles: readonly string[];
  /** What stands on-premises, where it is not as in the cloud or is to stay known. */
  readonly onPremises: OnPremisesValues;
  /** Something changed on-premises since the last export: the next delta cycle takes it. */
  readonly isExportPending: boolean;
  /** Edited in the cloud: the values from on-premises are ignored from then on (graph.md §3). */
  readonly dirSyncOverrides: readonly OverridableProperty[];
  readonly onPremisesLastSyncDateTime: string | null;
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
  /** Roles that its members hold; only a role-assignable group has some. */
  readonly directoryRoles: readonly string[];
  readonly scopedRoles: readonly ScopedRole[];
  readonly eligibleRoles: readonly string[];
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
  readonly scopedRoles: readonly ScopedRole[];
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

/** How a PATCH of a user is answered where the sources leave it open: facts whose names stand here. */
export interface UserWriteSettings {
  /** While the user principal name is in a federated domain: facts.federatedAnchor. */
  federatedImmutableId: 'refused' | 'refusedOnceSet' | 'accepted';
  /** Nobody without an immutable id moves into a federated domain: facts.federatedNeedsAnchor. */
  federatedNeedsImmutableId: boolean;
  betweenFederatedDomains: 'refused' | 'accepted';
  /** Whether a move to a managed domain demands a password, which is not modelled: facts.leavingFederation. */
  leavingFederation: 'accepted' | 'needsPassword';
  /** Of the immutable id, by null: facts.clearedAnchor. */
  clearing: 'accepted' | 'refused';
  /** What a new user principal name does to the addresses of who has a mailbox: facts.userPrincipalNameInAddresses. */
  upnInAddresses: 'kept' | 'added' | 'primary';
  /** Which values deleted users still hold: facts.deletedUsersHold. */
  deletedUsersHold: ('onPremisesImmutableId' | 'userPrincipalName' | 'proxyAddresses')[];
  /** $filter on deleted users: facts.deletedUsersFilter. */
  deletedUsersFilter: 'accepted' | 'refused';
  /** Whether a conflict names the holder in error.details: facts.conflictDetails. */
  conflictDetails: boolean;
}

export interface Settings {
  /** As in Set-OrganizationConfig -DistributionGroupNamingPolicy, e.g. `GRP_<GroupName>`; null: none. */
  namingPolicy: string | null;
  blockedWords: string[];
  defaultDomain: string;
  /** The last two are inside Entra: how far reads, and the checks of writes, are behind (facts.entraLag). */
  replicationLagMs: { entraToExchange: number; exchangeToEntra: number; entraReads: number; entraChecks: number };
  userWrites: UserWriteSettings;
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
  /** What Graph accepts on a user who is mastered on-premises: facts.syncedUserWrites. */
  syncedUserWrites: string[];
  /** Who may become an administrator is protected like one: facts.eligibleRolesProtect. */
  eligibleRolesProtect: boolean;
  /** So is who may only read or invite: facts.readerRolesProtect. */
  readerRolesProtect: boolean;
  /** The tenant has the licence for eligible roles (P2). */
  privilegedIdentityManagement: boolean;
  /** Where the caller's directory roles are read: facts.callerRoles. */
  callerRoles: 'token' | 'directory';
  /** graph.md §11: what a GET of the whole answers. */
  onPremisesSynchronizationForm: 'collection' | 'entity';
  /** graph.md §3: what an app may do there without a person. */
  onPremisesSynchronizationAppOnly: 'refused' | 'read' | 'readWrite';
  limits: RateLimit[];
  /** How long a call takes at least, by the simulator's clock. */
  latencyMs: { graph: number; exchange: number };
}

/** Directory synchronization of the whole tenant, as GET /organization tells of it. */
export interface SyncState {
  onPremisesSyncEnabled: boolean | null;
  onPremisesLastSyncDateTime: string | null;
}

/** facts.onPremisesSynchronization */
export interface OnPremisesSynchronization {
  configuration: {
    accidentalDeletionPrevention: {
      synchronizationPreventionType: 'disabled' | 'enabledForCount' | 'enabledForPercentage';
      alertThreshold: number;
    };
  };
  features: Record<string, boolean>;
}

export interface TenantContents {
  readonly tenantId: string;
  readonly displayName: string;
  domains: Domain[];
  objects: DirectoryObject[];
  administrativeUnits: AdministrativeUnit[];
  customRoles: RoleDefinition[];
  syncState: SyncState;
  onPremisesSynchronization: OnPremisesSynchronization;
  settings: Settings;
}
