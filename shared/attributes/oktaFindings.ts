import { type AttributeName, isEqual, only, textOfAttribute } from './attribute.ts';
import type { AttributeFacts, OktaAttributes, OktaSync } from './facts.ts';
import type { AttributeFinding } from './findings.ts';

/**
 * Pure. Why Okta did not send these values, which its Office 365 app is meant to provision (okta.md §5 P16).
 * @param names of properties that differ, of which the cloud is the master
 */
export function oktaFindings(facts: AttributeFacts, names: readonly AttributeName[]): AttributeFinding[] {
  if (!facts.okta.known) return [];
  const { value: okta } = facts.okta;
  if (okta.isAppInDoubt) return [];
  if (okta.office365 === null) return [notAssigned(okta, facts, names)];
  const { office365 } = okta;
  const linked = office365.externalId;
  if (linked !== null && isObjectId(linked) && linked.toLowerCase() !== facts.user.id.toLowerCase()) {
    return [linkedElsewhere(office365, linked, facts, names)];
  }
  const isMapped = (name: AttributeName) => office365.values[name] !== undefined;
  const isOther = (name: AttributeName) => {
    const expected = facts.expected[name];
    return expected !== undefined && !isEqual(name, office365.values, expected.value);
  };
  const unmapped = names.filter((name) => isOther(name) && !isMapped(name) && !isStatus(name));
  const byStatus = names.filter((name) => isOther(name) && !isMapped(name) && isStatus(name));
  const others = names.filter((name) => isOther(name) && isMapped(name));
  const sent = names.filter((name) => !isOther(name));
  return [
    ...[unmapped.filter(isNamedBySource), unmapped.filter((name) => !isNamedBySource(name))]
      .filter((some) => some.length > 0)
      .map((some) => notMapped(office365, okta, some)),
    ...(others.length === 0 ? [] : [otherValue(office365, others)]),
    ...(isPushed(office365)
      ? []
      : [notPushed(office365, sent, 'certain'), notPushed(office365, byStatus, 'likely')].flat()),
  ];
}

/** Okta holds it as the status of the user, which no mapping sends. */
function isStatus(name: AttributeName): boolean {
  return name === 'accountEnabled';
}

/** Under what name the app holds it is written down of this one alone (okta.md §5 P16); of others it is inferred. */
function isNamedBySource(name: AttributeName): boolean {
  return name === 'mobilePhone';
}

/** That the external ID is the object id in Entra is inferred (okta.md §4): of anything else nothing is concluded. */
function isObjectId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function isPushed({ syncState, lastSync }: OktaSync): boolean {
  return lastSync !== null && (syncState === null || syncState === 'SYNCHRONIZED');
}

const problem = { severity: 'problem' } as const;
const orWrite = 'or write the value yourself (updateSensitiveAttributes).';

function notAssigned(
  { userId }: OktaAttributes,
  { user }: AttributeFacts,
  names: readonly AttributeName[],
): AttributeFinding {
  return {
    ...problem,
    code: 'okta_not_assigned',
    certainty: 'likely',
    properties: names.join(','),
    message:
      userId === null
        ? 'Nobody in Okta has the user principal name as login: Okta sends nothing.'
        : 'The user is not assigned to the Office 365 app of Okta: Okta sends nothing.',
    fix: `Assign the user to the Office 365 app in Okta, ${orWrite}`,
    evidence: `login ${user.userPrincipalName}; ${userId === null ? 'no user in Okta' : `user ${userId} in Okta`}`,
  };
}

function linkedElsewhere(
  office365: OktaSync,
  linked: string,
  { user }: AttributeFacts,
  names: readonly AttributeName[],
): AttributeFinding {
  return {
    ...problem,
    code: 'okta_linked_elsewhere',
    certainty: 'likely',
    properties: names.join(','),
    message: `Okta's Office 365 app seems to be linked to another account in Entra, ${linked}: what it sends goes there.`,
    fix: `Look that account up in Entra; if it is another, turn "Deactivate Users" of the app in Okta off, since to unassign would disable the account, unassign and assign the user, so that it is linked anew, and turn it on again; ${orWrite}`,
    evidence: `external ID ${linked} in ${nameOf(office365)}; this user is ${user.id}`,
  };
}

function notMapped(office365: OktaSync, okta: OktaAttributes, names: readonly AttributeName[]): AttributeFinding {
  const inOkta = names.includes('mobilePhone')
    ? `; mobilePhone of the user in Okta is ${okta.mobilePhone ?? 'none'}`
    : '';
  const isSure = names.every(isNamedBySource);
  return {
    ...problem,
    code: 'okta_not_mapped',
    certainty: isSure ? 'certain' : 'likely',
    properties: names.join(','),
    message: `The user has no ${names.join(', ')} in the profile of Okta's Office 365 app: there is nothing to send${isSure ? '' : ', unless it goes by another name there'}.`,
    fix: `Map ${names.join(', ')} in Okta (Profile Editor, Okta User to Office 365) and apply the mapping, ${orWrite}`,
    evidence: `profile in ${nameOf(office365)} without ${names.join(', ')}${inOkta}`,
  };
}

function otherValue(office365: OktaSync, names: readonly AttributeName[]): AttributeFinding {
  const values = names.map((name) => `${name} ${textOfAttribute(name, only(name, office365.values)) ?? 'none'}`);
  return {
    ...problem,
    code: 'okta_other_value',
    certainty: 'certain',
    properties: names.join(','),
    message: `Okta sends another value than the expected one: ${values.join(', ')}.`,
    fix: 'Change the profile or the mapping in Okta: what is written here alone would be overwritten by the next push.',
    evidence: `profile in ${nameOf(office365)}: ${values.join(', ')}`,
  };
}

/** @param certainty of what Okta is not seen to have it is merely likely */
function notPushed(
  office365: OktaSync,
  names: readonly AttributeName[],
  certainty: 'certain' | 'likely',
): AttributeFinding[] {
  if (names.length === 0) return [];
  const { syncState, lastSync } = office365;
  const isUnderWay = syncState === 'SYNCING';
  const state = `${syncState ?? 'no sync state'}, last push ${lastSync ?? 'never'}`;
  const finding: AttributeFinding = {
    ...problem,
    code: 'okta_not_pushed',
    certainty,
    properties: names.join(','),
    message: isUnderWay
      ? "Okta is pushing the user's profile at this moment."
      : `${certainty === 'certain' ? 'Okta has the value and has not pushed it' : 'Okta has not pushed the user'}: ${state}.`,
    fix: isUnderWay ? 'Ask again in some minutes.' : `${remedyOf(office365)}, ${orWrite}`,
    evidence: `app user in ${nameOf(office365)}: syncState ${syncState ?? 'none'}, lastSync ${lastSync ?? 'none'}`,
  };
  return [finding];
}

/** Where provisioning is off there is no error to mend. */
function remedyOf({ syncState }: OktaSync): string {
  const change = 'change the profile, since Force Sync alone does nothing';
  return syncState === 'DISABLED'
    ? `Turn provisioning of the app on in Okta (Provisioning, To App: Update User Attributes, Deactivate Users) and ${change}`
    : `Mend the provisioning error of the user in Okta (Dashboard, Tasks) and ${change}`;
}

function nameOf({ appLabel, appId }: OktaSync): string {
  return appLabel === null ? appId : `${appLabel} (${appId})`;
}
