/** Addresses that a removed group had, and that stay unusable for a while (exchange.md §4 Remove-DistributionGroup). */
export class Quarantine {
  readonly #untilMs = new Map<string, number>();

  add(address: string, untilMs: number): void {
    this.#untilMs.set(address.toLowerCase(), untilMs);
  }

  holds(address: string, nowMs: number): boolean {
    return (this.#untilMs.get(address.toLowerCase()) ?? 0) > nowMs;
  }
}
