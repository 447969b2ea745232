/** A GUID as Entra and Exchange write it; for patterns that hold one among other things. */
export const guidPattern = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}';

const whole = new RegExp(`^${guidPattern}$`);

export function isGuid(text: string): boolean {
  return whole.test(text);
}
