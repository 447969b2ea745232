import { badRequest, GraphError, notModelled, unknownProperty, unsupportedQuery } from './errors.ts';
import type { EntityType } from './properties.ts';

// The part of OData $filter that directory objects understand without tricks: eq, ne, in, startsWith, any(), and, or, not.

type Literal = string | number | boolean | null;

export interface Filter<T> {
  matches(object: T): boolean;
  /** ne and not are advanced queries (graph.md §9). */
  readonly isAdvanced: boolean;
}

const token = /\s*('(?:[^']|'')*'|[A-Za-z_][\w./]*|-?\d+(?:\.\d+)?|[():,])/y;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  let end = 0;
  while (end < text.trimEnd().length) {
    token.lastIndex = end;
    const found = token.exec(text);
    if (!found?.[1])
      throw new GraphError(
        400,
        'BadRequest',
        `Invalid filter clause: Syntax error at position ${String(end)} in '${text}'.`,
      );
    tokens.push(found[1]);
    end = token.lastIndex;
  }
  return tokens;
}

function literal(word: string): Literal {
  if (word.startsWith("'")) return word.slice(1, -1).replaceAll("''", "'");
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'null') return null;
  const number = Number(word);
  if (Number.isNaN(number))
    throw new GraphError(400, 'BadRequest', `Invalid filter clause: '${word}' is not a literal.`);
  return number;
}

/** Entra compares text without regard to case. */
const equal = (value: unknown, wanted: Literal): boolean =>
  typeof value === 'string' && typeof wanted === 'string'
    ? value.toLowerCase() === wanted.toLowerCase()
    : (value ?? null) === wanted;

const starts = (value: unknown, wanted: Literal): boolean =>
  typeof value === 'string' && typeof wanted === 'string' && value.toLowerCase().startsWith(wanted.toLowerCase());

type Test<T> = (object: T) => boolean;

class Parser<T> {
  readonly #tokens: string[];
  readonly #type: EntityType<T>;
  #next = 0;
  advanced = false;

  constructor(text: string, type: EntityType<T>) {
    this.#tokens = tokenize(text);
    this.#type = type;
  }

  parse(): Test<T> {
    const test = this.#or();
    if (this.#peek() !== undefined) throw this.#syntax();
    return test;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(): string {
    const word = this.#tokens[this.#next++];
    if (word === undefined) throw this.#syntax();
    return word;
  }

  #expect(word: string): void {
    if (this.#take() !== word) throw this.#syntax();
  }

  #syntax(): GraphError {
    return new GraphError(
      400,
      'BadRequest',
      `Invalid filter clause: Syntax error near '${this.#peek() ?? 'the end'}'.`,
    );
  }

  #or(): Test<T> {
    let left = this.#and();
    while (this.#peek()?.toLowerCase() === 'or') {
      this.#take();
      const [a, b] = [left, this.#and()];
      left = (object) => a(object) || b(object);
    }
    return left;
  }

  #and(): Test<T> {
    let left = this.#unary();
    while (this.#peek()?.toLowerCase() === 'and') {
      this.#take();
      const [a, b] = [left, this.#unary()];
      left = (object) => a(object) && b(object);
    }
    return left;
  }

  #unary(): Test<T> {
    const word = this.#take();
    if (word.toLowerCase() === 'not') {
      this.advanced = true;
      const inner = this.#unary();
      return (object) => !inner(object);
    }
    if (word === '(') {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (this.#peek() === '(') return this.#function(word);
    return this.#comparison(this.#property(word));
  }

  #function(name: string): Test<T> {
    this.#expect('(');
    if (name.toLowerCase() === 'startswith') {
      const read = this.#property(this.#take());
      this.#expect(',');
      const wanted = literal(this.#take());
      this.#expect(')');
      return (object) => starts(read(object), wanted);
    }
    if (name.toLowerCase().endsWith('/any')) return this.#any(this.#property(name.slice(0, -'/any'.length)));
    if (name === 'endsWith' || name === 'contains') throw unsupportedQuery('Unsupported Query.');
    throw notModelled(`the function ${name} in $filter`);
  }

  /** proxyAddresses/any(p:p eq 'x') */
  #any(read: (object: T) => unknown): Test<T> {
    const variable = this.#take();
    this.#expect(':');
    const calls = this.#take();
    let test: (value: unknown) => boolean;
    if (calls.toLowerCase() === 'startswith') {
      this.#expect('(');
      this.#expect(variable);
      this.#expect(',');
      const wanted = literal(this.#take());
      this.#expect(')');
      test = (value) => starts(value, wanted);
    } else {
      if (calls !== variable) throw this.#syntax();
      this.#expect('eq');
      const wanted = literal(this.#take());
      test = (value) => equal(value, wanted);
    }
    this.#expect(')');
    return (object) => {
      const values = read(object);
      return Array.isArray(values) && values.some(test);
    };
  }

  #property(name: string): (object: T) => unknown {
    if (this.#type.notModelled.includes(name)) throw notModelled(`${name} in $filter`);
    const read = Object.hasOwn(this.#type.properties, name) ? this.#type.properties[name] : undefined;
    if (!read) throw unknownProperty(name, this.#type.name, 'Invalid filter clause');
    if (!this.#type.filterable.includes(name))
      throw unsupportedQuery(
        `Unsupported or invalid query filter clause specified for property '${name}' of resource '${this.#type.name.replace(/.*\./, '')}'.`,
      );
    return read;
  }

  #comparison(read: (object: T) => unknown): Test<T> {
    const operator = this.#take();
    if (operator === 'in') {
      this.#expect('(');
      const wanted = [literal(this.#take())];
      while (this.#peek() === ',') {
        this.#take();
        wanted.push(literal(this.#take()));
      }
      this.#expect(')');
      return (object) => wanted.some((value) => equal(read(object), value));
    }
    if (operator !== 'eq' && operator !== 'ne') throw unsupportedQuery('Unsupported Query.');
    const wanted = literal(this.#take());
    const isCollection = (value: unknown): boolean => Array.isArray(value);
    if (operator === 'ne') this.advanced = true;
    return (object) => {
      const value = read(object);
      if (isCollection(value)) throw badRequest('Invalid filter clause: a collection needs any().');
      return equal(value, wanted) === (operator === 'eq');
    };
  }
}

export function parseFilter<T>(text: string, type: EntityType<T>): Filter<T> {
  const parser = new Parser(text, type);
  const matches = parser.parse();
  return { matches, isAdvanced: parser.advanced };
}
