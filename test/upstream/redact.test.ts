import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { redact } from '../../shared/upstream/redact.ts';

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJhIn0.c2lnbmF0dXJl-_';

describe('a text from outside', () => {
  test.each([
    [`token ${jwt} was refused`, 'token [token] was refused'],
    [`Authorization: Bearer ${jwt}`, 'Authorization: Bearer [redacted]'],
    ['authorization: bearer opaque.value-1', 'authorization: bearer [redacted]'],
    ['Authorization: SSWS 00abcDEF', 'Authorization: SSWS [redacted]'],
    ['AccountName=a;AccountKey=q83v+/==;Table=b', 'AccountName=a;AccountKey=[redacted];Table=b'],
    ['SharedAccessSignature=sv=1&x=2', 'SharedAccessSignature=[redacted]&x=2'],
    ['?sv=2020&sig=abc%2Fdef&se=1', '?sv=2020&sig=[redacted]&se=1'],
    ['grant_type=client_credentials&client_secret=a~b.c', 'grant_type=client_credentials&client_secret=[redacted]'],
    ['AZURE_CLIENT_SECRET=a~b.c', 'AZURE_CLIENT_SECRET=[redacted]'],
    ['client_assertion=abc&x=1', 'client_assertion=[redacted]&x=1'],
    ['{"access_token":"opaque","expires_in":1}', '{"access_token":"[redacted]","expires_in":1}'],
    ['{"inner":"{\\"access_token\\": \\"opaque\\"}"}', '{"inner":"{\\"access_token\\": \\"[redacted]\\"}"}'],
    ["{'client_secret': 'opaque'}", "{'client_secret': '[redacted]'}"],
    ['x-functions-key: abc123', 'x-functions-key: [redacted]'],
    ['GET /api/groups?code=abc123== failed', 'GET /api/groups?code=[redacted] failed'],
    ['GET /api/groups?a=b&code=abc123', 'GET /api/groups?a=b&code=[redacted]'],
  ])('loses its secret: %s', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test.each([
    'The user alice@contoso.com was not found.',
    '{"error":{"code":"Authorization_RequestDenied"}}',
    'error code: 50001, statusCode=403',
    'Set design=1',
    'eyJ is how a token begins',
  ])('keeps what is evidence: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  test('is one line without control characters', () => {
    expect(redact(' a\r\n  b\u0000\u001b[31mc\u2028d\t')).toBe('a b [31mc d');
  });

  test('is told up to 600 characters', () => {
    expect(redact('x'.repeat(600))).toBe('x'.repeat(600));
    expect(redact('x'.repeat(601))).toBe(`${'x'.repeat(600)}…`);
    expect(redact(`${'x'.repeat(590)} ${jwt}`)).toBe(`${'x'.repeat(590)} [token]`);
  });
});

describe('whatever the text', () => {
  const part = fc.stringMatching(/^[\w-]{8,40}$/);
  const token = fc
    .tuple(part, part, fc.oneof(part, fc.constant('')))
    .map(([header, payload, signature]) => `eyJ${header}.eyJ${payload}.${signature}`);

  test('no token survives in it, whole or in parts', () => {
    fc.assert(
      fc.property(fc.string(), token, fc.string(), (before, secret, after) => {
        const told = redact(`${before}${secret}${after}`);
        for (const each of secret.split('.').filter((piece) => piece !== '')) expect(told).not.toContain(each);
      }),
      { numRuns: 500 },
    );
  });

  test('no token survives that was cut off, nor one of five parts', () => {
    fc.assert(
      fc.property(part, part, part, (header, payload, more) => {
        expect(redact(`x eyJ${header}.${payload}`)).toBe('x [token]');
        expect(redact(`x eyJ${header}.${payload}.${more}.${more}.${more} y`)).toBe('x [token] y');
      }),
    );
  });

  test('it ends as one line of bounded length, and saying it again changes nothing', () => {
    const text = fc.string({ unit: 'binary', maxLength: 2_000, size: 'max' });
    fc.assert(
      fc.property(text, (given) => {
        const told = redact(given);
        expect(told.length).toBeLessThanOrEqual(601);
        expect(told).not.toMatch(/\p{Cc}/u);
        expect(told).toBe(told.trim());
        expect(redact(told.slice(0, 600))).toBe(told.slice(0, 600).trim());
      }),
    );
  });
});
