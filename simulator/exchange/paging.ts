import type { World } from '../world.ts';
import { badPage } from './errors.ts';
import type { Row, Rows } from './rows.ts';

const LIFETIME_MS = 30 * 60_000;
const DEFAULT_PAGE = 1000;

interface Page {
  offset: number;
  /** The link is good only for the same question with the same anchor (exchange.md §1.5; facts.pagingByAnchor). */
  question: string;
  anchor: string;
  expiresAtMs: number;
}

export interface PageRequest {
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** What is asked, to compare with what was. */
  question: string;
}

/** Continuations handed out, by skip token. */
export class Pages {
  readonly #pages = new Map<string, Page>();

  offset(world: World, { url, headers, question }: PageRequest): number {
    const token = url.searchParams.get('$skiptoken');
    if (token === null) return 0;
    const page = this.#pages.get(token);
    const anchor = headers['x-anchormailbox'] ?? '';
    const good = page && page.anchor !== '' && page.anchor === anchor && page.question === question;
    if (!good || page.expiresAtMs <= world.clock.now()) throw badPage();
    return page.offset;
  }

  slice(
    world: World,
    { url, headers, question }: PageRequest,
    rows: Rows,
    offset: number,
  ): { rows: readonly Row[]; nextLink: string | null } {
    const wanted = /odata\.maxpagesize\s*=\s*(\d+)/i.exec(headers.prefer ?? '')?.[1];
    const size = Math.max(1, Math.min(Number(wanted ?? DEFAULT_PAGE), DEFAULT_PAGE));
    const page = rows.slice(offset, offset + size);
    if (offset + size >= rows.length) return { rows: page, nextLink: null };
    const token = Buffer.from(world.random.freshGuid()).toString('base64url');
    const anchor = headers['x-anchormailbox'] ?? '';
    this.#pages.set(token, { offset: offset + size, question, anchor, expiresAtMs: world.clock.now() + LIFETIME_MS });
    const next = new URL(url.href);
    next.searchParams.set('$skiptoken', token);
    return { rows: page, nextLink: next.href };
  }
}
