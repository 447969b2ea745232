import type { Fault, FaultCode } from '../errors.ts';
import { GraphFault, isGraphFault } from '../graph/errors.ts';
import { type AttributeName, isMasteredOnPremises } from './attribute.ts';
import type { NotSet } from './attributeChange.ts';
import { refusals } from './diagnosis.ts';
import type { AttributeUser } from './facts.ts';
import { type CauseCode, type CauseFinding, certainties } from './findings.ts';
import type { Standing } from './readAttributes.ts';

/** Why a property is not written: by what is known beforehand, and by what Graph says. All pure. */

type Reason = Pick<CauseFinding, 'message' | 'fix'>;

/** What each cause is as a fault. */
const codes: Readonly<Partial<Record<CauseCode, FaultCode>>> = {
  permission_missing: 'graph_permission_missing',
  role_missing: 'role_missing',
  management_restricted: 'management_restricted',
  synced_from_on_premises: 'on_premises_synced',
};

/** null where nothing that is known for certain stands in the way. */
export function refusedBeforehand(name: AttributeName, user: AttributeUser, standing: Standing | null): NotSet | null {
  if (isMasteredOnPremises(name, user)) return refused('synced_from_on_premises', masteredBeforehand(name, user));
  const found = standing === null ? [] : explain(name, user, standing);
  const certain = found.find(({ certainty }) => certainty === 'certain');
  return certain === undefined ? null : refusedFor(certain);
}

/** Whether Graph judged the write, rather than who sends it, or when. */
export function isRefusal(fault: Fault): fault is GraphFault {
  return fault instanceof GraphFault && !isGraphFault(fault, 'unauthorized');
}

/** What Graph's refusal of one property comes to, the likeliest cause first. */
export function refusedByGraph(
  name: AttributeName,
  user: AttributeUser,
  standing: Standing,
  fault: Pick<GraphFault, 'kind' | 'code' | 'message' | 'fix'>,
): NotSet {
  const said = fault.message;
  const found = explain(name, user, standing);
  if (fault.kind === 'onPremisesMastered') return refused('synced_from_on_premises', mastered(user), said);
  if (fault.kind === 'managementRestricted') {
    const finding = found.find(({ code }) => code === 'management_restricted') ?? restrictedByGraph;
    return refused('management_restricted', finding, said);
  }
  if (fault.kind === 'forbidden') {
    const [likeliest] = found;
    return likeliest === undefined ? unexplained(standing, said) : refusedFor(likeliest, said);
  }
  return { outcome: 'refused', cause: null, code: fault.code, message: said, fix: fault.fix };
}

function explain(name: AttributeName, user: AttributeUser, { own, privilege }: Standing): CauseFinding[] {
  return refusals({ user, own, privilege }, [name]).sort(
    (a, b) => certainties.indexOf(a.certainty) - certainties.indexOf(b.certainty),
  );
}

function refusedFor(finding: CauseFinding, said?: string): NotSet {
  return refused(finding.code, finding, said);
}

function refused(cause: CauseCode, { message, fix }: Reason, said?: string): NotSet {
  const code = codes[cause] ?? 'upstream_rejected';
  return { outcome: 'refused', cause, code, message: said === undefined ? message : `${said} ${message}`, fix };
}

function mastered({ lastSyncedAt }: AttributeUser): Reason {
  return {
    message: `The user is mastered in on-premises Active Directory (last synced ${lastSyncedAt ?? 'never'}): Graph refuses to write it.`,
    fix: 'Change it in Active Directory and run a sync cycle (Start-ADSyncSyncCycle -PolicyType Delta).',
  };
}

/** Graph is known to refuse the phones; a sign-in flag it may take, which then lasts until the sync (graph.md §4, §11). */
function masteredBeforehand(name: AttributeName, user: AttributeUser): Reason {
  if (name !== 'accountEnabled') return mastered(user);
  return {
    ...mastered(user),
    message:
      'The user is mastered in on-premises Active Directory, which decides who may sign in: what is written here is refused, or undone by the sync.',
  };
}

const restrictedByGraph: Reason = {
  message: 'The user is in a restricted management administrative unit.',
  fix: 'Assign a role over that unit to the service principal of this app, or take the user out of the unit.',
};

/** The words are the same for a missing permission and a missing role (graph.md §4): here neither is seen to be. */
function unexplained({ own }: Standing, said: string): NotSet {
  return {
    outcome: 'refused',
    cause: null,
    code: 'upstream_rejected',
    message: `${said} By what could be read, service principal ${own.id} has the permission and the role it takes.`,
    fix: 'If a role or a permission was given a short time ago, repeat the request when its token is renewed: within about an hour, with a managed identity within a day. Else ask diagnoseAttributes what could not be read.',
  };
}
