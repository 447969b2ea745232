import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { faultTable } from '../../shared/errors.ts';
import { graphFault, type GraphRequestLine, isGraphFault } from '../../shared/graph/errors.ts';

const group = '0a1b2c3d-0000-4000-8000-00000000000a';
const user = '0a1b2c3d-0000-4000-8000-00000000000b';
const lines = {
  get: { method: 'GET', path: `/groups/${group}`, label: 'GET' },
  create: { method: 'POST', path: '/groups', label: 'POST' },
  patch: { method: 'PATCH', path: `/groups/${group}`, label: 'PATCH' },
  add: { method: 'POST', path: `/groups/${group}/members/$ref`, label: 'ADD' },
  remove: { method: 'DELETE', path: `/groups/${group}/members/${user}/$ref`, label: 'REMOVE' },
  restore: { method: 'POST', path: `/directory/deletedItems/${group}/restore`, label: 'RESTORE' },
  patchUser: { method: 'PATCH', path: `/users/${user}`, label: 'PATCH' },
} as const satisfies Record<string, GraphRequestLine>;

const refused = (line: GraphRequestLine, status: number, message: string, code = 'Request_BadRequest') =>
  graphFault(line, { status, requestId: 'their-id', text: JSON.stringify({ error: { code, message } }) });

/** The words of graph.md §1.4. */
const missing = (id: string) =>
  `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`;
const already = "One or more added object references already exist for the following modified properties: 'members'.";
const absent = "One or more removed object references do not exist for the following modified properties: 'members'.";
const mastered =
  'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.';
const mailEnabled = 'Cannot Update a mail-enabled security groups and or distribution list.';
const external =
  'Unable to update the specified properties for objects that have originated within an external service.';
const creation =
  'The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.';
const notYet = "The source resource object or one of the objects being referenced don't exist.";
const quota = "… would exceed the maximum quota count '100' for forward-link property 'owners'.";
const owner = 'The group must have at least one owner, hence this owner cannot be removed.';
const taken = 'Another object with the same value for property mailNickname already exists.';
const restricted = 'Target object is a member of a restricted management administrative unit and can only …';
const dynamic = 'Cannot add or remove members of a group with dynamic membership.';
const wrongKind = "The reference target 'Group_x' of type 'Group' is of an invalid type for the 'members' reference.";
const privileges = 'Insufficient privileges to complete the operation.';

describe('what Graph refuses', () => {
  test.each([
    ['patch', 400, already, 'alreadyLinked', 'upstream_rejected'],
    ['add', 400, already, 'alreadyLinked', 'upstream_rejected'],
    ['remove', 400, absent, 'notLinked', 'upstream_rejected'],
    ['remove', 404, missing(user), 'notLinked', 'upstream_rejected'],
    ['remove', 404, missing(group), 'groupMissing', 'group_not_found'],
    ['add', 404, missing(user), 'objectMissing', 'member_not_found'],
    ['add', 404, missing(group), 'groupMissing', 'group_not_found'],
    ['patch', 404, missing(user), 'objectMissing', 'member_not_found'],
    ['create', 404, missing(user), 'objectMissing', 'member_not_found'],
    ['restore', 404, missing(group), 'groupMissing', 'group_not_found'],
    ['remove', 404, 'Not found.', 'notFound', 'upstream_rejected'],
    ['add', 404, missing('someone'), 'notFound', 'upstream_rejected'],
    ['get', 404, missing(group), 'notFound', 'upstream_rejected'],
    ['patchUser', 404, missing(user), 'notFound', 'upstream_rejected'],
    ['add', 400, notYet, 'notReplicated', 'not_replicated'],
    ['patch', 400, mailEnabled, 'mailEnabledGroup', 'kind_not_supported'],
    ['patch', 403, mailEnabled, 'mailEnabledGroup', 'kind_not_supported'],
    ['patch', 400, external, 'mailEnabledGroup', 'kind_not_supported'],
    ['create', 400, creation, 'mailEnabledGroup', 'kind_not_supported'],
    ['patch', 400, mastered, 'onPremisesMastered', 'on_premises_synced'],
    ['patch', 403, quota, 'quotaExceeded', 'quota_exceeded'],
    ['remove', 400, owner, 'lastOwner', 'last_owner'],
    ['create', 400, taken, 'propertyConflict', 'address_in_use'],
    ['patch', 403, restricted, 'managementRestricted', 'management_restricted'],
    ['add', 400, dynamic, 'dynamicMembership', 'dynamic_membership'],
    ['add', 400, wrongKind, 'objectKindNotAllowed', 'member_kind_not_allowed'],
    ['patch', 403, privileges, 'forbidden', 'graph_permission_missing'],
    ['patch', 400, 'Something new.', 'rejected', 'upstream_rejected'],
  ] as const)('to %s with %i "%s" is %s', (line, status, message, kind, code) => {
    for (const text of [message, message.toUpperCase().replaceAll(/'[^']+'/g, (quoted) => quoted.toLowerCase())]) {
      const fault = refused(lines[line], status, text);
      expect([fault.kind, fault.code]).toEqual([kind, code]);
      expect(fault.upstreamRequestId).toBe('their-id');
      expect(isGraphFault(fault, kind)).toBe(true);
    }
  });

  test('names what is to be granted: more for a write than for a read', () => {
    expect(refused(lines.get, 403, privileges).fix).toContain('Group.Read.All');
    expect(refused(lines.add, 403, privileges).fix).toMatch(/Group\.ReadWrite\.All.*GroupMember\.ReadWrite\.All/);
  });

  test('for a value that another object has is known by its details as well, and names the holder', () => {
    const withDetails = (details: unknown) => {
      const error = { code: 'Request_BadRequest', message: 'One or more properties conflict.', details };
      return graphFault(lines.patchUser, { status: 400, requestId: 'x', text: JSON.stringify({ error }) });
    };
    const said = 'Another object with the same value for property onPremisesImmutableId already exists.';
    const conflict = withDetails([
      { code: 'ObjectConflict', message: said, target: 'onPremisesImmutableId' },
      { code: 'ConflictingObjects', message: said, target: `User_${group}` },
    ]);
    expect(conflict.kind).toBe('propertyConflict');
    expect(conflict.message).toMatch(new RegExp(`properties conflict\\. Held by User_${group}\\.$`));
    for (const details of [null, 'none', [null, {}, { code: 'ObjectConflict' }, { code: 'Other', message: said }]]) {
      expect(withDetails(details)).toMatchObject({
        kind: 'rejected',
        message: expect.stringMatching(/properties conflict\.$/),
      });
    }
  });

  test('is told apart by the id alone, in whatever case', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.boolean(), (one, other, isUpper) => {
        fc.pre(one !== other);
        const line = { ...lines.add, path: `/groups/${isUpper ? one.toUpperCase() : one}/members/$ref` };
        expect(refused(line, 404, missing(isUpper ? one : one.toUpperCase())).kind).toBe('groupMissing');
        expect(refused(line, 404, missing(other)).kind).toBe('objectMissing');
      }),
    );
  });

  test('is a refusal whatever it says, and never "all is well"', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(lines)),
        fc.integer({ min: 300, max: 499 }),
        fc.string(),
        (line, status, text) => {
          const fault = graphFault(line, { status, text, requestId: 'x' });
          expect(['alreadyLinked', 'notLinked']).not.toContain(fault.kind);
          expect(Object.keys(faultTable)).toContain(fault.code);
        },
      ),
    );
  });
});
