import type { Call } from '../call.ts';
import { onlyOne, type OktaPerson, type OktaSideReader } from '../identity/oktaSide.ts';
import { textOf } from '../okta/answers.ts';
import type { OktaObject } from '../okta/client.ts';
import type { AttributeValues } from './attribute.ts';
import type { OktaAttributes } from './facts.ts';

export interface OktaReading extends OktaAttributes {
  /** `mobile` of Active Directory, where Okta imported it; undefined: not known. */
  readonly onPremisesMobile: string | undefined;
}

const nobody: OktaReading = {
  userId: null,
  mobilePhone: null,
  office365: null,
  isAppInDoubt: false,
  onPremisesMobile: undefined,
};

/** What Okta has of a user's sensitive attributes. Throws as `OktaSideReader.find` does. */
export async function readOktaAttributes(
  oktaSide: OktaSideReader,
  search: { readonly userPrincipalName: string; readonly oktaAppId: string | null },
  call: Call,
): Promise<OktaReading> {
  const person = await oktaSide.find({ ...search, oktaUserId: null }, call);
  if (person === null) return nobody;
  return {
    userId: person.user.id,
    mobilePhone: textOf(person.user.profile, 'mobilePhone'),
    office365: syncOf(person),
    isAppInDoubt: person.isAppInDoubt,
    onPremisesMobile: onlyOne(person.inDirectories.map(({ profile }) => mobileOf(profile))) ?? undefined,
  };
}

function syncOf({ office365 }: OktaPerson): OktaAttributes['office365'] {
  if (office365 === null) return null;
  const { app, appUser } = office365;
  return {
    appId: app.id,
    appLabel: app.label,
    externalId: appUser.externalId,
    syncState: appUser.syncState,
    lastSync: appUser.lastSync,
    values: valuesIn(appUser.profile),
  };
}

/** Under the name of Active Directory or of Okta (inferred: okta.md §4 names no attribute of this app). */
function mobileOf(profile: OktaObject): string | null {
  return textOf(profile, 'mobilePhone') ?? textOf(profile, 'mobile');
}

/** By Graph's names (inferred, but for mobilePhone: okta.md §5 P16); what is null or absent is not mapped. Pure. */
export function valuesIn(profile: OktaObject): AttributeValues {
  const mobilePhone = textOf(profile, 'mobilePhone');
  const businessPhones = listIn(profile.businessPhones);
  const otherMails = listIn(profile.otherMails);
  const accountEnabled = flagIn(profile.accountEnabled);
  return {
    ...(mobilePhone !== null && { mobilePhone }),
    ...(businessPhones !== null && { businessPhones }),
    ...(otherMails !== null && { otherMails }),
    ...(accountEnabled !== null && { accountEnabled }),
  };
}

/** A list, or one text separated by commas. */
function listIn(value: unknown): string[] | null {
  const entries: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
  const texts = entries.flatMap((entry) => (typeof entry === 'string' ? [entry.trim()] : []));
  const present = texts.filter((text) => text !== '');
  return present.length === 0 ? null : present;
}

function flagIn(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  return value === 'false' ? false : null;
}
