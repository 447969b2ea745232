import type { Call } from '../call.ts';
import type { FaultCode } from '../errors.ts';
import type { DirectoryObject, GraphDirectoryObjects, UserKey } from '../graph/directoryObjects.ts';
import type { MatchedBy, PushPerson } from './people.ts';
import type { Match, PushMatcher } from './pushMatcher.ts';
import type { PushSource, SourceAccount, SourcePerson } from './source.ts';

export interface PushMatcherDependencies {
  readonly source: Pick<PushSource, 'accounts'>;
  readonly directoryObjects: Pick<GraphDirectoryObjects, 'lookUpUsers'>;
}

/** What is known of somebody before Entra is asked. */
interface Known {
  readonly person: SourcePerson;
  /** null: not matched yet. */
  readonly pin: Pin | null;
  /** null: has none, or it was not read. */
  readonly account: SourceAccount | null;
}

type Pin = PushPerson & { readonly entraId: string };

/** Settled without Entra, or to be judged by whom Entra has under a key. */
type Step =
  | { readonly type: 'settled'; readonly match: Match }
  | { readonly type: 'ask'; readonly key: UserKey; readonly judge: (users: readonly DirectoryObject[]) => Match };

export function createPushMatcher({ source, directoryObjects }: PushMatcherDependencies): PushMatcher {
  /** What came of each lookup. @throws the fault of one that failed: who is not found must be known not to be there */
  async function find(keys: readonly UserKey[], call: Call): Promise<(readonly DirectoryObject[])[]> {
    const lookups = await directoryObjects.lookUpUsers(keys, call);
    return lookups.map((lookup) => {
      if (lookup.type === 'failed') throw lookup.fault;
      return lookup.objects;
    });
  }

  return {
    match: async (people, pins, oktaAppId, { verifyPins }, call) => {
      const pinned = people.map((person) => ({ person, pin: pinOf(pins.get(person.id)) }));
      const doubtful = pinned.filter(({ person, pin }) => pin === null || verifyPins || isRenamed(person, pin));
      const ids = doubtful.map(({ person }) => person.id);
      const accounts = oktaAppId === null || ids.length === 0 ? null : await source.accounts(oktaAppId, ids, call);

      const matches = new Map<string, Match>();
      const questions: (Step & { readonly type: 'ask'; readonly personId: string })[] = [];
      for (const { person, pin } of pinned) {
        const step = stepFor({ person, pin, account: accounts?.get(person.id) ?? null });
        if (step.type === 'settled') matches.set(person.id, step.match);
        else questions.push({ ...step, personId: person.id });
      }
      const found = await find(
        questions.map(({ key }) => key),
        call,
      );
      for (const [index, { personId, judge }] of questions.entries()) {
        const users = found[index];
        if (users === undefined) throw new RangeError('a question without its answer');
        matches.set(personId, judge(users));
      }
      return matches;
    },
  };
}

function pinOf(person: PushPerson | undefined): Pin | null {
  if (person === undefined || person.entraId === null) return null;
  return { ...person, entraId: person.entraId.toLowerCase() };
}

/** A user principal name is the same in any letters. */
function isRenamed({ login }: SourcePerson, pin: Pin): boolean {
  return login.toLowerCase() !== pin.login.toLowerCase();
}

function stepFor(known: Known): Step {
  const { person, pin, account } = known;
  if (pin === null) return stepForUnknown(person, account);
  const externalId = account?.externalId ?? null;
  const isConfirmed = externalId === pin.entraId;
  if (externalId !== null && !isConfirmed) {
    return { type: 'settled', match: changed(person, pin, externalId, 'its user of the Office 365 app points at') };
  }
  if (!isRenamed(person, pin)) {
    return { type: 'settled', match: matched(pin.entraId, pin.label, isConfirmed ? 'externalId' : matchedByOf(pin)) };
  }
  return stepForRenamed(person, pin, account, isConfirmed);
}

function stepForUnknown(person: SourcePerson, account: SourceAccount | null): Step {
  const externalId = account?.externalId ?? null;
  if (externalId !== null) {
    const judge = ([user]: readonly DirectoryObject[]): Match =>
      user === undefined ? pointsNowhere(person, externalId) : matched(user.id, labelOf(user), 'externalId');
    return { type: 'ask', key: { id: externalId }, judge };
  }
  const upn = upnOf(person, account);
  const judge = ([user, ...others]: readonly DirectoryObject[]): Match => {
    if (user === undefined) return unknownUpn(person, upn);
    if (others.length > 0) return ambiguousUpn(person, upn, others.length + 1);
    return matched(user.id, labelOf(user), 'userPrincipalName');
  };
  return { type: 'ask', key: { userPrincipalName: upn }, judge };
}

/** The new name is looked up, also for its address: it may be somebody else's in Entra, or not be there yet. */
function stepForRenamed(person: SourcePerson, pin: Pin, account: SourceAccount | null, isConfirmed: boolean): Step {
  const matchedBy = isConfirmed ? 'externalId' : matchedByOf(pin);
  const upn = upnOf(person, account);
  const judge = (users: readonly DirectoryObject[]): Match => {
    const same = users.find(({ id }) => id.toLowerCase() === pin.entraId);
    const [another] = users;
    if (same === undefined && another !== undefined) {
      return changed(person, pin, another.id, `Entra has ${upn} as`);
    }
    return matched(pin.entraId, same === undefined ? pin.label : labelOf(same), matchedBy);
  };
  return { type: 'ask', key: isConfirmed ? { id: pin.entraId } : { userPrincipalName: upn }, judge };
}

/** Never the address: whom an alias leads to is another matter (design §6.6). */
function upnOf({ login }: SourcePerson, account: SourceAccount | null): string {
  return account?.userPrincipalName ?? login;
}

function matchedByOf({ matchedBy }: Pin): MatchedBy {
  return matchedBy ?? 'userPrincipalName';
}

function labelOf({ id, mail, userPrincipalName }: DirectoryObject): string {
  return mail ?? userPrincipalName ?? id;
}

function matched(entraId: string, label: string, matchedBy: MatchedBy): Match {
  return { type: 'matched', entraId: entraId.toLowerCase(), label, matchedBy };
}

function changed({ login }: SourcePerson, pin: Pin, entraId: string, how: string): Match {
  const message = `${login} was matched with ${pin.label} (${pin.entraId}), and now ${how} ${entraId.toLowerCase()}. The old match holds until a push with "repin" accepts the new one.`;
  return { type: 'changed', code: 'match_changed', message };
}

function pointsNowhere({ login }: SourcePerson, externalId: string): Match {
  return failed(
    'member_not_found',
    `The user of the Office 365 app of ${login} points at ${externalId}, which Entra does not have; provision it again in Okta, or unassign the app and assign it anew.`,
  );
}

function unknownUpn({ login }: SourcePerson, upn: string): Match {
  const whose = upn === login ? '' : ` for ${login}`;
  return failed(
    'member_not_found',
    `Entra has no user with the user principal name ${upn}${whose}; create that user, or correct the name in Okta: other addresses of a user do not count.`,
  );
}

function ambiguousUpn({ login }: SourcePerson, upn: string, count: number): Match {
  return failed(
    'ambiguous_member',
    `Entra has ${count} users with the user principal name ${upn}, and ${login} may be any of them; assign the Office 365 app to that user in Okta, and give its id as oktaAppId.`,
  );
}

function failed(code: FaultCode, message: string): Match {
  return { type: 'failed', code, message };
}
