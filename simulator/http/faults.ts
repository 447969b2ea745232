import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { Fault, FaultMatch, FaultRule } from './fault.ts';
import type { Call } from './message.ts';

type Throttle = Extract<Fault, { kind: 'throttle' }>;

interface Window {
  rule: FaultRule;
  fault: Throttle;
  untilMs: number;
}

const DEFAULT_THROTTLE_SECONDS = 10;
export const throttleSeconds = (fault: Throttle): number => fault.seconds ?? DEFAULT_THROTTLE_SECONDS;

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function pathMatches(wanted: string, target: string): boolean {
  const expression = /^\/(.+)\/$/.exec(wanted)?.[1];
  // A plain path such as /users/ is a substring too: only what has a metacharacter is taken for an expression.
  if (expression && /[\\^$*+?()[\]{}|]/.test(expression)) return new RegExp(expression).test(target);
  return target.includes(wanted);
}

function matches({ method, path, cmdlet }: FaultMatch, call: Call): boolean {
  if (method !== undefined && !same(method, call.method)) return false;
  if (path !== undefined && !pathMatches(path, call.target)) return false;
  return cmdlet === undefined || call.cmdlets.some((name) => same(name, cmdlet));
}

export const isRead = (call: Pick<Call, 'method' | 'cmdlets'>): boolean =>
  call.method === 'GET' || (call.cmdlets.length > 0 && call.cmdlets.every((name) => /^get-/i.test(name)));

/** Faults that only make sense for some calls wait for one of those. */
function applies(fault: Fault, call: Call): boolean {
  if (fault.kind === 'batchParts') return call.url.pathname.endsWith('/$batch');
  if (fault.kind === 'landsLate') return !isRead(call);
  return fault.kind !== 'staleReads' || isRead(call);
}

export class Faults {
  #rules: FaultRule[] = [];
  #windows: Window[] = [];
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get rules(): readonly FaultRule[] {
    return this.#rules;
  }

  add(rule: FaultRule): void {
    this.#rules.push({ ...rule });
  }

  clear(): void {
    this.#rules = [];
    this.#windows = [];
  }

  /** The fault to play on this call, used up by it. */
  take(call: Call): Fault | null {
    return this.#throttled(call) ?? this.#next(call);
  }

  /** A call made before Retry-After ends is refused again and extends the wait, as real services do (design §8). */
  #throttled(call: Call): Fault | null {
    const now = this.#clock.now();
    this.#windows = this.#windows.filter(({ untilMs }) => untilMs > now);
    const window = this.#windows.find(({ rule }) => rule.upstream === call.upstream && matches(rule.match, call));
    if (!window) return null;
    window.untilMs = now + throttleSeconds(window.fault) * 1000;
    return window.fault;
  }

  #next(call: Call): Fault | null {
    for (const rule of this.#rules) {
      if (rule.upstream !== call.upstream || !matches(rule.match, call) || !applies(rule.fault, call)) continue;
      if (rule.skip > 0) {
        rule.skip -= 1;
        continue;
      }
      if (this.#random.next() >= rule.probability) continue;
      rule.times -= 1;
      this.#rules = this.#rules.filter(({ times }) => times > 0);
      if (rule.fault.kind === 'throttle')
        this.#windows.push({
          rule,
          fault: rule.fault,
          untilMs: this.#clock.now() + throttleSeconds(rule.fault) * 1000,
        });
      return rule.fault;
    }
    return null;
  }
}
