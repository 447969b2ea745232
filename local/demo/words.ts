export interface JournalRow {
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  readonly cmdlet: string | null;
  readonly status: number | null;
}

/** Of a reply; more than a screen is read by nobody. */
export const rowsShown = 6;

export function isRead(cmdlet: string): boolean {
  return cmdlet.startsWith('Get-');
}

export function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  return typeof value === 'string' ? value : '';
}

export function rowsOf(body: Readonly<Record<string, unknown>>): string[] {
  const results = Array.isArray(body.results) ? (body.results as Record<string, unknown>[]) : [];
  const members = Array.isArray(body.members) ? (body.members as Record<string, unknown>[]) : [];
  const changes = Array.isArray(body.changes) ? (body.changes as Record<string, unknown>[]) : [];
  const groups = Array.isArray(body.groups) ? (body.groups as Record<string, unknown>[]) : [];
  const entries = Array.isArray(body.entries) ? (body.entries as Record<string, unknown>[]) : [];
  const users = Array.isArray(body.users) ? (body.users as Record<string, unknown>[]) : [];
  const errors = Array.isArray(body.errors) ? (body.errors as Record<string, unknown>[]) : [];
  const steps = Array.isArray(body.steps) ? (body.steps as Record<string, unknown>[]) : [];
  const plan = Array.isArray(body.plan) ? (body.plan as Record<string, unknown>[]) : [];
  return [
    ...steps.map(({ step, outcome, message }) => `${String(step)}: ${String(outcome)}. ${String(message)}`),
    ...plan.map(({ step, request, body: sent }) => `${String(step)}: ${String(request)} ${String(sent)}`),
    ...errors.map(({ pointer, message, fix }) => `${String(pointer)} ${String(message)}. ${String(fix)}`),
    ...results.map(
      ({ member, item, property, code, message }) =>
        `${String(member ?? item ?? property)}: ${String(code)}. ${String(message)}`,
    ),
    ...changes.map(
      ({ field, before, after, code }) => `${String(field)}: ${String(before)} → ${String(after)} (${String(code)})`,
    ),
    ...groups.map(
      ({ displayName, kind, blockerMessage }) => `${String(displayName)} (${String(kind)}): ${String(blockerMessage)}`,
    ),
    ...entries.map(
      ({ at, operation, targetName, state }) =>
        `${String(at)} ${String(operation)} ${String(targetName)} ${String(state)}`,
    ),
    ...users.map(
      ({ userPrincipalName, mobilePhone, oktaPhone, code }) =>
        `${String(userPrincipalName)}: ${String(mobilePhone)}, in Okta ${String(oktaPhone)} (${String(code)})`,
    ),
    ...members.map(({ type, userPrincipalName, mail }) => `${String(type)} ${String(userPrincipalName ?? mail)}`),
  ];
}

/** A `$batch` stands in the journal with its parts after it: the parts say more. */
export function describeCalls(calls: readonly JournalRow[]): string {
  const names = calls.flatMap(({ upstream, method, path, cmdlet }) => {
    if (cmdlet !== null) return cmdlet;
    const [pathOnly = ''] = path.split('?');
    const generic = pathOnly.replace(/[0-9a-f-]{36}|\b00[\w-]{18}\b/g, '{id}');
    if (upstream === 'graph') return `Graph ${method} ${generic}`;
    if (upstream === 'okta') return generic.startsWith('/api/') ? `Okta ${method} ${generic}` : [];
    return upstream === 'exchange' ? '$batch' : [];
  });
  const counted = new Map<string, number>();
  for (const name of names) counted.set(name, (counted.get(name) ?? 0) + 1);
  const listed = [...counted].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
  return listed.length === 0 ? 'no call' : listed.join(', ');
}
