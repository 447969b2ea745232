/** An SMTP address or a user principal name. */
export function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text);
}

export function sameText(left: string | null, right: string | null): boolean {
  return left !== null && right !== null && left.toLowerCase() === right.toLowerCase();
}

/** The addresses of an `EmailAddresses` list without their prefix; `SMTP:` marks the primary one, `smtp:` the others. */
export function smtpAddresses(emailAddresses: readonly string[]): string[] {
  return emailAddresses.filter((each) => /^smtp:/i.test(each)).map((each) => each.slice('smtp:'.length));
}
