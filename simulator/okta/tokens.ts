interface IssuedToken {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
  /** Of the key that it is bound to by DPoP. */
  readonly thumbprint: string | null;
}

/** The access tokens of service apps, and what may be used once only. */
export class Tokens {
  readonly #issued = new Map<string, IssuedToken>();
  readonly #assertions = new Set<string>();
  readonly #proofs = new Set<string>();

  add(token: string, issued: IssuedToken): void {
    this.#issued.set(token, issued);
  }

  find(token: string): IssuedToken | undefined {
    return this.#issued.get(token);
  }

  isNewAssertion(jti: string): boolean {
    return isNew(this.#assertions, jti);
  }

  isNewProof(jti: string): boolean {
    return isNew(this.#proofs, jti);
  }
}

function isNew(seen: Set<string>, jti: string): boolean {
  if (seen.has(jti)) return false;
  seen.add(jti);
  return true;
}
