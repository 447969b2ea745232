import { severities } from '../identity/diagnosis.ts';
import type { Reading } from '../identity/facts.ts';
import {
  attributeNames,
  type AttributeName,
  isEqual,
  isMasteredOnPremises,
  mayWrite,
  narrowestPermissions,
  textOfAttribute,
} from './attribute.ts';
import type { AttributeFacts, OktaSync, StandingFacts, TargetStanding } from './facts.ts';
import { type AttributeFinding, type CauseFinding, certainties, type Certainty, isCause } from './findings.ts';
import { oktaFindings } from './oktaFindings.ts';
import { describeOwn, describeTarget, isAdministeredByUs, judgeRoles } from './standing.ts';

/** How the actual value of a property compares with the expected one. */
export const attributeComparisons = ['equal', 'different', 'expected_unknown'] as const;
export type AttributeComparison = (typeof attributeComparisons)[number];

export interface AttributeDiagnosis {
  /** The likeliest cause first, then what else is to be known. */
  readonly findings: readonly AttributeFinding[];
  /** The likeliest cause; null: all is as it should be, or nobody knows what should be. */
  readonly cause: CauseFinding | null;
}

/** Pure. */
export function compareAttribute(name: AttributeName, { user, expected }: AttributeFacts): AttributeComparison {
  const expectation = expected[name];
  if (expectation === undefined) return 'expected_unknown';
  return isEqual(name, user, expectation.value) ? 'equal' : 'different';
}

/** Pure. */
export function differingNames(facts: Pick<AttributeFacts, 'user' | 'expected'>): AttributeName[] {
  return attributeNames.filter((name) => {
    const expectation = facts.expected[name];
    return expectation !== undefined && !isEqual(name, facts.user, expectation.value);
  });
}

/** Pure. Where the facts allow more than one cause all are there, ranked by how sure each is. */
export function diagnoseAttributes(facts: AttributeFacts): AttributeDiagnosis {
  const names = differingNames(facts);
  if (names.length === 0) return { findings: [...settled(facts), ...notChecked(facts, [])], cause: null };
  const inCloud = names.filter((name) => !isMasteredOnPremises(name, facts.user));
  const onPremises = names.filter((name) => isMasteredOnPremises(name, facts.user));
  const causes = [
    ...listedAsProtected(facts, names),
    ...(inCloud.length === 0 ? [] : [...refusals(facts, inCloud), ...oktaFindings(facts, inCloud)]),
    ...(onPremises.length === 0 ? [] : mastered(facts, onPremises)),
  ];
  const unchecked = notChecked(facts, causes);
  const unexplained = names.filter((name) => !causes.some((cause) => isAbout(cause, name)));
  const others = unexplained.length === 0 ? [] : [differs(facts, unexplained, unchecked.length > 0)];
  const findings = [...rank([...causes, ...others]), ...unchecked];
  return { findings, cause: findings.find(isCause) ?? null };
}

/** Pure. Why Graph would refuse us these properties of a user that is mastered in the cloud. */
export function refusals(facts: StandingFacts, names: readonly AttributeName[]): CauseFinding[] {
  return [...permissionMissing(facts, names), ...restricted(facts, names), ...roleMissing(facts, names)];
}

/** Pure. Whether a finding is about this property. */
export function isAbout({ properties }: AttributeFinding, name: AttributeName): boolean {
  return properties.split(',').includes(name);
}

/** Pure. The diagnosis in one sentence or two; more than one cause is never told as one. */
export function summaryOf({ findings, cause }: AttributeDiagnosis): string {
  if (cause === null) return findings[0]?.message ?? '';
  const causes = findings.filter(isCause);
  if (causes.length === 1) return cause.message;
  const certain = causes.filter(({ certainty }) => certainty === 'certain').length;
  const how = certain === causes.length ? 'all of them certain' : `${certain} of them certain`;
  return `${causes.length} causes fit, ${how}; the likeliest: ${cause.message}`;
}

function rank(findings: readonly AttributeFinding[]): AttributeFinding[] {
  const placeOf = ({ certainty, severity }: AttributeFinding) =>
    certainties.indexOf(certainty) * severities.length + severities.indexOf(severity);
  return [...findings].sort((a, b) => placeOf(a) - placeOf(b));
}

const thenWrite = 'then write the value (updateSensitiveAttributes).';

function settled(facts: AttributeFacts): AttributeFinding[] {
  const { expected, user } = facts;
  const known = attributeNames.filter((name) => expected[name] !== undefined);
  const info = { certainty: 'certain', properties: known.join(',') } as const;
  if (known.length > 0) {
    return [
      {
        ...info,
        code: 'equal',
        severity: 'info',
        message: 'Every value that is expected is there.',
        fix: 'Nothing is to be done.',
        evidence: known.map((name) => `${name} ${textOfAttribute(name, user) ?? 'none'}`).join('; '),
      },
    ];
  }
  return [
    {
      ...info,
      code: 'expected_unknown',
      severity: 'warning',
      message: 'What the values should be is not known: none was given, and Okta does not say.',
      fix: facts.okta.known
        ? `Give ${attributeNames.join(', ')} as they should be, or map them in Okta's Office 365 app.`
        : `Give ${attributeNames.join(', ')} as they should be. To have Okta asked: ${facts.okta.why.fix}`,
      evidence: facts.okta.known ? describeOkta(facts.okta.value.office365) : facts.okta.why.message,
    },
  ];
}

function listedAsProtected({ user, isProtected }: AttributeFacts, names: readonly AttributeName[]) {
  if (!isProtected) return [];
  const finding: AttributeFinding = {
    code: 'protected_user',
    severity: 'blocker',
    certainty: 'certain',
    properties: names.join(','),
    message: 'The user is listed in PROTECTED_USERS: this app does not write it.',
    fix: 'Change it by hand, or take it off PROTECTED_USERS.',
    evidence: `PROTECTED_USERS lists ${user.userPrincipalName}`,
  };
  return [finding];
}

function permissionMissing({ own }: StandingFacts, names: readonly AttributeName[]): CauseFinding[] {
  const lacking = own === null ? [] : names.filter((name) => !mayWrite(name, own.permissions));
  if (own === null || lacking.length === 0) return [];
  const narrowest = [...new Set(lacking.flatMap(narrowestPermissions))].join(' and ');
  return [
    {
      code: 'permission_missing',
      severity: 'blocker',
      certainty: 'certain',
      properties: lacking.join(','),
      message: `This app lacks the Graph permission to write ${lacking.join(', ')}.`,
      fix: `Grant ${narrowest}, or User.ReadWrite.All (Microsoft Graph, application permissions), with admin consent to service principal ${own.id}; ${thenWrite}`,
      evidence: `the token has ${own.permissions.length === 0 ? 'no permission' : own.permissions.join(', ')}`,
    },
  ];
}

function restricted({ user, privilege, own }: StandingFacts, names: readonly AttributeName[]): CauseFinding[] {
  if (!user.isManagementRestricted || privilege === null || own === null) return [];
  const target = privilege.known ? privilege.value : null;
  if (target !== null && isAdministeredByUs(target, own)) return [];
  const units =
    target?.units.known === true ? target.units.value.filter(({ isRestricted }) => isRestricted !== false) : [];
  const unitNames = units.map(({ id, name }) => name ?? id).join(', ');
  const over = unitNames === '' ? 'that unit' : unitNames;
  const role = (target === null ? null : judgeRoles(target, own).leastRole) ?? 'User Administrator';
  return [
    {
      code: 'management_restricted',
      severity: 'blocker',
      certainty: units.length > 0 && own.assignments.known ? 'certain' : 'likely',
      properties: names.join(','),
      message: `The user is in a restricted management administrative unit${unitNames === '' ? '' : ` (${unitNames})`}: only who holds a role over that very unit may write it.`,
      fix: `Assign the role ${role} over ${over} to service principal ${own.id}, or take the user out of the unit; ${thenWrite}`,
      evidence: `isManagementRestricted true of ${user.userPrincipalName}; ${describeOwn(own)}`,
    },
  ];
}

function roleMissing({ user, privilege, own }: StandingFacts, names: readonly AttributeName[]): CauseFinding[] {
  if (privilege?.known !== true || own === null) return [];
  const { mayWrite: verdict, leastRole } = judgeRoles(privilege.value, own);
  if (verdict === 'yes' || leastRole === null) return [];
  const doubt =
    verdict === 'no'
      ? 'and the service principal of this app does not hold it'
      : `and the service principal of this app may not hold it: ${own.assignments.known ? 'whether what the user has counts is not documented, or could not be read' : 'its roles could not be read'}`;
  return [
    {
      code: 'role_missing',
      severity: 'blocker',
      certainty: verdict === 'no' ? 'certain' : 'likely',
      properties: names.join(','),
      message: `The user is privileged: writing it takes the role ${leastRole} at least, ${doubt}. Okta's own app is under the same rule.`,
      fix: `Assign the Entra role ${leastRole} to service principal ${own.id}; ${thenWrite} Or have an administrator with that role do it by hand.`,
      evidence: `${user.userPrincipalName} has ${describeTarget(privilege.value)}; ${describeOwn(own)}`,
    },
  ];
}

/** Of a user mastered on-premises: where the value got stuck. */
function mastered(facts: AttributeFacts, names: readonly AttributeName[]): AttributeFinding[] {
  const findings: AttributeFinding[] = [];
  const mobile = facts.expected.mobilePhone;
  const reading = mobile === undefined || !names.includes('mobilePhone') ? null : readMobile(facts);
  const others = names.filter((name) => name !== 'mobilePhone');
  if (reading?.override) findings.push(overridden(facts, reading.override));
  const wrongThere = reading?.onPremises ? names : others;
  if (wrongThere.length > 0) findings.push(synced(facts, wrongThere, reading?.onPremises ?? 'certain'));
  return findings;
}

/** How sure each of the two causes of a synced mobile phone is; null: ruled out. */
interface MobileReading {
  readonly onPremises: Certainty | null;
  readonly override: Certainty | null;
}

/**
 * Graph shows neither the value on-premises nor whether the cloud overrides it (graph.md §3): what Active Directory has
 * tells the two apart, and a tenant that bypasses overrides has none.
 */
function readMobile({ user, expected, onPremisesMobile, bypassesOverrides }: AttributeFacts): MobileReading {
  if (bypassesOverrides?.known === true && bypassesOverrides.value) return { onPremises: 'certain', override: null };
  const isOffSure = bypassesOverrides?.known === true;
  if (onPremisesMobile === null) return { onPremises: 'likely', override: 'possible' };
  const there = { mobilePhone: onPremisesMobile.value };
  const isInCloud = isEqual('mobilePhone', user, there);
  if (isInCloud) return { onPremises: 'certain', override: null };
  const override = isOffSure ? 'likely' : 'possible';
  const isAsExpected = isEqual('mobilePhone', there, expected.mobilePhone?.value ?? {});
  return { onPremises: isAsExpected ? null : 'certain', override };
}

function synced(facts: AttributeFacts, names: readonly AttributeName[], certainty: Certainty): AttributeFinding {
  const { user } = facts;
  const isBypassed = facts.bypassesOverrides?.known === true && facts.bypassesOverrides.value;
  return {
    code: 'synced_from_on_premises',
    severity: 'blocker',
    certainty,
    properties: names.join(','),
    message: `The user is mastered in on-premises Active Directory: Graph refuses to write ${names.join(', ')}, and Okta's push fails alike${names.includes('accountEnabled') ? ' (accountEnabled it may take, and the sync decides it all the same)' : ''}. ${certainty === 'certain' ? 'The value there is not the expected one, or has not been synced yet.' : 'Either the value there is not the expected one or has not been synced yet, or the cloud overrides it.'}`,
    fix: `Change ${names.map((name) => `${onPremisesNames[name]} to ${textOfAttribute(name, facts.expected[name]?.value ?? {}) ?? 'none'}`).join(', ')} in Active Directory and run a sync cycle (Start-ADSyncSyncCycle -PolicyType Delta)${certainty === 'certain' ? '' : '; to be sure which it is, give onPremisesMobilePhone as Active Directory has it'}.`,
    evidence: `onPremisesSyncEnabled true, last synced ${user.lastSyncedAt ?? 'never'}; ${describeOnPremises(facts)}${isBypassed ? '; bypassDirSyncOverridesEnabled is on' : ''}`,
  };
}

function overridden(facts: AttributeFacts, certainty: Certainty): AttributeFinding {
  const { user } = facts;
  const isOff = facts.bypassesOverrides?.known === true;
  const doubts = [
    ...(facts.onPremisesMobile === null
      ? ['nothing that could be read tells this from a value that is wrong there']
      : []),
    ...(isOff ? [] : ['whether it is off could not be read']),
    'a value that was changed there and has not been synced yet looks the same',
  ];
  return {
    code: 'overridden_in_cloud',
    severity: 'blocker',
    certainty,
    properties: 'mobilePhone',
    message: `The mobile phone seems to have been edited in the cloud: from then on Entra ignores what on-premises Active Directory says, while bypassDirSyncOverridesEnabled is off; ${doubts.join('; ')}.`,
    fix: 'Run a sync cycle first (Start-ADSyncSyncCycle -PolicyType Delta) and ask again: what waits there comes with it. If the phone stays, turn bypassDirSyncOverridesEnabled on (setBypassDirSyncOverrides: it is for the whole tenant, and overwrites all such phones), and run a full cycle (-PolicyType Initial).',
    evidence: `onPremisesSyncEnabled true, last synced ${user.lastSyncedAt ?? 'never'}; Entra has ${textOfAttribute('mobilePhone', user) ?? 'none'}; ${describeOnPremises(facts)}; bypassDirSyncOverridesEnabled ${isOff ? 'is off' : 'is not known'}`,
  };
}

/** The attributes of Active Directory, as Entra Connect reads them. */
const onPremisesNames: Readonly<Record<AttributeName, string>> = {
  accountEnabled: 'userAccountControl (accountEnabled)',
  mobilePhone: 'mobile',
  businessPhones: 'telephoneNumber',
  otherMails: 'otherMails',
};

function describeOnPremises({ onPremisesMobile }: AttributeFacts): string {
  if (onPremisesMobile === null) return 'mobile on-premises is not known';
  const { value, source } = onPremisesMobile;
  return `mobile on-premises is ${value ?? 'none'} (${source === 'given' ? 'given by the request' : "as Okta's Active Directory integration has it"})`;
}

function differs(facts: AttributeFacts, names: readonly AttributeName[], isUnchecked: boolean): AttributeFinding {
  const { user, own } = facts;
  const office365 = facts.okta.known ? facts.okta.value.office365 : null;
  const target = facts.privilege?.known === true ? facts.privilege.value : null;
  const leastRole = target === null || own === null ? null : judgeRoles(target, own).leastRole;
  const values = names.map((name) => {
    const actual = textOfAttribute(name, user) ?? 'none';
    return `${name} is ${actual}, expected ${textOfAttribute(name, facts.expected[name]?.value ?? {}) ?? 'none'}`;
  });
  const privileges = target === null || leastRole === null ? [] : [`the user has ${describeTarget(target)}`];
  return {
    code: 'differs',
    severity: 'problem',
    certainty: isUnchecked ? 'possible' : 'likely',
    properties: names.join(','),
    message: `Nothing that could be read stands in the way of ${names.join(', ')}: it was changed in Entra afterwards, or Okta's own app was refused${leastRole === null ? '' : ', since the user is privileged'}.`,
    fix: `Write the value (updateSensitiveAttributes), or change the user's profile in Okta, so that Okta pushes again: Force Sync alone does nothing.${leastRole === null ? '' : ` Okta's app needs the Entra role ${leastRole} for that.`}`,
    evidence: [...values, describeOkta(office365), ...privileges].join('; '),
  };
}

function describeOkta(office365: OktaSync | null): string {
  if (office365 === null) return 'no Office 365 app of Okta is known to have the user';
  const { appLabel, appId, syncState, lastSync } = office365;
  return `${appLabel ?? appId} of Okta: ${syncState ?? 'no sync state'}, last push ${lastSync ?? 'never'}`;
}

function appInDoubt({ okta, user }: AttributeFacts): Reading<never> | null {
  if (!okta.known || !okta.value.isAppInDoubt) return null;
  const message = `several Office 365 apps have ${user.userPrincipalName}, and not one alone is for its domain`;
  const fix = 'Give oktaAppId, the id of the Office 365 app in Okta that is meant (0oa…).';
  return { known: false, why: { code: 'okta_object_not_found', message, fix } };
}

/** What could not be read, and which permission opens it. */
interface Unread {
  readonly what: string;
  readonly reading: Reading<unknown> | null | undefined;
  readonly permission?: string;
}

/** @param causes found: what bears on none of them is not told */
function notChecked(facts: AttributeFacts, causes: readonly AttributeFinding[]): AttributeFinding[] {
  const target: TargetStanding | null = facts.privilege?.known === true ? facts.privilege.value : null;
  const isOverrideInDoubt = causes.some(({ code }) => code === 'overridden_in_cloud');
  const readings: readonly Unread[] = [
    { what: 'What Okta has of the user', reading: facts.okta },
    { what: 'What Okta sends to the user', reading: appInDoubt(facts) },
    { what: 'Whether the user is privileged', reading: facts.privilege, permission: 'RoleManagement.Read.Directory' },
    {
      what: 'For which roles the user is eligible',
      reading: target?.eligibleRoleIds,
      permission: 'RoleEligibilitySchedule.Read.Directory',
    },
    {
      what: 'Which administrative units the user is in',
      reading: target?.units,
      permission: 'AdministrativeUnit.Read.All',
    },
    ...(target?.roles ?? []).map(({ unit }) => ({
      what: 'Whether a role of the user is over a restricted unit',
      reading: unit,
      permission: 'AdministrativeUnit.Read.All',
    })),
    {
      what: 'Which roles the service principal of this app has',
      reading: facts.own?.assignments,
      permission: 'RoleManagement.Read.Directory',
    },
    {
      what: 'Whether the sync overwrites what is edited in the cloud',
      reading: isOverrideInDoubt ? facts.bypassesOverrides : null,
      permission: 'OnPremDirectorySynchronization.Read.All',
    },
  ];
  return readings.flatMap(({ what, reading, permission }) => {
    // To work without Okta's API is a choice.
    if (reading === null || reading === undefined || reading.known || reading.why.code === 'okta_api_required')
      return [];
    const { code, message, fix } = reading.why;
    const isGrant = permission !== undefined && code === 'graph_permission_missing';
    return [
      {
        code: 'not_checked',
        severity: 'warning',
        certainty: 'certain',
        properties: '',
        message: `${what} could not be read.`,
        fix: isGrant
          ? `Grant the app ${permission} (Microsoft Graph, application permission) with admin consent.`
          : fix,
        evidence: `${code}: ${message}`,
      },
    ];
  });
}
