import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { type Fault, isFault } from '../errors.ts';
import type { GraphUserAttributes } from '../graph/userAttributes.ts';
import { sendOnce } from '../groups/openWrite.ts';
import { type AttributeValues, isEqual, namesIn } from './attribute.ts';
import type { AttributeUser } from './facts.ts';

export interface AttributeWriter {
  /**
   * Writes these values in one request; the user as it was read then, which may be behind. A lost answer is read back,
   * and what is then still missing is sent once more (docs/decisions/a-lost-answer-is-read-back.md).
   * @throws Fault `outcome_unknown` when a second answer was lost too, or time was up before it; GraphFault
   */
  ensure(user: AttributeUser, change: AttributeValues, call: Call): Promise<AttributeUser>;
  /** null: not shown. Throws as Graph's reads do. */
  look(userId: string, call: Call): Promise<AttributeUser | null>;
}

interface Sent {
  readonly after: AttributeUser;
  /** null: it was carried out. */
  readonly openFault: Fault | null;
}

export function createAttributeWriter(dependencies: {
  readonly userAttributes: GraphUserAttributes;
  readonly audit: Audit;
}): AttributeWriter {
  const { userAttributes, audit } = dependencies;

  /** As it is now, or as it was when that cannot be read: a failed proof is no failed write. */
  async function readAfter(before: AttributeUser, call: Call): Promise<AttributeUser> {
    try {
      return (await userAttributes.find(before.id, call)) ?? before;
    } catch (error) {
      if (isFault(error)) return before;
      throw error;
    }
  }

  function send(user: AttributeUser, change: AttributeValues, call: Call): Promise<Sent> {
    const names = namesIn(change);
    const valuesOf = (values: AttributeValues) => Object.fromEntries(names.map((name) => [name, values[name]]));
    const intent = {
      operation: 'PATCH /users/{id}',
      targetType: 'user' as const,
      targetId: user.id,
      targetName: user.userPrincipalName,
      before: valuesOf(user),
      planned: change,
    };
    return audit.record<Sent>(intent, call, async () => {
      const { upstreamRequestId, openFault } = await sendOnce(() => userAttributes.update(user.id, change, call), call);
      const after = await readAfter(user, call.proving());
      const isProven = openFault === null || names.every((name) => isEqual(name, after, change));
      const state = isProven ? ('succeeded' as const) : ('unknown' as const);
      return {
        result: { after, openFault: isProven ? null : openFault },
        state,
        after: valuesOf(after),
        upstreamRequestId,
      };
    });
  }

  return {
    look: (userId, call) => userAttributes.find(userId, call),

    ensure: async (user, change, call) => {
      const first = await send(user, change, call);
      if (first.openFault === null) return first.after;
      if (call.deadline.signal.aborted) throw first.openFault;
      try {
        const second = await send(first.after, change, call);
        if (second.openFault !== null) throw second.openFault;
        return second.after;
      } catch (error) {
        // A second try that is refused does not tell what became of the first.
        throw isFault(error) ? first.openFault : error;
      }
    },
  };
}
