import type { Call } from '../call.ts';
import type { OktaSideReader } from '../identity/oktaSide.ts';
import { textOf } from '../okta/answers.ts';
import { type Candidate, type OktaPhone, rowOf, type UserRow } from './standing.ts';

export interface OktaPhones {
  /**
   * The candidates as rows, in their order, compared with what Okta would push where its API is configured.
   * @param oktaAppId the Office 365 app; null: found for each user
   * @throws OktaFault, Fault `okta_object_not_found` for an app that is no Office 365 app
   */
  compare(candidates: readonly Candidate[], oktaAppId: string | null, call: Call): Promise<UserRow[]>;
}

/** Each takes some calls, one after the other. */
const comparedAtOnce = 5;

export function createOktaPhones(dependencies: {
  okta: { readonly isConfigured: boolean };
  oktaSide: Pick<OktaSideReader, 'find'>;
}): OktaPhones {
  const { okta, oktaSide } = dependencies;

  async function phoneOf({ now }: Candidate, oktaAppId: string | null, call: Call): Promise<OktaPhone> {
    // Of others Okta's phone decides nothing.
    if (!okta.isConfigured || now?.isSynced !== true) return { type: 'notCompared' };
    const { userPrincipalName } = now;
    const person = await oktaSide.find({ userPrincipalName, oktaUserId: null, oktaAppId }, call);
    if (person === null) return { type: 'notAssigned', oktaUserId: null };
    const oktaUserId = person.user.id;
    // What it would push is in one of several apps.
    if (person.isAppInDoubt) return { type: 'notCompared' };
    if (person.office365 === null) return { type: 'notAssigned', oktaUserId };
    const { app, appUser } = person.office365;
    return { type: 'assigned', oktaUserId, oktaAppId: app.id, mobilePhone: textOf(appUser.profile, 'mobilePhone') };
  }

  return {
    compare: async (candidates, oktaAppId, call) => {
      const rows: UserRow[] = [];
      for (let start = 0; start < candidates.length; start += comparedAtOnce) {
        const some = candidates.slice(start, start + comparedAtOnce);
        const compared = some.map(async (candidate) => rowOf(candidate, await phoneOf(candidate, oktaAppId, call)));
        rows.push(...(await Promise.all(compared)));
      }
      return rows;
    },
  };
}
