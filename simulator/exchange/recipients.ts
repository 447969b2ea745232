import type { Contact, DirectoryObject, Group, User } from '../tenant/model.ts';
import { untyped } from '../tenant/names.ts';
import type { View } from '../tenant/store.ts';
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

export const isDynamicGroup = (recipient: Recipient): recipient is Recipient<Group> =>
  recipient.object.type === 'group' && recipient.typeDetails === 'DynamicDistributionGroup';

function typeDetailsOf(object: RecipientObject): string | null {
  if (object.type === 'contact') return 'MailContact';
  return object.type === 'group' ? (object.exchange?.RecipientTypeDetails ?? null) : object.recipientTypeDetails;
}

/** The GUID of an object in Exchange from its id in Entra, and back: another one, and found without a search. */
const exchangeGuid = (id: string): string =>
  id.replace(/^[0-9a-f]{8}/, (start) => ((parseInt(start, 16) ^ 0x5a5a5a5a) >>> 0).toString(16).padStart(8, '0'));

/** Whether Exchange knows of it. */
export const isRecipient = (object: DirectoryObject | undefined): object is RecipientObject =>
  (object?.type === 'user' || object?.type === 'contact' || object?.type === 'group') && typeDetailsOf(object) !== null;

export function recipientOf(world: World, object: RecipientObject): Recipient {
  const alias = object.mailNickname ?? '';
  // Name is unique in Exchange, DisplayName is not; for people the alias stands for it (facts.nameOfPeople).
  const name = object.type === 'group' ? (object.exchange?.Name ?? alias) : alias;
  return {
    object,
    typeDetails: typeDetailsOf(object) ?? '',
    name,
    alias,
    guid: exchangeGuid(object.id),
    distinguishedName: `CN=${name},OU=${world.tenant.initialDomain},OU=Microsoft Exchange Hosted Organizations,DC=EURPR01A001,DC=PROD,DC=OUTLOOK,DC=COM`,
    primarySmtpAddress:
      object.proxyAddresses.find((address) => address.startsWith('SMTP:'))?.slice(5) ?? object.mail ?? '',
    emailAddresses: object.proxyAddresses,
  };
}

export function recipientById(world: World, view: View, id: string): Recipient | null {
  const object = view.get(id);
  return isRecipient(object) ? recipientOf(world, object) : null;
}

/** Every recipient, people first. */
export const recipientsOf = (world: World, view: View): Recipient[] =>
  [...view.ofType('user'), ...view.ofType('contact'), ...view.ofType('group')]
    .filter(isRecipient)
    .map((object) => recipientOf(world, object));

/** Entra knows nothing of a dynamic distribution group (graph.md §1.1). */
export const entraIdOf = (recipient: Recipient): string => (isDynamicGroup(recipient) ? '' : recipient.object.id);

/** Everything an Identity may be: exchange.md §4; the display name is facts.identityByDisplayName. */
function identitiesOf(recipient: Recipient): string[] {
  const { object, name, alias, guid, distinguishedName, emailAddresses } = recipient;
  const upn = object.type === 'user' ? [object.userPrincipalName] : [];
  return [
    entraIdOf(recipient),
    guid,
    name,
    alias,
    distinguishedName,
    object.displayName,
    ...emailAddresses.map(untyped),
    ...upn,
  ];
}

const distinguishedNamePattern = /^CN=(.*),OU=[^,]*,OU=Microsoft Exchange Hosted Organizations,/i;

/** Where an identity may lead to, by index: id, GUID, or a name, address or alias. */
function candidates(view: View, identity: string): DirectoryObject[] {
  const name = distinguishedNamePattern.exec(identity)?.[1];
  if (name !== undefined) return view.named(name);
  const byId = [view.get(identity), view.get(exchangeGuid(identity))].filter((object) => object !== undefined);
  return byId.length > 0 ? byId : view.named(identity);
}

/** All recipients that an Identity names. */
export function matching(world: World, view: View, identity: string): Recipient[] {
  const wanted = untyped(identity).toLowerCase();
  return candidates(view, wanted)
    .filter(isRecipient)
    .map((object) => recipientOf(world, object))
    .filter((recipient) => identitiesOf(recipient).some((each) => each.toLowerCase() === wanted));
}

export const notFound = (identity: string): Error =>
  cmdletError(
    types.notFound,
    `The operation couldn't be performed because object '${identity}' couldn't be found on 'AM0PR01A001DC001.EURPR01A001.PROD.OUTLOOK.COM'.`,
    404,
  );

/** The one of these, found by an Identity. */
export function onlyOne<T extends Recipient>(found: readonly T[], identity: string): T {
  const [first, ...more] = found;
  if (!first) throw notFound(identity);
  // facts.ambiguousIdentity
  if (more.length > 0)
    throw cmdletError(
      types.ambiguous,
      `The operation couldn't be performed because '${identity}' matches multiple entries.`,
    );
  return first;
}

export const exactlyOne = (world: World, view: View, identity: string): Recipient =>
  onlyOne(matching(world, view, identity), identity);
