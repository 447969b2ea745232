/** What the simulator does where it matters, and how sure we are that the real services do the same. */
export interface Fact {
  readonly behaviour: string;
  readonly source: string;
  readonly certainty: 'certain' | 'inferred';
}

/** The one place where inference is admitted; code names the inferred ones. docs/simulator.md carries every row. */
export const facts = {
  instanceAudience: {
    behaviour: 'A token is checked for signature, audience and expiry; Graph answers 401 `InvalidAuthenticationToken`',
    source: 'graph.md §6, §8',
    certainty: 'certain',
  },
  identityNotFound: {
    behaviour:
      'A tenant without the service principal still issues a token, without `oid` and `roles`; Graph answers 403 `Authorization_IdentityNotFound`',
    source: 'graph.md §6',
    certainty: 'certain',
  },
  loginErrors: {
    behaviour:
      'AADSTS numbers, OAuth codes and texts of the token endpoint; 401 for `invalid_client`, 400 for the rest',
    source: 'public behaviour of Entra, not in reference/',
    certainty: 'inferred',
  },
  mailEnabledRefused: {
    behaviour:
      'A write on a mail-enabled group is 400 `Request_BadRequest`, "Cannot Update a mail-enabled security groups and or distribution list." (the documentation promises 403)',
    source: 'graph.md §1.4',
    certainty: 'certain',
  },
  mailEnabledCreationRefused: {
    behaviour: "POST /groups with `mailEnabled` and without `Unified` is 400 with Microsoft's text",
    source: 'graph.md §1.4',
    certainty: 'certain',
  },
  onPremisesRefused: {
    behaviour:
      'A write on a synced group is 400, "Unable to update the specified properties for on-premises mastered Directory Sync objects…"',
    source: 'graph.md §1.4',
    certainty: 'certain',
  },
  memberReferences: {
    behaviour:
      'Adding a member twice is 400, removing one who is none is 404 or, by a setting, 400, a missing object is 404 naming its id',
    source: 'graph.md §1.4',
    certainty: 'certain',
  },
  ownersQuota: {
    behaviour: 'More than 100 owners are 403, before it is looked whether some are owners already; its code',
    source: 'graph.md §1.4 for status and order',
    certainty: 'inferred',
  },
  memberCount: {
    behaviour: 'GET …/members/$count and …/owners/$count answer plain text and need `ConsistencyLevel: eventual`',
    source: 'graph.md §9 for the header',
    certainty: 'inferred',
  },
  deleteWithoutRef: {
    behaviour: 'DELETE /groups/{id}/members/{id} without `/$ref` deletes the user',
    source: 'graph.md §1.5',
    certainty: 'certain',
  },
  bindAllOrNothing: {
    behaviour: '`members@odata.bind` takes at most 20 and is all or nothing',
    source: 'graph.md §1.5',
    certainty: 'certain',
  },
  managementRestrictedSelect: {
    behaviour: '`isManagementRestricted` comes only with `$select`',
    source: 'graph.md §1.2',
    certainty: 'certain',
  },
  dynamicDistributionInvisible: {
    behaviour: 'A dynamic distribution group is never seen in Graph',
    source: 'graph.md §1.1',
    certainty: 'certain',
  },
  roleAssignableWrites: {
    behaviour:
      'Writing a role-assignable group needs `RoleManagement.ReadWrite.Directory`, else 403 `Authorization_RequestDenied`',
    source: 'graph.md §1.2',
    certainty: 'certain',
  },
  restrictedManagementText: {
    behaviour: 'The words of the 403 on a group in a restricted management unit',
    source: 'graph.md §1.2 says that it is refused',
    certainty: 'inferred',
  },
  dynamicGroupText: {
    behaviour: 'Status, code and words of a member write on a dynamic group',
    source: 'graph.md §1.1 says that it is refused',
    certainty: 'inferred',
  },
  deleteMailEnabledGroup: {
    behaviour: 'DELETE /groups/{id} of a mail-enabled group is refused with the same words as other writes',
    source: 'graph.md §12 lists it as unknown',
    certainty: 'inferred',
  },
  unifiedGroupMembers: {
    behaviour: 'Only users may be members of a Microsoft 365 group; the words of the refusal',
    source: 'graph.md §1.5 for the rule',
    certainty: 'inferred',
  },
  limitedMemberInformation: {
    behaviour: 'Without a permission to read users, members come with their id and null for all else',
    source: 'graph.md §4',
    certainty: 'inferred',
  },
  queryErrors: {
    behaviour:
      'Words and codes for unknown query options, properties, page sizes and filters; options and functions Graph has but that are not modelled are 501',
    source: 'graph.md §1.4, §9',
    certainty: 'inferred',
  },
  keysetPaging: {
    behaviour:
      'A $skiptoken names the object after which to go on: what is there throughout a listing comes exactly once, whatever is created and deleted meanwhile',
    source: 'graph.md §9 calls the link opaque',
    certainty: 'inferred',
  },
  searchHeader: {
    behaviour: '$search without `ConsistencyLevel: eventual` is refused with the documented words',
    source: 'graph.md §1.4',
    certainty: 'certain',
  },
  search: {
    behaviour:
      '`$search="displayName:a b"` finds what has words that begin with a and b; other properties match by their beginning; one property only',
    source: "public documentation of Graph's $search, not in reference/",
    certainty: 'inferred',
  },
  graphAppRoleIds: {
    behaviour: "Ids of Graph's app roles in `appRoles` and `appRoleAssignments`",
    source: 'public permission reference, not in reference/',
    certainty: 'inferred',
  },
  graphBatch: {
    behaviour:
      'POST /$batch takes at most 20 requests with unique ids and relative urls, answers 200 with a status, headers and body for each, limits each on its own, and 424 where a request it depends on failed',
    source: 'graph.md §1.6',
    certainty: 'certain',
  },
  graphBatchRefusals: {
    behaviour: 'A malformed or nested $batch is refused whole with 400; the words',
    source: 'graph.md §1.6 for the rules',
    certainty: 'inferred',
  },
  graphBatchOrder: {
    behaviour: 'Requests of a $batch that do not depend on each other run, and are answered, in any order',
    source: 'graph.md §1.6 for the answers',
    certainty: 'inferred',
  },
  graphBatchItems: {
    behaviour:
      'A batch item without content has no headers and body, `body: null`, or `body: {}` with a Content-Type, in turns',
    source: 'graph.md §7.3 for the last',
    certainty: 'inferred',
  },
  directoryDeletion: {
    behaviour: 'A deleted security group is gone at once, unless `softDeleteSecurityGroups` is set',
    source: 'graph.md §8 (unverified for security groups)',
    certainty: 'inferred',
  },
  softDelete: {
    behaviour: 'A deleted Microsoft 365 group or user lies in /directory/deletedItems for 30 days and can be restored',
    source: 'graph.md §8',
    certainty: 'certain',
  },
  restoredWhole: {
    behaviour:
      'A restored group has its id, members, owners and settings again, but is in no group that it was a member of; its addresses are free meanwhile',
    source: 'graph.md §8 for the restore',
    certainty: 'inferred',
  },
  restoreOntoTaken: {
    behaviour: 'A restore onto an address or nickname that is taken is 400, "Another object with the same value …"',
    source: 'exchange.md E13 for the words',
    certainty: 'inferred',
  },
  deletedUser: {
    behaviour:
      'A deleted user shows a user principal name with the object id before it, and is restored under the former one, without former memberships',
    source: 'public behaviour of Entra, not in reference/',
    certainty: 'inferred',
  },
  deletedUsersHold: {
    behaviour:
      'Which values a deleted user still holds, so that nobody else gets them: `userWrites.deletedUsersHold`, the immutable id unless set',
    source: 'graph.md §2.1 (inferred), §8',
    certainty: 'inferred',
  },
  deletedUsersFilter: {
    behaviour:
      '$filter on deleted users works as on others, or, by `userWrites.deletedUsersFilter`, is 400 `Request_UnsupportedQuery`',
    source: 'graph.md §2.1',
    certainty: 'inferred',
  },
  userUpdate: {
    behaviour:
      'PATCH /users/{id} is 204 without a body, all or nothing; what is read-only is 400, "Property \'…\' is read-only and cannot be set."',
    source: 'graph.md §8; §1.4 for the words',
    certainty: 'certain',
  },
  userWriteValues: {
    behaviour:
      "Which values of a user's properties are refused beyond those named in graph.md, and writes of `mail`, `userType` and `preferredLanguage` are not modelled",
    source: 'public documentation of the user resource, not in reference/',
    certainty: 'inferred',
  },
  immutableIdValues: {
    behaviour:
      'An empty immutable id is 400, "Invalid value specified for property \'onPremisesImmutableId\'…"; `$` and `_` are not allowed in one',
    source: 'graph.md §2.1',
    certainty: 'certain',
  },
  immutableIdUnique: {
    behaviour: 'An immutable id is unique in the tenant: 400, with `error.details` that name the holder',
    source: 'graph.md §2.1',
    certainty: 'certain',
  },
  conflictDetails: {
    behaviour:
      'A user principal name or an address that is taken names its holder in `error.details` too; by `userWrites.conflictDetails` nothing does',
    source: 'graph.md §2.1 for the immutable id',
    certainty: 'inferred',
  },
  userPrincipalNameTaken: {
    behaviour: "A user principal name that is taken, or in no verified domain, is 400 with Microsoft's words",
    source: 'graph.md §2.3',
    certainty: 'certain',
  },
  userPrincipalNameAsAddress: {
    behaviour: 'A user principal name that is an address of another object is refused as a conflict of proxyAddresses',
    source: 'graph.md §2.3 names such conflicts',
    certainty: 'inferred',
  },
  userPrincipalNameInAddresses: {
    behaviour:
      'A new user principal name becomes a further address of who has a mailbox and the former stays; by `userWrites.upnInAddresses` it becomes the primary one with `mail`, or addresses stay as they are',
    source: 'graph.md §2.3 (from memory)',
    certainty: 'inferred',
  },
  federatedAnchor: {
    behaviour: 'The immutable id is not changed while the user principal name is in a federated domain',
    source: 'graph.md §2.2',
    certainty: 'certain',
  },
  federatedAnchorWords: {
    behaviour:
      'Status, code and words of that refusal (those of MSOL); by `userWrites.federatedImmutableId` only a change of one that is set is refused, or none',
    source: 'graph.md §2.2, §12: not found',
    certainty: 'inferred',
  },
  federatedNeedsAnchor: {
    behaviour:
      'Nobody moves into a federated domain without an immutable id, unless `userWrites.federatedNeedsImmutableId` is false',
    source: 'graph.md §2.3',
    certainty: 'inferred',
  },
  betweenFederatedDomains: {
    behaviour:
      'A move from one federated domain to another is refused, unless `userWrites.betweenFederatedDomains` accepts it; the words',
    source: 'graph.md §2.3, §12: message not found',
    certainty: 'inferred',
  },
  leavingFederation: {
    behaviour:
      'A move to a managed domain needs no password, unless `userWrites.leavingFederation` says so; then it is 400',
    source: 'graph.md §2.3, §12: unknown',
    certainty: 'inferred',
  },
  clearedAnchor: {
    behaviour: 'Null clears the immutable id, unless `userWrites.clearing` refuses it',
    source: 'graph.md §2.1, §11',
    certainty: 'inferred',
  },
  entraLag: {
    behaviour:
      'Reads of Graph are behind by `replicationLagMs.entraReads`, what the checks of a write know of the user by `entraChecks`, both 0 unless set',
    source: 'graph.md §2.3, §8',
    certainty: 'inferred',
  },
  sensitiveActions: {
    behaviour:
      "A sensitive property of who holds a role is written, and such a person deleted or restored, only by an app that holds one of the roles of Microsoft's matrix for it: 403 `Authorization_RequestDenied`",
    source: 'graph.md §4',
    certainty: 'certain',
  },
  sensitiveSameBody: {
    behaviour: 'The refusals for a missing permission and for a missing role have the same body',
    source: 'graph.md §4',
    certainty: 'certain',
  },
  propertyPermissions: {
    behaviour:
      'User-Phone.ReadWrite.All, User-Mail.ReadWrite.All, and User.EnableDisableAccount.All with User.Read.All each open their properties of a user, and no other',
    source: 'graph.md §4',
    certainty: 'certain',
  },
  sensitiveWhole: {
    behaviour: 'One sensitive property that is refused refuses the whole request',
    source: 'graph.md §4 (inferred there)',
    certainty: 'inferred',
  },
  severalRoles: {
    behaviour:
      'Of who holds several roles, each has to be covered by some role of the caller; a role over an administrative unit counts for the target as any other',
    source: 'none',
    certainty: 'inferred',
  },
  rolesNotInMatrix: {
    behaviour: 'Roles that the matrix does not name protect as custom roles do',
    source: 'graph.md §4 ("by the page\'s logic")',
    certainty: 'inferred',
  },
  eligibleRolesProtect: {
    behaviour: 'Who is eligible for a role is protected as its holder is, unless `eligibleRolesProtect` is false',
    source: 'graph.md §2.5 protects the eligible elsewhere',
    certainty: 'inferred',
  },
  readerRolesProtect: {
    behaviour:
      'Directory Readers, Guest Inviters, Message Center and Reports Readers are protected by the matrix too; where `readerRolesProtect` is false an app needs the permission only, as older documentation had it',
    source: 'graph.md §4; microsoft-graph-docs-contrib issue 3258',
    certainty: 'inferred',
  },
  passwordRole: {
    behaviour:
      'A password takes User Administrator or more even for who holds no role; setting one is not modelled beyond that',
    source: 'graph.md §4 for the rule',
    certainty: 'inferred',
  },
  callerRoles: {
    behaviour:
      "The caller's roles over the tenant are those of its token, by `callerRoles` those of the directory at the moment; those over units are the directory's",
    source: 'none',
    certainty: 'inferred',
  },
  roleGroups: {
    behaviour: 'Members of a role-assignable group hold its roles, apps too, whose tokens then name them in `wids`',
    source: 'graph.md §4 for people',
    certainty: 'inferred',
  },
  restrictedUnitScope: {
    behaviour:
      'A member of a restricted management unit is written only by who holds a role over that unit; which roles: the four of the matrix',
    source: 'graph.md §1.2 for the rule',
    certainty: 'inferred',
  },
  roleAssignments: {
    behaviour:
      'GET roleAssignments needs a filter on principalId or roleDefinitionId, and lists what is given to the principal itself, with its scope',
    source: 'graph.md §4',
    certainty: 'certain',
  },
  roleDefinitions: {
    behaviour: 'roleDefinitions of v1.0 do not say isPrivileged; the id of a built-in one is its template id',
    source: 'graph.md §4',
    certainty: 'certain',
  },
  eligibleRoles: {
    behaviour: 'Eligible roles are in roleEligibilityScheduleInstances only; those of a group name the group',
    source: 'graph.md §4 for the first',
    certainty: 'inferred',
  },
  eligibilityLicence: {
    behaviour:
      'Without the licence for it (`privilegedIdentityManagement` false) that list is 400 `AadPremiumLicenseRequired`',
    source: 'graph.md §4 for the licence; maester365/maester issue 1421 for the body',
    certainty: 'certain',
  },
  transitiveRoles: {
    behaviour:
      'transitiveMemberOf shows active roles over the tenant, those through groups too; with a cast, $filter takes `ConsistencyLevel: eventual` and $count',
    source: 'graph.md §4',
    certainty: 'certain',
  },
  customRolesUnseen: {
    behaviour:
      'Custom roles and roles over a unit are no directoryRole objects; the id of such an object is not its template id',
    source: 'none',
    certainty: 'inferred',
  },
  limitedRoleInformation: {
    behaviour:
      'Without a permission for their kind, objects that somebody is in come with their id and null for all else',
    source: 'graph.md §4 (inferred there)',
    certainty: 'inferred',
  },
  onPremisesSynchronization: {
    behaviour:
      "directory/onPremisesSynchronization: its properties and the features of v1.0, id the tenant's; PATCH by id is 204 and changes only what is given",
    source: 'graph.md §3',
    certainty: 'certain',
  },
  onPremisesSynchronizationForm: {
    behaviour: 'GET of the whole is a collection of one, or, by `onPremisesSynchronizationForm`, that one itself',
    source: 'graph.md §3, §11',
    certainty: 'inferred',
  },
  onPremisesSynchronizationAppOnly: {
    behaviour: 'An app alone may read it and not write it; by `onPremisesSynchronizationAppOnly` neither or both',
    source: 'graph.md §3, §11, §12',
    certainty: 'inferred',
  },
  synchronizeUpnStays: {
    behaviour: 'synchronizeUpnForManagedUsersEnabled cannot be turned off',
    source: 'graph.md §3',
    certainty: 'certain',
  },
  synchronizationRefusals: {
    behaviour: 'Words of what a PATCH of onPremisesSynchronization refuses',
    source: 'graph.md §3 for the rules',
    certainty: 'inferred',
  },
  syncedUserRefused: {
    behaviour:
      'Phones and other properties of a user who is mastered on-premises are refused: 400, "Unable to update the specified properties for on-premises mastered Directory Sync objects…"',
    source: 'graph.md §1.4, §4',
    certainty: 'certain',
  },
  syncedUserWrites: {
    behaviour: '`otherMails` of such a user is accepted; by `syncedUserWrites` also `mobilePhone` or `accountEnabled`',
    source: 'graph.md §4, §11',
    certainty: 'inferred',
  },
  dirSyncOverrides: {
    behaviour:
      'A mobile phone that is edited in the cloud is overridden: a sync cycle leaves it while bypassDirSyncOverridesEnabled is off and overwrites it while it is on; what is lost does not come back',
    source: 'graph.md §3',
    certainty: 'certain',
  },
  syncCycle: {
    behaviour:
      'A delta cycle exports whom something on-premises has changed of, with all values, an initial one everybody; an edit made during bypass is undone by the next cycle of either kind',
    source: 'graph.md §3; okta.md §7 P16 for the first',
    certainty: 'inferred',
  },
  alternatePhones: {
    behaviour: 'AlternateMobilePhones, the other phone that can be overridden, is not in Graph and not modelled',
    source: 'graph.md §3 names it',
    certainty: 'inferred',
  },
  oktaPhones: {
    behaviour: 'The phone of an Okta user is `mobilePhone`, that of its Office 365 app user `mobilePhone` too',
    source: 'none',
    certainty: 'inferred',
  },
  convertedGroup: {
    behaviour:
      'A group whose authority moved to the cloud has `onPremisesSyncEnabled` null and `isCloudManaged` true in onPremisesSyncBehavior',
    source: 'graph.md §2.4',
    certainty: 'certain',
  },
  syncBehavior: {
    behaviour:
      'It keeps onPremisesSecurityIdentifier and onPremisesSamAccountName; Group-OnPremisesSyncBehavior.Read.All opens onPremisesSyncBehavior too',
    source: 'graph.md §2.4 for ReadWrite.All',
    certainty: 'inferred',
  },
  missingAppRole: {
    behaviour: 'No or expired token, or one without `Exchange.ManageAsApp`: 401, empty body, `WWW-Authenticate`',
    source: 'exchange.md §1.7, E16',
    certainty: 'certain',
  },
  missingDirectoryRole: {
    behaviour: 'App role without a directory role that carries Exchange rights: 403, 4096 NUL bytes',
    source: 'exchange.md §1.7, E15',
    certainty: 'certain',
  },
  unknownCmdlet: {
    behaviour: 'A cmdlet that is unknown or not allowed: 403, 4096 NUL bytes',
    source: 'exchange.md §1.7, E15',
    certainty: 'certain',
  },
  unknownParameterRefused: {
    behaviour:
      "A parameter that is unknown or not in the principal's role: 400 AmbiguousParameterSetException; names are bound without regard to case",
    source: 'exchange.md §1.3, §1.7, E9',
    certainty: 'certain',
  },
  wrongValueRefused: {
    behaviour: 'A wrong type or enum value: 400 ParameterTransformationException; enumerators match by prefix',
    source: 'exchange.md §1.3, §1.7, E8',
    certainty: 'certain',
  },
  requestShape: {
    behaviour:
      '`CmdletInput` and `Parameters` are case-sensitive, `Parameters: null` is refused, a hashtable needs its `@odata.type`',
    source: 'exchange.md §1.1, §1.3',
    certainty: 'certain',
  },
  malformedRequest: {
    behaviour: 'The envelope and words of a request refused for its shape',
    source: 'exchange.md §1.1 for the rules',
    certainty: 'inferred',
  },
  missingMandatoryParameter: {
    behaviour: 'The words for a mandatory parameter that is missing',
    source: "PowerShell's wording",
    certainty: 'inferred',
  },
  emptyWriteAnswers: {
    behaviour: 'A write without output answers an empty `value`, `{}` or an empty body, in turns',
    source: 'exchange.md §1.4',
    certainty: 'certain',
  },
  companionKeys: {
    behaviour: 'Rows carry `X@odata.type` and `X@data.type` keys beside `X`; which ones',
    source: 'exchange.md §1.4',
    certainty: 'inferred',
  },
  newGroupWithoutName: {
    behaviour: 'New-DistributionGroup may answer without DistinguishedName, in turns',
    source: 'exchange.md §1.4',
    certainty: 'certain',
  },
  nullIdentityReturnsAll: {
    behaviour: 'A null or empty Identity on Get-DistributionGroup returns all groups',
    source: 'exchange.md §4 Get-DistributionGroup',
    certainty: 'certain',
  },
  identityByDisplayName: {
    behaviour: 'An Identity also matches the display name',
    source: 'exchange.md §4 lists Name, Alias, DN, e-mail, GUID',
    certainty: 'inferred',
  },
  nameOfPeople: {
    behaviour: 'The Exchange Name of a person is the alias',
    source: 'none',
    certainty: 'inferred',
  },
  ambiguousIdentity: {
    behaviour:
      'A write whose Identity matches several objects is 400 ManagementObjectAmbiguousException, "matches multiple entries"',
    source: 'none',
    certainty: 'inferred',
  },
  notFoundStatus: {
    behaviour: 'ManagementObjectNotFoundException is 404 with `NotFound` (400 was seen too)',
    source: 'exchange.md §1.7, E10',
    certainty: 'certain',
  },
  errorTypes: {
    behaviour: 'The .NET type names of member, name and address errors',
    source: 'exchange.md §1.7',
    certainty: 'certain',
  },
  errorTexts: {
    behaviour:
      'The words, the status 400 and, beyond the two known ones, the hashes of cmdlet errors; the namespace of ADObjectAlreadyExistsException; MinGroupOwnersCriteriaBreachedException for distribution groups',
    source: 'exchange.md §1.7, E11, E14, §8',
    certainty: 'inferred',
  },
  errorHashes: {
    behaviour: '`Ex…` hashes other than Ex6F9304 and ExB10BE9',
    source: 'exchange.md §8',
    certainty: 'inferred',
  },
  directorySyncedWords: {
    behaviour: 'A write on a synced group is refused with the documented words',
    source: 'exchange.md §4',
    certainty: 'certain',
  },
  directorySyncedType: {
    behaviour: 'Status and .NET type of that refusal',
    source: 'exchange.md §8',
    certainty: 'inferred',
  },
  bypassNeeded: {
    behaviour:
      'A write on a mail-enabled security group without BypassSecurityGroupManagerCheck is refused, "The executing user is not in the current organization"',
    source: 'exchange.md §1.7, §4',
    certainty: 'certain',
  },
  notInOrganizationType: {
    behaviour: 'Status and .NET type of that refusal',
    source: 'exchange.md §1.7: type not captured',
    certainty: 'inferred',
  },
  creationWithoutOwner: {
    behaviour:
      'New-DistributionGroup by an app without ManagedBy is refused with MinGroupOwnersCriteriaBreachedException',
    source: 'exchange.md §4, §8: not documented',
    certainty: 'inferred',
  },
  unfitOwner: {
    behaviour: 'Type and words when an owner is neither mailbox, mail user nor mail-enabled security group',
    source: 'exchange.md §4 for the rule',
    certainty: 'inferred',
  },
  unifiedGroupAsMember: {
    behaviour: 'Type and words when a Microsoft 365 group is to become a member',
    source: 'exchange.md §4 for the rule',
    certainty: 'inferred',
  },
  userWithoutMailbox: {
    behaviour: 'A user without a mailbox is not found as member or owner',
    source: 'exchange.md §4 Members',
    certainty: 'certain',
  },
  badAlias: {
    behaviour: 'Type and words for a bad alias; the derived alias has `?` for what is not supported',
    source: 'exchange.md §4 Alias',
    certainty: 'inferred',
  },
  blockedWordText: {
    behaviour:
      'Naming policy rewrites Name and DisplayName unless IgnoreNamingPolicy; that it also does so in Set-DistributionGroup, and the words for a blocked word',
    source: 'exchange.md §4',
    certainty: 'inferred',
  },
  openSecurityGroup: {
    behaviour: 'Open is refused on security groups; the words',
    source: 'exchange.md §4',
    certainty: 'inferred',
  },
  exclusiveAddresses: {
    behaviour: 'EmailAddresses and PrimarySmtpAddress together are refused; the words',
    source: 'exchange.md §4',
    certainty: 'inferred',
  },
  deliveryLists: {
    behaviour:
      'Accept, reject, bypass and send-on-behalf lists are edited under any name of a recipient, shown as ids, and lose who is deleted; any recipient may be in them',
    source: 'exchange.md §4 for ManagedBy',
    certainty: 'inferred',
  },
  mailTipMarkup: {
    behaviour: 'A MailTip is shown inside `<html><body>…</body></html>`',
    source: 'public documentation of Set-DistributionGroup, not in reference/',
    certainty: 'inferred',
  },
  legacyExchangeDN: {
    behaviour:
      'Every creation has a LegacyExchangeDN of its own, `/o=ExchangeLabs/ou=…/cn=Recipients/cn=<hex>-<name>`; people have none here',
    source: 'none',
    certainty: 'inferred',
  },
  addressInUse: {
    behaviour: "An SMTP or X500 address among another recipient's addresses or LegacyExchangeDN is refused",
    source: 'exchange.md §1.7, E14',
    certainty: 'certain',
  },
  addressTypes: {
    behaviour: 'Addresses of other types than SMTP and X500 are not modelled',
    source: 'none',
    certainty: 'inferred',
  },
  addressQuarantine: {
    behaviour: 'The SMTP addresses of a removed group stay in use for `addressQuarantineMs`, 0 unless set',
    source: 'exchange.md §4 Remove-DistributionGroup: "may stay unusable ~1 h"',
    certainty: 'inferred',
  },
  dynamicGroups: {
    behaviour: 'Get-DynamicDistributionGroup: its parameters and rows, the ExternalDirectoryObjectId of which is empty',
    source: 'exchange.md §4 names the kind only',
    certainty: 'inferred',
  },
  notAcceptedDomain: {
    behaviour: 'An address outside the verified domains is refused',
    source: 'none',
    certainty: 'inferred',
  },
  confirmationNeeded: {
    behaviour:
      'Remove-… without `Confirm: false` changes nothing and answers `@adminapi.confirmationmessage`; Remove-DistributionGroupMember inside a $batch needs none',
    source: 'exchange.md §1.3',
    certainty: 'inferred',
  },
  badFilter: {
    behaviour: 'OPATH: the operators modelled, comparison without regard to case, and the words for a bad filter',
    source: 'exchange.md §4',
    certainty: 'inferred',
  },
  truncationWarning: {
    behaviour: 'ResultSize defaults to 1000; truncation shows as a warning',
    source: 'exchange.md §1.5, E7',
    certainty: 'certain',
  },
  pagingByAnchor: {
    behaviour:
      'A nextLink works when replayed by POST with the same body and the same, non-empty X-AnchorMailbox, within 30 minutes; otherwise E12',
    source: 'exchange.md §1.5: working hypothesis',
    certainty: 'inferred',
  },
  batchLimit: {
    behaviour: 'A $batch of more than 10 is refused whole',
    source: 'exchange.md §1.6: practice, not a known limit',
    certainty: 'inferred',
  },
  batchPartAuthorization: {
    behaviour: 'A part without Authorization is run under the outer one',
    source: 'exchange.md §1.6',
    certainty: 'inferred',
  },
  batchForeignHost: {
    behaviour: 'A part must name InvokeCommand on the same origin',
    source: 'exchange.md §1.6',
    certainty: 'inferred',
  },
  batchOrder: {
    behaviour: 'Parts run in the order given and are answered in any order',
    source: 'exchange.md §1.6, §8',
    certainty: 'inferred',
  },
  batchErrors: {
    behaviour: "An item's error has an empty `details.target`",
    source: 'exchange.md §1.6',
    certainty: 'certain',
  },
  recipientAdministratorHasNoBypass: {
    behaviour: 'Exchange Recipient Administrator lacks BypassSecurityGroupManagerCheck (E9) and has everything else',
    source: 'exchange.md §3',
    certainty: 'inferred',
  },
  globalReaderReadsOnly: {
    behaviour: 'Global Reader may run Get-… cmdlets only',
    source: 'exchange.md §3',
    certainty: 'inferred',
  },
  foreignTenant: {
    behaviour: "A path of another tenant than the token's is 401",
    source: 'none',
    certainty: 'inferred',
  },
  moduleFileNeedsBoth: {
    behaviour: 'EXOModuleFile lists the cmdlets a principal may run; that it needs both Version and CommandName',
    source: 'exchange.md §1.1',
    certainty: 'inferred',
  },
  contactsAsMembers: {
    behaviour: 'Mail contacts and guests are valid members',
    source: 'exchange.md §4 Members',
    certainty: 'certain',
  },
  replication: {
    behaviour:
      "Exchange writes reach Graph after `replicationLagMs.exchangeToEntra`, Entra's reach Exchange after `entraToExchange`, both 0 unless set",
    source: 'exchange.md §4 Consistency',
    certainty: 'inferred',
  },
  lateWrites: {
    behaviour:
      'A write that was answered by a timeout may be done later: the fault `landsLate`, under the token it was sent with',
    source: 'design §8',
    certainty: 'inferred',
  },
  throttleExtends: {
    behaviour: 'Calls made before Retry-After ends are refused again and extend the wait',
    source: 'design §8',
    certainty: 'inferred',
  },
  rateLimits: {
    behaviour:
      'Rate limits are token buckets, counted for each part of a $batch and after the token is checked; where refused calls count, each takes from the bucket too, and none passes before Retry-After ends',
    source: 'graph.md §7.1: requests while throttled still count',
    certainty: 'inferred',
  },
  graphThrottled: {
    behaviour: "Graph's 429: code TooManyRequests, innerError, Retry-After, x-ms-throttle-scope and -information",
    source: 'graph.md §7.1',
    certainty: 'certain',
  },
  exchangeThrottled: {
    behaviour: 'Envelope and Retry-After of a 429 of Exchange, and Retry-After in the headers of a $batch part',
    source: 'exchange.md §1.8: not recorded',
    certainty: 'inferred',
  },
  concurrencyText: {
    behaviour: 'The text about concurrent requests per tenant; its status 500',
    source: 'exchange.md §1.7: status not recorded',
    certainty: 'inferred',
  },
  identityEndpoint: {
    behaviour:
      'App Service identity endpoint: X-IDENTITY-HEADER, api-version 2019-08-01, tokens of 24 h; words of its refusals',
    source: 'exchange.md §3',
    certainty: 'inferred',
  },
  oktaErrors: {
    behaviour:
      'The error envelope of Okta: errorCode, errorSummary, errorLink, errorId, errorCauses; E0000001, E0000006, E0000007, E0000011 and E0000047',
    source: 'okta.md §4',
    certainty: 'certain',
  },
  oktaErrorWords: {
    behaviour:
      'The causes, the kind of resource in a 404, and the use of E0000003, E0000005 (no credentials, 403), E0000022 (405), E0000031 (a bad filter) and E0000038 (a deprovisioned user joins a group or an app)',
    source: "Okta's public list of error codes, not in reference/",
    certainty: 'inferred',
  },
  oktaNotModelled: {
    behaviour: 'A path, method, parameter or field of Okta that is not modelled is 501 E0000060',
    source: 'design §8',
    certainty: 'inferred',
  },
  oktaScopes: {
    behaviour:
      'Scopes are enforced, and admin roles as well: scopes alone are not enough; an API token has no scopes, but the roles of its admin',
    source: 'okta.md §4',
    certainty: 'certain',
  },
  oktaAdminRoles: {
    behaviour:
      'What each standard admin role allows; event hooks need a super admin or the custom permission; a scope to manage covers reading',
    source: "okta.md §1.1 for event hooks, else Okta's public description of the roles",
    certainty: 'inferred',
  },
  oktaChallenges: {
    behaviour: 'WWW-Authenticate of a 401 and 403 to an access token, and their words',
    source: 'none',
    certainty: 'inferred',
  },
  oktaServiceApp: {
    behaviour: 'A service app authenticates by `private_key_jwt` only, and its token lasts an hour',
    source: 'okta.md §4',
    certainty: 'certain',
  },
  oktaTokenErrors: {
    behaviour:
      'Codes, statuses and words of the token endpoint; an assertion may be used once and last an hour at most',
    source: "Okta's public support articles, not in reference/",
    certainty: 'inferred',
  },
  oktaDpop: {
    behaviour:
      'DPoP: `invalid_dpop_proof` without a proof, `use_dpop_nonce` with a DPoP-Nonce at the token endpoint, a proof with ath for each call, each once; whose app is bound gets no bearer token',
    source: 'okta.md §4 says that it is supported; RFC 9449',
    certainty: 'inferred',
  },
  oktaRateLimits: {
    behaviour:
      'Rate limits: windows of a minute for each caller and collection, 6,000 calls unless set; refused calls do not open the window any later',
    source: 'okta.md §4 for the headers only',
    certainty: 'inferred',
  },
  oktaRateLimitHeaders: {
    behaviour:
      'X-Rate-Limit-Limit, -Remaining and -Reset (epoch seconds) on every answer, no Retry-After; a 429 of the concurrency limit says 0 and 0',
    source: 'okta.md §4',
    certainty: 'certain',
  },
  oktaFaultWords: {
    behaviour: 'Status faults on Okta are E0000009 in its envelope, whatever the status',
    source: 'none',
    certainty: 'inferred',
  },
  oktaLinkPaging: {
    behaviour:
      'Lists are bare arrays; pages follow by `Link` with `rel="next"`, in one header with `self`; default sizes: members 1,000, users 200, app users 50, push mappings 100',
    source: "okta.md §4; Okta's Management API specification 2026.06.3",
    certainty: 'certain',
  },
  oktaCursor: {
    behaviour:
      'A cursor names the position after which to go on: whoever is there throughout a listing comes exactly once; the last page has no next; a bad limit or cursor is 400',
    source: 'okta.md §4 calls it opaque',
    certainty: 'inferred',
  },
  oktaUserLookup: {
    behaviour:
      'A user is found by id, login, or login without its domain where one only has it; listings omit DEPROVISIONED unless filter or search is given; filter minds the case, search does not',
    source: "Okta's Management API specification 2026.06.3",
    certainty: 'certain',
  },
  oktaFilters: {
    behaviour: 'Filters: eq, sw, gt, ge, lt, le and pr with and, or and parentheses; search is up to date at once',
    source: 'okta.md §4 says that search lags',
    certainty: 'inferred',
  },
  oktaMembersOfEveryStatus: {
    behaviour: 'Members of a group are listed whatever their status',
    source: 'none',
    certainty: 'inferred',
  },
  oktaForeignGroups: {
    behaviour: 'Groups of an app and built-in groups are not edited: 403 E0000006',
    source: "Okta's Management API specification 2026.06.3 for the rule",
    certainty: 'inferred',
  },
  oktaExternalId: {
    behaviour: 'externalId of an Office 365 app user is the object id in Entra; its profile holds immutableId',
    source: 'okta.md §4 (inferred there), §7',
    certainty: 'inferred',
  },
  oktaDirectoryExternalId: {
    behaviour: 'externalId of an Active Directory app user is the object GUID in Base64',
    source: 'okta.md §4',
    certainty: 'certain',
  },
  oktaConsistencyGuid: {
    behaviour:
      'mS-DS-ConsistencyGuid, where it is imported, is in the profile of the Active Directory app user under that name, in Base64',
    source: "Okta's support article on the ms-consistency-guid anchor names the attribute only",
    certainty: 'inferred',
  },
  oktaAssignment: {
    behaviour:
      'Who is assigned Office 365 is linked at once to the account whose user principal name is the user name, else STAGED without externalId',
    source: 'none',
    certainty: 'inferred',
  },
  oktaDeactivateUsers: {
    behaviour:
      'With lifecycleDeactivate ENABLED, unassigning or deactivating disables the account in Entra and assigning enables it',
    source: "Okta's Management API specification 2026.06.3 for the setting",
    certainty: 'inferred',
  },
  oktaImmutableIdPush: {
    behaviour:
      'Assigning Office 365, or changing the app user, writes its immutableId to the account in Entra where `pushesImmutableId` is set; syncState is ERROR where Entra refuses it',
    source: 'graph.md §2.3 warns of the re-push',
    certainty: 'inferred',
  },
  oktaAppFilter: {
    behaviour:
      'GET /apps takes filter=user.id eq "…", with expand=user/{id} for the app user, and filter=name eq "…"; other filters are not modelled',
    source: "Okta's Management API specification 2026.06.3",
    certainty: 'certain',
  },
  oktaGroupAssignment: {
    behaviour:
      'An app assigned to a group follows its membership, with scope GROUP and a link to the group; such an app user is not unassigned alone (403 E0000006)',
    source: 'none',
    certainty: 'inferred',
  },
  oktaFeatures: {
    behaviour: 'GET /apps/{id}/features is E0000001 without provisioning; PUT merges capabilities',
    source: "Okta's Management API specification 2026.06.3",
    certainty: 'certain',
  },
  oktaPushMappings: {
    behaviour:
      'Push mappings: filters, statuses, errorSummary, exactly one target; ACTIVE pushes at once; delete needs one that is not ACTIVE and deleteTargetGroup',
    source: 'okta.md §4',
    certainty: 'certain',
  },
  oktaPushContents: {
    behaviour:
      "A push tells by lastPush and status only: Group Push's writes in Microsoft 365 are not modelled; targetGroupName and deleteTargetGroup=true are 501",
    source: 'none',
    certainty: 'inferred',
  },
  oktaRules: {
    behaviour:
      'A group rule of the form `user.attribute=="value"` follows profile changes, with events of transaction JOB',
    source: 'okta.md §1.2, §7',
    certainty: 'inferred',
  },
  oktaEnvelope: {
    behaviour:
      "The event hook's envelope and event: keys, target types, strings for booleans, targetEventHookIds; targets in no fixed order",
    source: 'okta.md §1.2',
    certainty: 'certain',
  },
  oktaEventTexts: {
    behaviour: 'Display messages, legacy types and targets of events without a published sample; the admin who acts',
    source: 'okta.md §1.2',
    certainty: 'inferred',
  },
  oktaEventTypes: {
    behaviour: 'Only the event types listed as eligible may be subscribed to',
    source: 'okta.md §1.1',
    certainty: 'certain',
  },
  oktaStatusEvents: {
    behaviour:
      'Which status change tells which user.lifecycle event; LOCKED_OUT, PASSWORD_EXPIRED, RECOVERY, STAGED and PROVISIONED tell none',
    source: 'okta.md §1.1 lists the types',
    certainty: 'inferred',
  },
  oktaDeactivationMemberships: {
    behaviour:
      'Who is deactivated stays in the groups, or leaves them with an event each where `deactivationRemovesMemberships` is set',
    source: 'okta.md §7: unknown',
    certainty: 'inferred',
  },
  oktaAppGroupEvents: {
    behaviour: 'Membership of a group of an app is told by app.user_management, as a JOB',
    source: 'okta.md §1.1',
    certainty: 'inferred',
  },
  oktaGroupDeletion: {
    behaviour: 'A deleted group tells group.lifecycle.delete and nothing of its members',
    source: 'none',
    certainty: 'inferred',
  },
  oktaUserDeletion: {
    behaviour:
      'A deleted user tells user.lifecycle.delete.initiated and leaves the groups without an event each; only who is DEPROVISIONED can be deleted',
    source: 'okta.md §1.1 lists the type',
    certainty: 'inferred',
  },
  oktaDelivery: {
    behaviour:
      'A hook has 3 s and one retry, on timeout and 5xx, none on 4xx; redirects are not followed; 400,000 events a day, 25 active hooks; only ACTIVE and VERIFIED hooks hear',
    source: 'okta.md §1.1',
    certainty: 'certain',
  },
  oktaHookUnreachable: {
    behaviour:
      'A receiver that cannot be reached counts as a timeout; a retry carries the same eventId; a verification is retried after any failure',
    source: 'okta.md §1.1 for timeouts',
    certainty: 'inferred',
  },
  oktaBatches: {
    behaviour:
      'Up to 10 events that wait go out in one POST, one POST at a time, in order, unless set otherwise; changed hooks count at once; the daily limit is counted by the event and UTC day',
    source: 'okta.md §1.1: batched, late, unordered, without numbers',
    certainty: 'inferred',
  },
  oktaVerificationHeader: {
    behaviour: 'The secret header is sent on the verification GET too',
    source: 'okta.md §1.1, §7: not said',
    certainty: 'inferred',
  },
  oktaHookOnLoopback: {
    behaviour: 'Hooks need HTTPS, but for 127.0.0.1 and localhost',
    source: "Okta's Management API specification 2026.06.3 for the rule",
    certainty: 'inferred',
  },
  oktaHookDeletion: {
    behaviour: 'An ACTIVE hook is not deleted (403 E0000006); another URL makes it UNVERIFIED',
    source: 'okta.md §1.1 for the URL',
    certainty: 'inferred',
  },
} as const satisfies Record<string, Fact>;

/** ExoHelper records the text, not its status (facts.concurrencyText). */
export const CONCURRENCY_STATUS = 500;
