/** The latest time that JavaScript knows. */
const maxDateMs = 8_640_000_000_000_000;

/** Sixteen digits that sort newest first: Azure Tables and Blob storage sort ascending and know no other order. */
export function invertedTime(ms: number): string {
  return String(maxDateMs - ms).padStart(16, '0');
}

export function timeOfInverted(digits: string): number {
  return maxDateMs - Number(digits);
}
