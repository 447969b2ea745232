import type { Standing } from './memberStanding.ts';
import type { ManagedMember, PushPerson } from './people.ts';

/** A member as Graph shows it. */
export interface ActualMember {
  /** Entra object id. */
  readonly id: string;
  /** `user`, `group`, `orgContact`, `device` or `servicePrincipal`. */
  readonly type: string;
  /** For people: an address where there is one. */
  readonly label: string;
  /** UPN and addresses. */
  readonly names: readonly (string | null)[];
}

/** One object that a plan decides on, with all that is known of it. */
export interface Candidate {
  /** Entra object id in lower case. */
  readonly key: string;
  readonly shown: ActualMember | undefined;
  readonly row: ManagedMember | undefined;
  readonly standing: Standing;
  /** Pinned to it. */
  readonly pins: readonly PushPerson[];
}

/** Whether the mapping has added it, or may have, and nothing says that it is gone again. */
export function isManaged(row: ManagedMember | undefined): row is ManagedMember {
  return row !== undefined && row.state !== 'removed';
}

/** Whom an object is a member for, and what it is called. */
export function bearersOf({ shown, row, pins }: Candidate): { oktaUserIds: string[]; names: (string | null)[] } {
  const bearers = [...(isManaged(row) ? [row] : []), ...pins];
  return {
    oktaUserIds: bearers.flatMap(({ oktaUserId }) => oktaUserId ?? []),
    names: [...(shown?.names ?? []), ...bearers.flatMap(({ login, label }) => [login, label])],
  };
}

/** Who is pinned to what, by Entra object id in lower case. */
export function groupPins(people: ReadonlyMap<string, PushPerson>): Map<string, PushPerson[]> {
  const pins = new Map<string, PushPerson[]>();
  for (const person of people.values()) {
    const key = person.entraId?.toLowerCase();
    if (key !== undefined) pins.set(key, [...(pins.get(key) ?? []), person]);
  }
  return pins;
}
