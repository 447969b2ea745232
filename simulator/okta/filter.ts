import { isObject } from '../http/json.ts';
import { invalidSearch, notModelled } from './errors.ts';

type Test = (object: object) => boolean;

/** What a `filter` or `search` may name, and how it compares. */
export interface FilterRules {
  /** Whether this property may be asked for with this operator. */
  allows: (property: string, operator: string) => boolean;
  ignoresCase: boolean;
}

const token = /\s*(\(|\)|"(?:[^"\\]|\\.)*"|[^\s()"]+)/y;
const operators = ['eq', 'sw', 'gt', 'ge', 'lt', 'le', 'pr'];
const unmodelled = ['ne', 'co', 'ew'];

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const found = token.exec(text)?.[1];
    if (found === undefined) throw invalidSearch();
    tokens.push(found);
  }
  return tokens;
}

function valueAt(object: unknown, path: string): unknown {
  let at = object;
  for (const key of path.split('.')) at = isObject(at) ? at[key] : undefined;
  return at;
}

function comparison(operator: string, wanted: string, ignoresCase: boolean): (value: unknown) => boolean {
  const cased = (text: string): string => (ignoresCase ? text.toLowerCase() : text);
  const target = cased(wanted);
  return (value) => {
    if (value === null || value === undefined) return false;
    const actual = cased(typeof value === 'string' ? value : JSON.stringify(value));
    switch (operator) {
      case 'eq':
        return actual === target;
      case 'sw':
        return actual.startsWith(target);
      case 'gt':
        return actual > target;
      case 'ge':
        return actual >= target;
      case 'lt':
        return actual < target;
      default:
        return actual <= target;
    }
  };
}

/** SCIM filters, as Okta's: comparisons joined by `and` and `or`, with parentheses. */
class FilterParser {
  readonly #tokens: string[];
  readonly #rules: FilterRules;
  #at = 0;

  constructor(text: string, rules: FilterRules) {
    this.#tokens = tokensOf(text);
    this.#rules = rules;
  }

  parse(): Test {
    const test = this.#or();
    if (this.#at < this.#tokens.length) throw invalidSearch();
    return test;
  }

  #next(): string {
    const next = this.#tokens[this.#at++];
    if (next === undefined) throw invalidSearch();
    return next;
  }

  #joined(word: string, part: () => Test): Test[] {
    const parts = [part()];
    while (this.#tokens[this.#at]?.toLowerCase() === word) {
      this.#at += 1;
      parts.push(part());
    }
    return parts;
  }

  #or(): Test {
    const parts = this.#joined('or', () => this.#and());
    return (object) => parts.some((test) => test(object));
  }

  #and(): Test {
    const parts = this.#joined('and', () => this.#one());
    return (object) => parts.every((test) => test(object));
  }

  #one(): Test {
    const property = this.#next();
    if (property === '(') {
      const inner = this.#or();
      if (this.#next() !== ')') throw invalidSearch();
      return inner;
    }
    const operator = this.#next().toLowerCase();
    if (unmodelled.includes(operator)) throw notModelled(`the operator ${operator} of a filter`);
    if (!operators.includes(operator) || !this.#rules.allows(property, operator)) throw invalidSearch();
    if (operator === 'pr') return (object) => (valueAt(object, property) ?? null) !== null;
    const literal = this.#next();
    if (!/^(".*"|true|false|\d+)$/s.test(literal)) throw invalidSearch();
    const wanted = literal.startsWith('"') ? literal.slice(1, -1).replace(/\\(.)/g, '$1') : literal;
    const compare = comparison(operator, wanted, this.#rules.ignoresCase);
    return (object) => compare(valueAt(object, property));
  }
}

export const parseFilter = (text: string, rules: FilterRules): Test => new FilterParser(text, rules).parse();
