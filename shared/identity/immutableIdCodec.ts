/**
 * How an immutable ID and what it is made from are written (graph.md §2.1). A GUID is kept as its text in lower case,
 * `a1b2c3d4-e5f6-4789-abcd-1234567890ab`; its bytes are those of Active Directory, whose first three fields are
 * little-endian. All pure.
 */

/** The ways of writing a GUID that are told apart when one is read. */
export const guidForms = ['text', 'braces', 'hex', 'bytes', 'base64'] as const;

/**
 * `text` with hyphens, `braces` the same in braces, `hex` 32 digits in the order of the text, `bytes` two digits a byte
 * in the order of Active Directory, separated as its tools do (`D4 CC …`, `D4-CC-…`, `\D4\CC…`), `base64` of those bytes.
 */
export type GuidForm = (typeof guidForms)[number];

export interface ReadGuid {
  /** Lower case, with hyphens. */
  readonly guid: string;
  readonly form: GuidForm;
}

const guidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const separatedBytes = /^(\\?[0-9a-f]{2}([ :-]|(?=\\))){15}\\?[0-9a-f]{2}$/;
const guidLength = 16;

/** null: not a GUID in any form. Spaces around it do not count. */
export function readGuid(given: string): ReadGuid | null {
  const text = given.trim();
  const lower = text.toLowerCase();
  if (guidText.test(lower)) return { guid: lower, form: 'text' };
  if (lower.startsWith('{') && lower.endsWith('}') && guidText.test(lower.slice(1, -1))) {
    return { guid: lower.slice(1, -1), form: 'braces' };
  }
  if (/^[0-9a-f]{32}$/.test(lower)) return { guid: hyphenated(lower), form: 'hex' };
  if (separatedBytes.test(lower)) {
    return { guid: guidOfBytes(Buffer.from(lower.replaceAll(/[^0-9a-f]/g, ''), 'hex')), form: 'bytes' };
  }
  const guid = guidOfImmutableId(text);
  return guid === null ? null : { guid, form: 'base64' };
}

/** The inverse of readGuid. */
export function writeGuid({ guid, form }: ReadGuid): string {
  switch (form) {
    case 'text':
      return guid;
    case 'braces':
      return `{${guid}}`;
    case 'hex':
      return guid.replaceAll('-', '');
    case 'bytes':
      return [...bytesOfGuid(guid)].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(' ');
    case 'base64':
      return immutableIdOfGuid(guid);
  }
}

/** The 16 bytes that Active Directory stores. */
export function bytesOfGuid(guid: string): Buffer {
  return inOtherOrder(Buffer.from(guid.replaceAll('-', ''), 'hex'));
}

export function guidOfBytes(bytes: Uint8Array): string {
  return hyphenated(inOtherOrder(bytes).toString('hex'));
}

/** The immutable ID that Okta and Entra Connect make of an objectGUID or an ms-DS-ConsistencyGuid. */
export function immutableIdOfGuid(guid: string): string {
  return bytesOfGuid(guid).toString('base64');
}

/** null: not the Base64 of exactly 16 bytes, as its encoder writes it. */
export function guidOfImmutableId(immutableId: string): string | null {
  const bytes = Buffer.from(immutableId, 'base64');
  const isWhole = bytes.length === guidLength && bytes.toString('base64') === immutableId;
  return isWhole ? guidOfBytes(bytes) : null;
}

/**
 * What comes out when the bytes of the same GUID are taken in the wrong order, the commonest mistake with immutable IDs;
 * null where it is no GUID, or one that reads alike both ways.
 */
export function wrongEndianTwin(immutableId: string): string | null {
  const guid = guidOfImmutableId(immutableId);
  if (guid === null) return null;
  const twin = inOtherOrder(bytesOfGuid(guid)).toString('base64');
  return twin === immutableId ? null : twin;
}

/** Active Directory and Okta make random GUIDs, which say so in the first digit of their third field (RFC 9562 §5.4). */
export function isRandomGuid(guid: string): boolean {
  return guid[14] === '4';
}

/** Okta's ids have a prefix for the kind of thing and 20 characters in all. */
export function isOktaUserId(text: string): boolean {
  return /^00u[0-9A-Za-z]{17}$/.test(text);
}

/** Between the order of the text and that of the bytes: the first three fields are turned round. */
function inOtherOrder(bytes: Uint8Array): Buffer {
  const turned = Buffer.from(bytes);
  turned.subarray(0, 4).reverse();
  turned.subarray(4, 6).reverse();
  turned.subarray(6, 8).reverse();
  return turned;
}

function hyphenated(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
