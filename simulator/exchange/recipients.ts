import type { View } from '../tenant/directory.ts';
import type { Contact, Group, User } from '../tenant/model.ts';
import type { World } from '../world.ts';
import { cmdletError, types } from './errors.ts';

/** What Exchange has an address for. */
export type RecipientObject = Group | User | Contact;

export interface Recipient<T extends RecipientObject = RecipientObject> {
  readonly object: T;
  readonly typeDetails: string;
  readonly name: string;
  readonly alias: string;
  readonly guid: string;
  readonly distinguishedName: string;
  readonly primarySmtpAddress: string;
  readonly emailAddresses: readonly string[];
}

export const isDistributionGroup = (recipient: Recipient): recipient is Recipient<Group> =>
  recipient.object.type === 'group' &&
  ['MailUniversalDistributionGroup', 'MailUniversalSecurityGroup', 'RoomList'].includes(recipient.typeDetails);

function typeDetailsOf(object: RecipientObject): string | null {
  if (object.type === 'contact') return 'MailContact';
  return object.type === 'group' ? (object.exchange?.RecipientTypeDetails ?? null) : object.recipientTypeDetails;
}

export function asRecipient(world: World, object: RecipientObject): Recipient | null {
  const typeDetails = typeDetailsOf(object);
  if (typeDetails === null) return null;
  const alias = object.mailNickname ?? '';
  // Name is unique in Exchange, DisplayName is not; for people the alias stands for it (facts.nameOfPeople).
  const name = object.type === 'group' ? (object.exchange?.Name ?? alias) : alias;
  return {
    object,
    typeDetails,
    name,
    alias,
    guid: world.random.guid(`exchange:${object.id}`),
    distinguishedName: `CN=${name},OU=${world.tenant.initialDomain},OU=Microsoft Exchange Hosted Organizations,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM`,
    primarySmtpAddress:
      object.proxyAddresses.find((address) => address.startsWith('SMTP:'))?.slice(5) ?? object.mail ?? '',
    emailAddresses: object.proxyAddresses,
  };
}

export const recipientsOf = (world: World, view: View): Recipient[] =>
  [...view.values()]
    .filter((object) => object.type === 'user' || object.type === 'group' || object.type === 'contact')
    .map((object) => asRecipient(world, object))
    .filter((recipient) => recipient !== null);

/** Everything an Identity may be: exchange.md §4; the display name is facts.identityByDisplayName. */
function identitiesOf({ object, name, alias, guid, distinguishedName, emailAddresses }: Recipient): string[] {
  const addresses = emailAddresses.map((address) => address.replace(/^smtp:/i, ''));
  const upn = object.type === 'user' ? [object.userPrincipalName] : [];
  return [object.id, guid, name, alias, distinguishedName, object.displayName, ...addresses, ...upn];
}

export function matching<T extends Recipient>(recipients: readonly T[], identity: string): T[] {
  const wanted = identity.replace(/^smtp:/i, '').toLowerCase();
  return recipients.filter((recipient) => identitiesOf(recipient).some((each) => each.toLowerCase() === wanted));
}

export const notFound = (identity: string): Error =>
  cmdletError(
    types.notFound,
    `The operation couldn't be performed because object '${identity}' couldn't be found on 'AM0PR01A001DC001.EURPR01A001.PROD.OUTLOOK.COM'.`,
    404,
  );

/** The one object that an Identity names. */
export function exactlyOne<T extends Recipient>(recipients: readonly T[], identity: string): T {
  const [first, ...more] = matching(recipients, identity);
  if (!first) throw notFound(identity);
  // facts.ambiguousIdentity
  if (more.length > 0)
    throw cmdletError(
      types.ambiguous,
      `The operation couldn't be performed because '${identity}' matches multiple entries.`,
    );
  return first;
}
