import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, isFault } from '../errors.ts';
import { readBack } from '../groups/readBack.ts';
import {
  type AttributeName,
  type AttributeValues,
  isEqual,
  isMasteredOnPremises,
  namesIn,
  textOfAttribute,
} from './attribute.ts';
import {
  type AttributeRow,
  type AttributeUpdateOutcome,
  groupsOf,
  inOrder,
  isNotSet,
  judgeAttributes,
  type NotSet,
  type NotSetRow,
} from './attributeChange.ts';
import type { AttributeWriter } from './attributeWriter.ts';
import type { AttributeUser } from './facts.ts';
import type { AttributeReader, Standing } from './readAttributes.ts';
import { isRefusal, refusedBeforehand, refusedByGraph } from './refusals.ts';

export interface AttributeUpdateRequest {
  /** Object id or user principal name. */
  readonly user: string;
  /** Only what is named is written. */
  readonly change: AttributeValues;
  /** The user principal name, as a sign that this user is meant; asked for to disable the account. */
  readonly confirm: string | null;
  readonly isDryRun: boolean;
}

export interface AttributeUpdate {
  readonly outcome: AttributeUpdateOutcome;
  readonly changed: boolean;
  readonly message: string;
  /** As it was read last. */
  readonly user: AttributeUser;
  /** One for each property that the request names. */
  readonly rows: readonly AttributeRow[];
}

export interface AttributeUpdater {
  /**
   * Brings the named properties to the values given; only what differs is written, and shown to be. Safe to repeat.
   * @throws Fault `invalid_request`, `member_not_found`, `confirm_mismatch`, `protected_object`; where none of them is as
   *   asked for or may be the fault of the first one: `graph_permission_missing`, `role_missing`, `management_restricted`,
   *   `on_premises_synced`, `upstream_rejected`; upstream faults. Once something was written, faults are told row by row
   */
  update(request: AttributeUpdateRequest, call: Call): Promise<AttributeUpdate>;
}

export interface AttributeUpdaterDependencies {
  readonly attributeReader: AttributeReader;
  readonly attributeWriter: AttributeWriter;
  readonly clock: Clock;
}

/** null: Graph took it. */
type Ends = ReadonlyMap<AttributeName, NotSet | null>;

export function createAttributeUpdater(dependencies: AttributeUpdaterDependencies): AttributeUpdater {
  const { attributeReader, attributeWriter, clock } = dependencies;

  /** Group by group; a refusal of one leaves the others their chance. @throws Fault that is no refusal, before any write */
  async function write(
    user: AttributeUser,
    standing: Standing,
    change: AttributeValues,
    names: readonly AttributeName[],
    call: Call,
  ): Promise<{ readonly ends: Ends; readonly shown: AttributeUser }> {
    const ends = new Map<AttributeName, NotSet | null>();
    const end = (group: readonly AttributeName[], endOf: (name: AttributeName) => NotSet | null) => {
      for (const name of group) ends.set(name, endOf(name));
    };
    let shown = user;
    let obstacle: Fault | null = null;
    for (const group of groupsOf(names)) {
      const earlier = obstacle;
      if (earlier !== null) {
        end(group, () => notAttempted(earlier));
        continue;
      }
      try {
        shown = await attributeWriter.ensure(shown, pick(group, change), call);
        end(group, () => null);
      } catch (error) {
        if (!isFault(error)) throw error;
        if (isRefusal(error)) end(group, (name) => refusedByGraph(name, user, standing, error));
        else if (isFault(error, 'outcome_unknown')) end(group, () => unknown(error));
        else {
          if (![...ends.values()].some(mayBeThere)) throw error;
          obstacle = error;
          end(group, () => failed(error));
        }
      }
    }
    return { ends, shown };
  }

  /** What was sent, as it shows: looked for until it does, or some seconds are over. */
  async function prove(shown: AttributeUser, sent: AttributeValues, call: Call): Promise<AttributeUser> {
    const shows = (user: AttributeUser) => namesIn(sent).every((name) => isEqual(name, user, sent));
    if (shows(shown)) return shown;
    const look = (proof: Call) => attributeWriter.look(shown.id, proof);
    return (await readBack(look, shows, clock, call.proving())) ?? shown;
  }

  return {
    update: async ({ user: identity, change, confirm, isDryRun }, call) => {
      const names = namesIn(change);
      if (names.length === 0) throw nothingNamed();
      const user = await attributeReader.user(identity, call);
      refuseUnconfirmed(user, change, confirm, isDryRun);
      if (await attributeReader.isProtected(user, call)) throw protectedUser(user);

      const differing = names.filter((name) => !isEqual(name, user, change));
      const inCloud = differing.filter((name) => !isMasteredOnPremises(name, user));
      const standing = inCloud.length === 0 ? null : await attributeReader.standing(user, inCloud, call);
      const refused = new Map<AttributeName, NotSet>();
      for (const name of differing) {
        const refusal = refusedBeforehand(name, user, standing);
        if (refusal !== null) refused.set(name, refusal);
      }
      const sendable = inCloud.filter((name) => !refused.has(name));
      const rowOf = (name: AttributeName) => describe(name, user, change);
      const settled = [
        ...names.filter((name) => !differing.includes(name)).map((name) => rowOf(name).as('unchanged')),
        ...[...refused].map(([name, refusal]) => rowOf(name).not(refusal)),
      ];
      if (isDryRun || standing === null || sendable.length === 0) {
        return conclude(user, [...settled, ...sendable.map((name) => rowOf(name).as('would_set'))]);
      }

      const { ends, shown } = await write(user, standing, change, sendable, call);
      const open = sendable.filter((name) => mayBeThere(ends.get(name)));
      const latest = await prove(shown, pick(open, change), call);
      const written = [...ends].map(([name, end]) => {
        if (mayBeThere(end) && isEqual(name, latest, change)) return rowOf(name).as('set');
        return rowOf(name).not(end ?? notShown(name, latest));
      });
      return conclude(latest, [...settled, ...written]);
    },
  };
}

/** @param end undefined: it was not sent */
function mayBeThere(end: NotSet | null | undefined): boolean {
  return end === null || end?.outcome === 'pending';
}

function pick(names: readonly AttributeName[], values: AttributeValues): AttributeValues {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

/** Makes the row of one property, as what became of it. */
function describe(property: AttributeName, user: AttributeUser, change: AttributeValues) {
  const values = {
    property,
    before: textOfAttribute(property, user) ?? '',
    after: textOfAttribute(property, change) ?? '',
  };
  return {
    as: (outcome: keyof typeof rowMessages): AttributeRow => {
      return { ...values, outcome, cause: null, code: outcome, message: rowMessages[outcome], fix: null };
    },
    not: (end: NotSet): AttributeRow => ({ ...values, ...end }),
  };
}

const rowMessages = {
  set: 'It was set.',
  unchanged: 'It is as asked for.',
  would_set: 'It would be set.',
} as const;

/** Whether it was, or may have been. */
function isWritten({ outcome }: AttributeRow): boolean {
  return outcome === 'set' || outcome === 'pending';
}

/** @throws Fault of the first that was refused, where nothing is or would be as asked for */
function conclude(user: AttributeUser, all: readonly AttributeRow[]): AttributeUpdate {
  const rows = inOrder(all);
  const outcome = judgeAttributes(rows);
  const changed = rows.some(isWritten);
  const [first, ...others] = rows.filter(isNotSet);
  // Where a part is as asked for, a repeat has the rows that the first request had.
  if (first !== undefined && !changed && rows.every(isNotSet)) throw nothingWritten(user, [first, ...others]);
  return { outcome, changed, message: sentences[outcome](user.userPrincipalName, rows), user, rows };
}

const sentences: Readonly<Record<AttributeUpdateOutcome, (label: string, rows: readonly AttributeRow[]) => string>> = {
  updated: (label, rows) => `${label} was changed: ${propertiesOf(rows, ({ outcome }) => outcome === 'set')}.`,
  unchanged: (label) => `${label} is as asked for.`,
  partial: (label, rows) =>
    `${label} ${rows.some(isWritten) ? 'was changed' : 'is as asked for'} in part; not set: ${propertiesOf(rows, isNotSet)}.`,
  pending: (label, rows) =>
    `${label} was changed, which does not show yet: ${propertiesOf(rows, isNotSet)}. Repeat the request.`,
  planned: (label, rows) => {
    const refused = propertiesOf(rows, isNotSet);
    const would = propertiesOf(rows, ({ outcome }) => outcome === 'would_set');
    return `${label} would be changed: ${would}.${refused === '' ? '' : ` Not: ${refused}.`}`;
  },
};

function propertiesOf(rows: readonly AttributeRow[], fits: (row: AttributeRow) => boolean): string {
  return rows
    .filter(fits)
    .map(({ property }) => property)
    .join(', ');
}

function notAttempted({ message }: Fault): NotSet {
  return {
    outcome: 'failed',
    cause: null,
    code: 'not_attempted',
    message: `It was not tried, since a write before it failed: ${message}`,
    fix: 'Repeat the request: it writes only what is missing.',
  };
}

function failed({ code, message, fix }: Fault): NotSet {
  return { outcome: 'failed', cause: null, code, message, fix };
}

function unknown({ code, message, fix }: Fault): NotSet {
  return { outcome: 'pending', cause: null, code, message, fix };
}

function notShown(name: AttributeName, shown: AttributeUser): NotSet {
  return {
    outcome: 'pending',
    cause: null,
    code: 'not_replicated',
    message: `Graph took it, and shows ${textOfAttribute(name, shown) ?? 'none'} still.`,
    fix: 'Repeat the request in a minute: it looks first at what is there and writes only what is missing.',
  };
}

/** An update of nothing is a mistake in a flow, which would otherwise read as success for ever. */
function nothingNamed(): Fault {
  const fix = 'Give at least one of accountEnabled, mobilePhone, businessPhones and otherMails.';
  return new Fault('invalid_request', {
    detail: 'The request names nothing to change.',
    fix,
    errors: [{ pointer: '', message: 'must have a property besides confirm and dryRun', fix }],
  });
}

/** A dry run may be asked for without it. @throws Fault `confirm_mismatch` */
function refuseUnconfirmed(
  { userPrincipalName, accountEnabled }: AttributeUser,
  change: AttributeValues,
  confirm: string | null,
  isDryRun: boolean,
): void {
  if (confirm?.toLowerCase() === userPrincipalName.toLowerCase()) return;
  const disables = change.accountEnabled === false && accountEnabled;
  if (confirm === null && (isDryRun || !disables)) return;
  throw new Fault('confirm_mismatch', {
    detail:
      confirm === null
        ? `${userPrincipalName} could no longer sign in, which asks for confirm. Nothing was changed.`
        : `confirm is "${confirm}", and the user is ${userPrincipalName}. Nothing was changed.`,
    fix: `Check that this user is meant, and give confirm as ${userPrincipalName}.`,
  });
}

function protectedUser({ userPrincipalName }: AttributeUser): Fault {
  return new Fault('protected_object', {
    detail: `${userPrincipalName} is listed in PROTECTED_USERS: this app does not write it. Nothing was changed.`,
    fix: 'Change the user by hand, or take it off PROTECTED_USERS.',
  });
}

function nothingWritten({ userPrincipalName }: AttributeUser, refused: readonly [NotSetRow, ...NotSetRow[]]): Fault {
  const [{ code, fix }] = refused;
  return new Fault(code, {
    detail: `Nothing was written to ${userPrincipalName}. ${refused.map(({ property, message }) => `${property}: ${message}`).join(' ')}`,
    fix,
    errors: refused.map(({ property, message, fix }) => ({ pointer: `/${property}`, message, fix })),
  });
}
