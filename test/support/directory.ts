import type { Contact, Group, User } from '../../simulator/tenant/model.ts';
import type { SimulatorControl } from './control.ts';
import type { JsonObject } from './world.ts';

type Plain<Object> = Omit<Object, 'type'>;
export type TenantGroup = Plain<Group>;
type TenantUser = Plain<User>;
type TenantContact = Plain<Contact>;

/** The simulated tenant, typed. Groups are as Exchange has them where it has them. */
interface Directory {
  users: TenantUser[];
  contacts: TenantContact[];
  groups: TenantGroup[];
}

export async function directoryOf(control: SimulatorControl): Promise<Directory> {
  return (await control.state()) as unknown as Directory;
}

export async function groupsNamed(control: SimulatorControl, displayName: string): Promise<TenantGroup[]> {
  return (await directoryOf(control)).groups.filter((group) => group.displayName === displayName);
}

/** The one group with this primary address. */
export async function groupAt(control: SimulatorControl, mail: string): Promise<TenantGroup> {
  const found = (await directoryOf(control)).groups.filter((group) => group.mail === mail);
  return one(found, `group ${mail}`);
}

export async function isGone(control: SimulatorControl, mail: string): Promise<boolean> {
  return !(await directoryOf(control)).groups.some((group) => group.mail === mail);
}

/** The seed's people and groups, found by what they are and not by what they are called. */
export interface Cast {
  /** UPNs of members with a mailbox in the cloud, who hold no role. */
  staff: readonly string[];
  /** Object id of each of `staff`. */
  idOf: (upn: string) => string;
  shared: string;
  guest: { mail: string; userPrincipalName: string; id: string };
  contact: { mail: string; id: string };
  /** A user that Exchange does not know. */
  withoutMailbox: string;
  /** A mail user whose UPN is none of its addresses. */
  oddUpn: { userPrincipalName: string; mail: string; id: string };
  unified: TenantGroup;
  syncedList: TenantGroup;
  syncedSecurity: TenantGroup;
  roomList: TenantGroup;
  roleAssignable: TenantGroup;
  dynamic: TenantGroup;
  restricted: TenantGroup;
  /** In Entra alone, with nothing else to it. */
  security: TenantGroup;
  dynamicDistribution: TenantGroup;
  /** Two lists of one display name. */
  twins: readonly [TenantGroup, TenantGroup];
}

export async function readCast(control: SimulatorControl): Promise<Cast> {
  const { users, contacts, groups } = await directoryOf(control);
  const staff = users.filter(
    (user) =>
      user.userType === 'Member' &&
      user.recipientTypeDetails === 'UserMailbox' &&
      user.accountEnabled &&
      user.directoryRoles.length === 0 &&
      user.onPremisesSyncEnabled === null,
  );
  const user = (what: string, fits: (each: TenantUser) => boolean) => one(users.filter(fits).slice(0, 1), what);
  const group = (what: string, fits: (each: TenantGroup) => boolean) => one(groups.filter(fits).slice(0, 1), what);
  const details = (each: TenantGroup) => each.exchange?.RecipientTypeDetails;
  const guest = user('guest', (each) => each.recipientTypeDetails === 'GuestMailUser');
  const odd = user('mail user', (each) => each.recipientTypeDetails === 'MailUser');
  const contact = one(contacts.slice(0, 1), 'contact');
  const twin = group('twin', (each) => groups.some((other) => other !== each && isTwin(each, other)));
  const other = group('other twin', (each) => each !== twin && isTwin(each, twin));
  return {
    staff: staff.map(({ userPrincipalName }) => userPrincipalName),
    idOf: (upn) => one(users.filter(({ userPrincipalName }) => userPrincipalName === upn).slice(0, 1), upn).id,
    shared: user('shared mailbox', (each) => each.recipientTypeDetails === 'SharedMailbox').userPrincipalName,
    guest: { mail: guest.mail ?? '', userPrincipalName: guest.userPrincipalName, id: guest.id },
    contact: { mail: contact.mail, id: contact.id },
    withoutMailbox: user(
      'user without mailbox',
      (each) => each.recipientTypeDetails === null && each.directoryRoles.length === 0,
    ).userPrincipalName,
    oddUpn: { userPrincipalName: odd.userPrincipalName, mail: odd.mail ?? '', id: odd.id },
    unified: group('Microsoft 365 group', (each) => details(each) === 'GroupMailbox'),
    syncedList: group(
      'synced list',
      (each) => each.onPremisesSyncEnabled === true && details(each) === 'MailUniversalDistributionGroup',
    ),
    syncedSecurity: group(
      'synced mail-enabled security group',
      (each) => each.onPremisesSyncEnabled === true && details(each) === 'MailUniversalSecurityGroup',
    ),
    roomList: group('room list', (each) => details(each) === 'RoomList'),
    roleAssignable: group('role-assignable group', (each) => each.isAssignableToRole === true),
    dynamic: group('dynamic group', (each) => each.groupTypes.includes('DynamicMembership')),
    restricted: group('restricted group', (each) => each.isManagementRestricted === true),
    security: group(
      'security group',
      (each) =>
        !each.mailEnabled &&
        each.groupTypes.length === 0 &&
        each.members.length > 0 &&
        !each.isAssignableToRole &&
        !each.isManagementRestricted &&
        !each.onPremisesSyncEnabled,
    ),
    dynamicDistribution: group('dynamic distribution group', (each) => details(each) === 'DynamicDistributionGroup'),
    twins: [twin, other],
  };
}

function isTwin(left: TenantGroup, right: TenantGroup): boolean {
  return left.mailEnabled && right.mailEnabled && left.displayName === right.displayName;
}

function one<Item>(items: readonly Item[], what: string): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new Error(`The tenant has ${items.length} of: ${what}`);
  return item;
}

/** What a cmdlet was sent with. */
export function parametersOf(row: { requestBody: unknown } | undefined): JsonObject {
  const body = row?.requestBody as { CmdletInput?: { Parameters?: JsonObject } } | null | undefined;
  const parameters = body?.CmdletInput?.Parameters;
  if (parameters === undefined) throw new Error(`The journal row is no cmdlet: ${JSON.stringify(row)}`);
  return parameters;
}

/** How many commands each `$batch` of this cmdlet held, in the order sent. */
export async function batchSizes(control: SimulatorControl, cmdlet: string): Promise<number[]> {
  const batches = await control.calls({ path: '/$batch' });
  return batches
    .map(({ requestBody }) => JSON.stringify(requestBody).split(`"CmdletName":"${cmdlet}"`).length - 1)
    .filter((size) => size > 0);
}
