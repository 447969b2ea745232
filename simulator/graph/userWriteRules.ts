import type { DirectoryObject, User } from '../tenant/model.ts';
import { untyped } from '../tenant/names.ts';
import type { GraphContext } from './context.ts';
import { badRequest, type ErrorDetail, type GraphError } from './errors.ts';

// What a changed user may have: its name in a domain of the tenant, its anchor and its addresses nobody else's.

const domainOf = (upn: string): string => upn.slice(upn.lastIndexOf('@') + 1).toLowerCase();

type Unique = 'onPremisesImmutableId' | 'userPrincipalName' | 'proxyAddresses';

/** graph.md §2.1 gives the body for the immutable id; for the others the details are facts.conflictDetails. */
function conflict({ tenant }: GraphContext, property: Unique, holder: DirectoryObject): GraphError {
  const message = `Another object with the same value for property ${property} already exists.`;
  const detail = (code: string, target: string): ErrorDetail => ({ code, message, target });
  const kind = holder.type.charAt(0).toUpperCase() + holder.type.slice(1);
  const details = [detail('ObjectConflict', property), detail('ConflictingObjects', `${kind}_${holder.id}`)];
  return badRequest(message, tenant.settings.userWrites.conflictDetails ? details : []);
}

/** Deleted users who still hold a value of theirs: facts.deletedUsersHold. */
const deletedHolders = ({ tenant, world }: GraphContext, property: Unique): readonly User[] =>
  tenant.settings.userWrites.deletedUsersHold.includes(property) ? tenant.deletedItems.users(world.clock.now()) : [];

const addressesOf = (object: object): string[] =>
  'proxyAddresses' in object && Array.isArray(object.proxyAddresses)
    ? object.proxyAddresses.map((each) => untyped(String(each)).toLowerCase())
    : [];

function refuseHeldImmutableId(context: GraphContext, { id, onPremisesImmutableId }: User): void {
  if (onPremisesImmutableId === null) return;
  const others = [...context.view.ofType('user'), ...deletedHolders(context, 'onPremisesImmutableId')];
  const holder = others.find((other) => other.id !== id && other.onPremisesImmutableId === onPremisesImmutableId);
  if (holder) throw conflict(context, 'onPremisesImmutableId', holder);
}

/** A user principal name is refused too where it is an address of another (facts.userPrincipalNameAsAddress). */
function refuseHeldName(context: GraphContext, { id, userPrincipalName }: User): void {
  const wanted = userPrincipalName.toLowerCase();
  const present = context.view.named(wanted).filter((other) => other.id !== id);
  const isCalled = (other: object): boolean =>
    'userPrincipalName' in other && String(other.userPrincipalName).toLowerCase() === wanted;
  const namesake = [...present, ...deletedHolders(context, 'userPrincipalName')].find(
    (other) => other.id !== id && isCalled(other),
  );
  if (namesake) throw conflict(context, 'userPrincipalName', namesake);
  const addressee = [...present, ...deletedHolders(context, 'proxyAddresses')].find(
    (other) => other.id !== id && addressesOf(other).includes(wanted),
  );
  if (addressee) throw conflict(context, 'proxyAddresses', addressee);
}

/** graph.md §2.3 */
function refuseDomain({ tenant }: GraphContext, { userPrincipalName }: User): void {
  const domain = tenant.domains.find(({ id }) => id === domainOf(userPrincipalName));
  if (domain?.isVerified) return;
  const message =
    'The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.';
  throw badRequest(message, [{ code: 'InvalidValue', message, target: 'userPrincipalName' }]);
}

/** The user as the check of a write sees it: behind by `replicationLagMs.entraChecks` (facts.entraLag). */
function asChecked({ tenant }: GraphContext, target: User): User {
  const found = tenant.entraAsChecked().get(target.id);
  return found?.type === 'user' ? found : target;
}

/** While the name is in a federated domain the anchor stays: graph.md §2.2; the words are facts.federatedAnchorWords. */
function refuseFederatedAnchor({ tenant }: GraphContext, checked: User, changed: User): void {
  const rule = tenant.settings.userWrites.federatedImmutableId;
  if (rule === 'accepted' || !tenant.isFederated(checked.userPrincipalName)) return;
  if (rule === 'refusedOnceSet' && checked.onPremisesImmutableId === null) return;
  throw badRequest(
    changed.onPremisesImmutableId === null
      ? 'You must provide a required property: Parameter name: FederatedUser.SourceAnchor'
      : 'Unable to update parameter. Parameter name: IMMUTABLEID',
  );
}

interface Change {
  readonly target: User;
  readonly checked: User;
  readonly changed: User;
}

/** Into, out of and between federated domains: graph.md §2.3. */
function refuseMove({ tenant }: GraphContext, { target, checked, changed }: Change): void {
  const { federatedNeedsImmutableId, betweenFederatedDomains, leavingFederation } = tenant.settings.userWrites;
  const [from, to] = [checked, changed].map(({ userPrincipalName }) => tenant.isFederated(userPrincipalName));
  const isMove = domainOf(checked.userPrincipalName) !== domainOf(changed.userPrincipalName);
  if (!isMove) return;
  if (from && to && betweenFederatedDomains === 'refused')
    throw badRequest(
      'Unable to update this object because the attribute [FederatedUser.UserPrincipalName], is not valid.',
    );
  const isAnchored = changed.onPremisesImmutableId !== target.onPremisesImmutableId;
  const anchor = isAnchored ? changed.onPremisesImmutableId : checked.onPremisesImmutableId;
  if (to && anchor === null && federatedNeedsImmutableId)
    throw badRequest('You must provide a required property: Parameter name: FederatedUser.SourceAnchor');
  if (from && !to && leavingFederation === 'needsPassword')
    throw badRequest('You must provide a required property: Parameter name: User.PasswordProfile');
}

/** With the addresses that a new user principal name brings: facts.userPrincipalNameInAddresses. */
function withAddress({ tenant }: GraphContext, target: User, changed: User): User {
  const { userPrincipalName: upn, proxyAddresses, recipientTypeDetails } = changed;
  const mode = tenant.settings.userWrites.upnInAddresses;
  if (recipientTypeDetails === null || mode === 'kept' || upn === target.userPrincipalName) return changed;
  const others = proxyAddresses.filter((each) => untyped(each).toLowerCase() !== upn.toLowerCase());
  if (mode === 'added')
    return others.length < proxyAddresses.length
      ? changed
      : { ...changed, proxyAddresses: [...proxyAddresses, `smtp:${upn}`] };
  const secondary = others.map((each) => each.replace(/^SMTP:/, 'smtp:'));
  return { ...changed, mail: upn, proxyAddresses: [`SMTP:${upn}`, ...secondary] };
}

/** The user as it will be, with what follows from the change; or the refusal of the whole. */
export function userChanged(context: GraphContext, target: User, changed: User): User {
  const checked = asChecked(context, target);
  const isAnchored = changed.onPremisesImmutableId !== target.onPremisesImmutableId;
  const isRenamed = changed.userPrincipalName !== target.userPrincipalName;
  if (isAnchored) {
    // graph.md §2.1: one report of null being refused
    if (changed.onPremisesImmutableId === null && context.tenant.settings.userWrites.clearing === 'refused')
      throw badRequest("Invalid value specified for property 'onPremisesImmutableId' of resource 'User'.");
    refuseFederatedAnchor(context, checked, changed);
    refuseHeldImmutableId(context, changed);
  }
  if (isRenamed) {
    refuseDomain(context, changed);
    refuseMove(context, { target, checked, changed });
    refuseHeldName(context, changed);
  }
  return withAddress(context, target, changed);
}

/** Nothing of a user who comes back may be another's: facts.restoreOntoTaken. */
export function refuseTakenUser(context: GraphContext, restored: User): void {
  refuseHeldImmutableId(context, restored);
  refuseHeldName(context, restored);
  const others = (address: string) => context.view.named(address).filter(({ id }) => id !== restored.id);
  for (const address of addressesOf(restored)) {
    const holder = others(address).find((other) => addressesOf(other).includes(address));
    if (holder) throw conflict(context, 'proxyAddresses', holder);
  }
}
