import type { PhonedUser } from '../graph/syncedUsers.ts';

/** How a phone stands between the cloud, Okta and what was remembered. All pure. */

/** What Okta's Office 365 app has for a user. */
export type OktaPhone =
  | { readonly type: 'notCompared' }
  | { readonly type: 'notAssigned'; readonly oktaUserId: string | null }
  | {
      readonly type: 'assigned';
      readonly oktaUserId: string;
      readonly oktaAppId: string;
      /** What it would push; null: nothing. */
      readonly mobilePhone: string | null;
    };

export const standingCodes = [
  'differs',
  'equal',
  'not_compared',
  'no_phone_in_okta',
  'not_in_okta',
  'not_synced',
  'gone',
] as const;
export type StandingCode = (typeof standingCodes)[number];

/** A user as it was found, if it was; `former` is undefined where nothing was remembered. */
export interface Candidate {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  readonly former: string | null | undefined;
  /** null: nobody has this id any more. */
  readonly now: PhonedUser | null;
}

export interface UserRow {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  /** Before the switch; null: none, or not remembered. */
  readonly formerPhone: string | null;
  readonly mobilePhone: string | null;
  /** Whether it is another than before the switch; null: not remembered. */
  readonly overwritten: boolean | null;
  readonly oktaPhone: string | null;
  readonly oktaUserId: string | null;
  readonly oktaAppId: string | null;
  readonly code: StandingCode;
  /** Whether a change of the user in Okta is due, so that Okta pushes again. */
  readonly touch: boolean;
  readonly message: string;
}

const standings: Readonly<Record<StandingCode, { readonly touch: boolean; readonly message: string }>> = {
  differs: {
    touch: true,
    message:
      "Okta has another phone than Entra: change a mapped attribute of the user's Office 365 profile in Okta, so that Okta pushes again; Force Sync does nothing without a change.",
  },
  equal: { touch: false, message: 'Entra has the phone that Okta has.' },
  not_compared: {
    touch: true,
    message:
      'What Okta has is not known: change a mapped attribute of the user there, where Okta shall push the phone again.',
  },
  no_phone_in_okta: { touch: false, message: 'Okta has no phone to push for the user.' },
  not_in_okta: { touch: false, message: 'No Office 365 app of Okta has the user.' },
  not_synced: { touch: false, message: 'The user is no longer mastered on-premises.' },
  gone: { touch: false, message: 'The user is no longer in Entra.' },
};

export function rowOf(candidate: Candidate, okta: OktaPhone): UserRow {
  const { id, userPrincipalName, displayName, former, now } = candidate;
  const code = codeOf(candidate, okta);
  return {
    id,
    userPrincipalName: now?.userPrincipalName ?? userPrincipalName,
    displayName: now?.displayName ?? displayName,
    formerPhone: former ?? null,
    mobilePhone: now?.mobilePhone ?? null,
    overwritten: former === undefined || now === null ? null : former !== now.mobilePhone,
    oktaPhone: okta.type === 'assigned' ? okta.mobilePhone : null,
    oktaUserId: okta.type === 'notCompared' ? null : okta.oktaUserId,
    oktaAppId: okta.type === 'assigned' ? okta.oktaAppId : null,
    code,
    ...standings[code],
  };
}

function codeOf({ now }: Candidate, okta: OktaPhone): StandingCode {
  if (now === null) return 'gone';
  if (!now.isSynced) return 'not_synced';
  if (okta.type === 'notCompared') return 'not_compared';
  if (okta.type === 'notAssigned') return 'not_in_okta';
  if (okta.mobilePhone === null) return 'no_phone_in_okta';
  // As it is written: Entra takes any text for a phone.
  return okta.mobilePhone === now.mobilePhone ? 'equal' : 'differs';
}
