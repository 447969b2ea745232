const secrets: readonly [RegExp, string][] = [
  // Cut off or of five parts as well, and whatever stands before it.
  [/eyJ[\w-]{8,}(?:\.[\w-]*)+/g, '[token]'],
  [/\b(Bearer|SSWS)\s+[^\s"',]+/gi, '$1 [redacted]'],
  // A function key in a URL; elsewhere `code` is evidence.
  [/([?&]code=)[^&\s"']+/gi, '$1[redacted]'],
  [
    // The quotes may be those of JSON within JSON.
    /((?:client_secret|client_assertion|access_token|x-functions-key|sig|AccountKey|SharedAccessSignature)(?:\\?["'])?\s*[=:]\s*(?:\\?["'])?)(?:[^&\s"';,\\]|\\(?!["']))+/gi,
    '$1[redacted]',
  ],
];

/** Longer texts from outside say no more than their beginning does. */
const maxLength = 600;

/** A text from outside made fit for a log or a reply: no secret, one line, bounded. */
export function redact(text: string): string {
  const clean = secrets.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text);
  const oneLine = clean.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return oneLine.length > maxLength ? `${oneLine.slice(0, maxLength)}…` : oneLine;
}
