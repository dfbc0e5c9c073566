/** One line of a result. `ratio`: to the baseline that the same run measured. */
export interface Row {
  readonly label: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio?: number;
  readonly note?: string;
}

export interface Report {
  readonly name: string;
  readonly rows: readonly Row[];
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
