import { cmdletError } from './errors.ts';
import type { Row } from './rows.ts';

// OPATH, the filter language of Exchange: -eq, -ne, -like, -not, -and, -or, parentheses; a quote inside is doubled.

type Test = (row: Row) => boolean;

// facts.badFilter
const bad = (reason: string): Error =>
  cmdletError(
    'System.Management.Automation.ParameterBindingException',
    `Cannot bind parameter 'Filter' to the target. ${reason}`,
  );

const token = /\s*('(?:[^']|'')*'|"(?:[^"]|"")*"|\$\w+|-?\w+|[()])/y;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  while (end < text.trimEnd().length) {
    token.lastIndex = end;
    const word = token.exec(text)?.[1];
    if (word === undefined) throw bad(`Syntax error at position ${String(end + 1)} of "${text}".`);
    tokens.push(word);
    end = token.lastIndex;
  }
  return tokens;
}

function valueOf(word: string): string | boolean | null {
  const quote = word[0];
  if (quote === "'" || quote === '"') return word.slice(1, -1).replaceAll(quote + quote, quote);
  if (/^\$(true|false)$/i.test(word)) return word.toLowerCase() === '$true';
  if (/^\$null$/i.test(word)) return null;
  throw bad(`The value ${word} is not quoted.`);
}

/** An address compares with and without its type. */
const forms = (value: unknown): unknown[] =>
  (Array.isArray(value) ? value : [value]).flatMap((item: unknown) =>
    typeof item === 'string' && /^smtp:/i.test(item) ? [item, item.slice(5)] : [item],
  );

const equal = (value: unknown, wanted: string | boolean | null): boolean =>
  forms(value).some((form) =>
    typeof form === 'string' && typeof wanted === 'string'
      ? form.toLowerCase() === wanted.toLowerCase()
      : (form ?? null) === wanted || (wanted === null && form === ''),
  );

function like(value: unknown, wanted: string | boolean | null): boolean {
  const pattern = String(wanted)
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*');
  return forms(value).some((form) => new RegExp(`^${pattern}$`, 'i').test(String(form)));
}

const operators: Record<string, (value: unknown, wanted: string | boolean | null) => boolean> = {
  '-eq': equal,
  '-ne': (value, wanted) => !equal(value, wanted),
  '-like': like,
  '-notlike': (value, wanted) => !like(value, wanted),
};

export function parseOpath(text: string, properties: readonly string[]): Test {
  const tokens = tokenize(text);
  let next = 0;
  const peek = (): string | undefined => tokens[next]?.toLowerCase();
  const take = (): string => {
    const word = tokens[next++];
    if (word === undefined) throw bad('The filter ends too early.');
    return word;
  };

  const comparison = (): Test => {
    const name = take();
    const property = properties.find((each) => each.toLowerCase() === name.toLowerCase());
    if (property === undefined)
      throw bad(
        `"${name}" is not a recognized filterable property. For a complete list of filterable properties see the command help.`,
      );
    const word = take().toLowerCase();
    const operator = Object.hasOwn(operators, word) ? operators[word] : undefined;
    if (!operator) throw bad(`"${word}" is not a valid operator.`);
    const wanted = valueOf(take());
    return (row) => operator(row[property], wanted);
  };
  const unary = (): Test => {
    if (peek() === '-not') {
      take();
      const inner = unary();
      return (row) => !inner(row);
    }
    if (peek() !== '(') return comparison();
    take();
    const inner = either();
    if (take() !== ')') throw bad('A parenthesis is not closed.');
    return inner;
  };
  const both = (): Test => {
    let left = unary();
    while (peek() === '-and') {
      take();
      const [a, b] = [left, unary()];
      left = (row) => a(row) && b(row);
    }
    return left;
  };
  const either = (): Test => {
    let left = both();
    while (peek() === '-or') {
      take();
      const [a, b] = [left, both()];
      left = (row) => a(row) || b(row);
    }
    return left;
  };

  const test = either();
  if (next < tokens.length) throw bad(`Unexpected "${tokens[next] ?? ''}".`);
  return test;
}
