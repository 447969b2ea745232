import type { Call } from '../call.ts';
import type { GraphUsers } from '../graph/users.ts';
import { isListed } from './protection.ts';

/** Whether PROTECTED_USERS lists whoever has these names: ids, UPNs and addresses. */
export type ProtectionTest = (names: readonly (string | null)[]) => boolean;

export interface ProtectedUsers {
  /**
   * The test for one call. An entry that is a UPN or an address protects the object it belongs to, whatever name of it
   * a request uses: such entries are looked up in Entra once a call.
   */
  test(call: Call): Promise<ProtectionTest>;
}

/** @param list of ids, UPNs and addresses, with `*` as wildcard */
export function createProtectedUsers(list: readonly string[], graphUsers: GraphUsers): ProtectedUsers {
  const tests = new WeakMap<Call, Promise<ProtectionTest>>();

  async function createTest(call: Call): Promise<ProtectionTest> {
    const ids: string[] = [];
    for (const entry of list.filter((each) => !each.includes('*'))) {
      const user = await graphUsers.find(entry, call);
      if (user !== null) ids.push(user.id);
    }
    const entries = [...list, ...ids];
    return (names) => isListed(entries, names);
  }

  return {
    test: (call) => {
      const test = tests.get(call) ?? createTest(call);
      tests.set(call, test);
      // What failed may succeed for the next who asks.
      test.catch(() => tests.delete(call));
      return test;
    },
  };
}
