import type { Random } from '../random.ts';
import { newContact, newUser } from './defaults.ts';
import type { Contact, User } from './model.ts';
import { directoryRoles } from './roles.ts';

/** [given name, surname, department, job title]: people with a mailbox at contoso.com, the federated domain. */
const staff = [
  ['Amara', 'Osei', 'Sales', 'Head of Sales'],
  ['Bruno', 'Keller', 'Sales', 'Account Manager'],
  ['Chiara', 'Lind', 'Sales', 'Account Manager'],
  ['Daniel', 'Okafor', 'Sales', 'Account Manager'],
  ['Elena', 'Marsh', 'Marketing', 'Head of Marketing'],
  ['Farid', 'Nazari', 'Marketing', 'Designer'],
  ['Grace', 'Tan', 'Marketing', 'Editor'],
  ['Hugo', 'Brandt', 'Finance', 'Head of Finance'],
  ['Ines', 'Varga', 'Finance', 'Controller'],
  ['Jonas', 'Weir', 'Finance', 'Accountant'],
  ['Kaya', 'Demir', 'Engineering', 'Head of Engineering'],
  ['Liam', 'Corrigan', 'Engineering', 'Engineer'],
  ['Mina', 'Sato', 'Engineering', 'Engineer'],
  ['Noel', 'Fischer', 'Engineering', 'Engineer'],
  ['Olga', 'Petrova', 'Engineering', 'Engineer'],
  ['Pedro', 'Alves', 'Engineering', 'Engineer'],
  ['Quinn', 'Harper', 'Engineering', 'Tester'],
  ['Rosa', 'Delgado', 'Support', 'Head of Support'],
  ['Sven', 'Aalto', 'Support', 'Support Agent'],
  ['Tara', 'Nolan', 'Support', 'Support Agent'],
  ['Umar', 'Siddiqui', 'Support', 'Support Agent'],
  ['Vera', 'Kovac', 'Legal', 'Counsel'],
] as const;

/** Managed domain corp.contoso.com. */
const corporate = [
  ['Wade', 'Barton', 'Facilities', 'Facility Manager'],
  ['Xenia', 'Roth', 'Facilities', 'Receptionist'],
  ['Yusuf', 'Amin', 'Human Resources', 'Head of Human Resources'],
  ['Zoe', 'Linden', 'Human Resources', 'Recruiter'],
] as const;

/** Synced from on-premises, with mailbox. */
const synced = [
  ['Anton', 'Berg', 'Production', 'Plant Manager'],
  ['Bella', 'Cruz', 'Production', 'Shift Lead'],
  ['Carl', 'Dahl', 'Production', 'Operator'],
] as const;

const createdDateTime = '2025-03-03T08:00:00Z';

/** Base64 of 16 bytes, as an object GUID of Active Directory gives (graph.md §2.1). */
const immutableId = (random: Random, upn: string): string =>
  Buffer.from(random.guid(`immutableId:${upn}`).replaceAll('-', ''), 'hex').toString('base64');

function person(
  random: Random,
  domain: string,
  row: readonly [string, string, string, string],
  more: Partial<User>,
): User {
  const [givenName, surname, department, jobTitle] = row;
  const userPrincipalName = `${givenName}.${surname}@${domain}`.toLowerCase();
  return newUser({
    id: random.guid(`user:${userPrincipalName}`),
    userPrincipalName,
    displayName: `${givenName} ${surname}`,
    givenName,
    surname,
    department,
    jobTitle,
    mail: userPrincipalName,
    proxyAddresses: [
      `SMTP:${userPrincipalName}`,
      `smtp:${userPrincipalName.replace(/@.*/, '@contoso.onmicrosoft.com')}`,
    ],
    createdDateTime,
    ...more,
  });
}

export function seedUsers(random: Random, nowMs: number): User[] {
  const special = (userPrincipalName: string, displayName: string, more: Partial<User>): User =>
    newUser({ id: random.guid(`user:${userPrincipalName}`), userPrincipalName, displayName, createdDateTime, ...more });
  return [
    ...staff.map((row) => {
      const upn = `${row[0]}.${row[1]}@contoso.com`.toLowerCase();
      return person(random, 'contoso.com', row, { onPremisesImmutableId: immutableId(random, upn) });
    }),
    ...corporate.map((row) => person(random, 'corp.contoso.com', row, {})),
    ...synced.map((row) => {
      const upn = `${row[0]}.${row[1]}@contoso.com`.toLowerCase();
      return person(random, 'contoso.com', row, {
        onPremisesSyncEnabled: true,
        onPremisesImmutableId: immutableId(random, upn),
      });
    }),
    special('front.desk@contoso.com', 'Front Desk', {
      mail: 'front.desk@contoso.com',
      recipientTypeDetails: 'SharedMailbox',
      accountEnabled: false,
    }),
    special('room.aurora@contoso.com', 'Room Aurora', {
      mail: 'room.aurora@contoso.com',
      recipientTypeDetails: 'RoomMailbox',
      accountEnabled: false,
    }),
    special('guest.partner_example.com#EXT#@contoso.onmicrosoft.com', 'Guest Partner', {
      userType: 'Guest',
      mail: 'guest.partner@example.com',
      recipientTypeDetails: 'GuestMailUser',
    }),
    // Its licence is not yet assigned: Exchange knows nothing of this person (exchange.md §4 Members).
    special('new.hire@contoso.com', 'New Hire', { onPremisesImmutableId: immutableId(random, 'new.hire@contoso.com') }),
    special('moments.ago@corp.contoso.com', 'Moments Ago', {
      createdDateTime: new Date(nowMs).toISOString().replace(/\.\d+Z/, 'Z'),
    }),
    special('service.desk@contoso.com', 'Service Desk Admin', {
      mail: 'service.desk@contoso.com',
      directoryRoles: [directoryRoles.helpdeskAdministrator],
    }),
    special('chief.admin@contoso.com', 'Chief Admin', {
      mail: 'chief.admin@contoso.com',
      directoryRoles: [directoryRoles.globalAdministrator],
    }),
    special('break.glass@contoso.onmicrosoft.com', 'Break Glass', {
      directoryRoles: [directoryRoles.globalAdministrator],
    }),
    special('audrey.keys@contoso.com', 'Audrey Keys', { mail: 'audrey.keys@contoso.com' }),
    special('former.colleague@contoso.com', 'Former Colleague', {
      mail: 'former.colleague@contoso.com',
      accountEnabled: false,
    }),
    special('mail.user@contoso.com', 'Mail User', { mail: 'mail.user@example.net', recipientTypeDetails: 'MailUser' }),
  ];
}

export function seedContacts(random: Random): Contact[] {
  const contact = (mail: string, displayName: string): Contact =>
    newContact({ id: random.guid(`contact:${mail}`), mail, displayName });
  return [
    contact('pat.supplier@example.com', 'Pat Supplier'),
    contact('kim.agency@example.com', 'Kim Agency'),
    contact('press.office@example.com', 'Press Office'),
  ];
}
